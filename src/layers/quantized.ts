import type { Constant } from "../onnx/constants";
import type { GraphIndex } from "../onnx/graphIndex";
import { integerRange, misfit, type Quantization } from "../onnx/quantization";
import type { Node } from "../onnx/schema";
import { elementCount } from "../onnx/tensor";
import { attentionUse } from "./attention";
import { constantInput } from "./constantInput";
import { convUse, convView } from "./conv";
import {
  skipped,
  type LayerType,
  type LayerUse,
  type Recognition,
  type WeightConstant,
  type WeightView,
} from "./layer";
import { linearUse } from "./linear";
import { floatAttribute, intAttribute } from "./nodes";
import { QUANTIZED_FORMS, type QuantizedForm } from "./quantizedForms";

/**
 * Operators that multiply whole numbers: of ONNX QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger; of onnxruntime
 * DynamicQuantizeMatMul, MatMulIntegerToFloat, QGemm, QAttention. X and W are the numbers that those stand for, or, where
 * the operator does not know their scales, the whole numbers less their zero points. With W′ the layer computes in
 * floating point between the same roundings.
 */
export const quantized: LayerType = {
  ops: Object.keys(QUANTIZED_FORMS),

  operands: (node) => [formOf(node).data, formOf(node).weight],

  recognise(node, index): readonly Recognition[] {
    const form = formOf(node);
    const stored = constantInput(node, index, form.weight);
    if (!("tensor" in stored)) {
      const other = constantInput(node, index, form.data);
      return "tensor" in other ? skipped("its weight is its first operand; only the second is analysed") : stored;
    }
    const weight = dequantizedWeight(node, index, form, stored);
    if (typeof weight === "string") return skipped(weight);
    const float: Node = { ...node, ...(form.floatOp === "Attention" ? {} : { domain: "" }), opType: form.floatOp };
    const twin = floatUse(float, form, weight);
    if (typeof twin === "string") return skipped(twin);
    const use: LayerUse = {
      ...twin.use,
      node,
      input: node.inputs[form.data],
      weight: node.inputs[form.weight],
      output: node.outputs[0],
      counted: { ...twin.use.counted, value: twin.isCountedByInput ? node.inputs[form.data] : node.outputs[0] },
      featuresKey: JSON.stringify([
        node.opType,
        node.inputs.filter((_, at) => at !== form.weight),
        twin.use.featuresKey,
      ]),
      prepare: (result) => ({ nodes: form.input(node, result), initializers: [] }),
      withWeight(value) {
        const x = `${node.outputs[0]}/float/input`;
        return [...form.input(node, x), ...form.output(node, x, value)];
      },
      ...notDecomposed(node),
    };
    return [{ kind: "layer", weight, view: twin.view, use, kept: ANALYSED_ONLY }];
  },
};

function formOf({ domain, opType }: Node): QuantizedForm {
  return QUANTIZED_FORMS[domain === "" ? opType : `${domain}:${opType}`];
}

/** Why such a layer stays one. */
export const ANALYSED_ONLY =
  "it is analysed only: its two factors, and what lies between them, would have to be quantized anew";

/** What is never asked of a layer that stays one. */
export function notDecomposed({ opType }: Node): Pick<LayerUse, "factorLayout" | "factorInitializers" | "decomposed"> {
  const never = (): never => {
    throw new Error(`${opType} is not decomposed`);
  };
  return { factorLayout: opType, factorInitializers: never, decomposed: never };
}

/** The weight as floating-point numbers, by the scales that the node reads beside it; or why they cannot be told. */
function dequantizedWeight(
  node: Node,
  index: GraphIndex,
  form: QuantizedForm,
  stored: Constant,
): WeightConstant | string {
  const { dims, elementType: type } = stored;
  if (type === null || !integerRange(type)) return `its weight is ${type ?? "of an unknown type"}`;
  if (dims.length < 2 || dims.some((dim) => dim < 1)) return `its weight has shape [${dims.join(", ")}]`;
  const zeroName = node.inputs[form.weightZeroPoint] ?? "";
  const zeroPoint = zeroName === "" ? null : index.constants.get(zeroName);
  if (zeroPoint === undefined) return "its weight's zero point is not constant";
  // Of a kernel the outputs come first; of a matrix that the data is multiplied by, last.
  const axis = form.floatOp === "Conv" || (form.floatOp === "Gemm" && intAttribute(node, "transB", 0) !== 0) ? 0 : 1;
  const steps = [...stored.steps];
  if (form.weightScale === null) {
    if (zeroPoint !== null) {
      const places = elementCount(zeroPoint.dims);
      if (places !== 1 && places !== dims[axis]) {
        return `its weight of shape [${dims.join(", ")}] has ${places} zero points`;
      }
      steps.push({ kind: "subtract", zeroPoint, axis });
    }
    return { ...stored, steps, elementType: "float32" };
  }
  const scale = index.constants.get(node.inputs[form.weightScale] ?? "");
  if (!scale) return "its weight's scale is not constant";
  if (scale.elementType !== "float32") return `its weight's scale is ${scale.elementType ?? "of an unknown type"}`;
  const quantization: Quantization = { scale, zeroPoint, axis, blockSize: 0, type, domain: "" };
  const unfit = misfit(dims, quantization);
  if (unfit !== undefined) return `its weight is quantized ${unfit}`;
  return { ...stored, steps: [...steps, { kind: "dequantize", quantization }], elementType: "float32" };
}

interface FloatUse {
  readonly view: WeightView;
  readonly use: LayerUse;
  readonly isCountedByInput?: boolean;
}

/** The layer that the node would be in floating point; or why it is none. */
function floatUse(node: Node, { floatOp }: QuantizedForm, { dims }: WeightConstant): FloatUse | string {
  if (floatOp === "Conv") {
    const view = convView(node, dims);
    return typeof view === "string" ? view : { view, use: convUse(node, view, dims) };
  }
  if (dims.length !== 2) return `its weight has shape [${dims.join(", ")}]; a matrix is needed`;
  if (floatOp === "Attention") {
    const view: WeightView = { groups: 1, rows: dims[1], columns: dims[0], transposed: true, scale: 1 };
    return { view, use: attentionUse(node, view), isCountedByInput: true };
  }
  const flag = (name: string): boolean => floatOp === "Gemm" && intAttribute(node, name, 0) !== 0;
  const [columns, rows] = flag("transB") ? [dims[1], dims[0]] : [dims[0], dims[1]];
  const scale = floatOp === "Gemm" ? floatAttribute(node, "alpha", 1) : 1;
  if (scale === 0 || !Number.isFinite(scale)) return `its alpha is ${scale}`;
  const view: WeightView = { groups: 1, rows, columns, transposed: !flag("transB"), scale };
  return { view, use: linearUse(node, "right", flag("transA"), view) };
}
