import { blocksPerRow, type BlockPacking } from "../onnx/blockPacking";
import type { Constant } from "../onnx/constants";
import { isFloatType } from "../onnx/elements";
import type { NewNode } from "../onnx/encode";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Node, TensorInfo } from "../onnx/schema";
import { elementCount } from "../onnx/tensor";
import { constantInput } from "./constantInput";
import {
  skipped,
  type LayerType,
  type LayerUse,
  type Recognition,
  type WeightConstant,
  type WeightView,
} from "./layer";
import { linearUse } from "./linear";
import { intAttribute } from "./nodes";
import { ANALYSED_ONLY, notDecomposed } from "./quantized";

/**
 * A product with a constant matrix in blocks of 2, 4 or 8 bits (onnxruntime's operator MatMulNBits), stored as W. With W′
 * it is a MatMul.
 */
export const matMulNBits: LayerType = {
  ops: ["com.microsoft:MatMulNBits"],

  recognise(node, index): readonly Recognition[] {
    const stored = constantInput(node, index, WEIGHT);
    if (!("tensor" in stored)) return stored;
    if (node.inputs[ORDER]) return skipped("its blocks are of inputs in another order (g_idx)");
    const packing = packingOf(node, index, stored);
    if (typeof packing === "string") return skipped(packing);
    const { rows, columns, scale } = packing;
    if (!isFloatType(scale.elementType)) return skipped(`its scales are ${scale.elementType ?? "of an unknown type"}`);
    const weight: WeightConstant = {
      ...stored,
      // As a MatMul would read it.
      steps: [...stored.steps, { kind: "unpack", packing }, { kind: "transpose", perm: [1, 0] }],
      dims: [columns, rows],
      elementType: scale.elementType,
    };
    const view: WeightView = { groups: 1, rows, columns, transposed: true, scale: 1 };
    return [{ kind: "layer", weight, view, use: useOf(node, view), kept: ANALYSED_ONLY }];
  },
};

const [WEIGHT, SCALE, ZERO_POINT, ORDER, BIAS] = [1, 2, 3, 4, 5];

function useOf(node: Node, view: WeightView): LayerUse {
  return {
    ...linearUse(node, "right", false, view),
    withWeight(weight): readonly NewNode[] {
      const bias = node.inputs[BIAS] ?? "";
      const [output] = node.outputs;
      const product = bias === "" ? output : `${output}/float/product`;
      const multiplied: NewNode = {
        opType: "MatMul",
        name: product,
        inputs: [node.inputs[0], weight],
        outputs: [product],
      };
      if (bias === "") return [{ ...multiplied, name: node.name }];
      return [multiplied, { opType: "Add", name: node.name, inputs: [product, bias], outputs: [output] }];
    },
    ...notDecomposed(node),
  };
}

/** How the matrix is packed; or why it cannot be read. */
function packingOf(node: Node, index: GraphIndex, stored: Constant): BlockPacking | string {
  const [rows, columns] = [intAttribute(node, "N", 0), intAttribute(node, "K", 0)];
  const blockSize = intAttribute(node, "block_size", 0);
  const bits = intAttribute(node, "bits", 4);
  if (bits !== 2 && bits !== 4 && bits !== 8) return `its weight has ${bits} bits; 2, 4 and 8 are analysed`;
  if (!(rows > 0) || !(columns > 0) || !(blockSize > 0)) return `its K, N or block_size is not positive`;
  const scale = index.constants.get(node.inputs[SCALE] ?? "");
  const zeroName = node.inputs[ZERO_POINT] ?? "";
  const zeroPoint = zeroName === "" ? null : index.constants.get(zeroName);
  if (!scale || zeroPoint === undefined) return "its scales are not constant";
  const packing: BlockPacking = { bits, blockSize, rows, columns, scale, zeroPoint };
  const blocks = blocksPerRow(packing);
  const fits =
    stored.elementType === "uint8" &&
    elementCount(stored.dims) === (rows * blocks * blockSize * bits) / 8 &&
    elementCount(scale.dims) === rows * blocks &&
    (zeroPoint === null || elementCount(zeroPoint.dims) === zeroPointCount(zeroPoint, rows, blocks, bits));
  if (fits) return packing;
  return `its weight of shape [${stored.dims.join(", ")}] is not of ${rows} rows of ${blocks} blocks of ${blockSize} numbers of ${bits} bits`;
}

function zeroPointCount({ elementType }: TensorInfo, rows: number, blocks: number, bits: number): number {
  return isFloatType(elementType) ? rows * blocks : rows * Math.ceil((blocks * bits) / 8);
}
