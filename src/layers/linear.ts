import type { NewInitializer, NewNode } from "../onnx/encode";
import type { Node } from "../onnx/schema";
import { batchedMatMul, type Side } from "./batchedMatMul";
import { gramOfFeatures, type GramEmission } from "./gram";
import { skipped, type Emission, type LayerType, type LayerUse, type Recognition, type WeightView } from "./layer";
import { columnFeatures, rowFeatures } from "./matrixRows";
import { copyNode, floatAttribute, intAttribute, nodeLabel, withInput } from "./nodes";
import { constantOperand } from "./operands";
import { transposed } from "./weights";

/**
 * MatMul and Gemm with a constant matrix on one side (ONNX operators MatMul, Gemm; onnxruntime's FusedMatMul, which has
 * Gemm's flags and alpha for any number of axes, and FusedGemm, which applies an activation behind it). A MatMul with more
 * than one matrix is that of {@link batchedMatMul}.
 *
 * Constant on the right: Y = X·Q, rows of X are the samples, W = Qᵀ. Constant on the left: Y = Q·X, columns of X are
 * the samples, W = Q. Flags transpose either operand first; alpha scales W; beta·C is the bias.
 */
export const linear: LayerType = {
  ops: ["MatMul", "Gemm", "com.microsoft:FusedMatMul", "com.microsoft:FusedGemm"],

  recognise(node, index): readonly Recognition[] {
    const operand = constantOperand(node, index);
    if (!("weight" in operand)) return operand;
    const { weight, position } = operand;
    const side: Side = position === 1 ? "right" : "left";
    if (node.opType === "MatMul" && weight.dims.length > 2) return batchedMatMul(node, index, weight, side);
    if (weight.dims.length !== 2) {
      return skipped(`its weight has shape [${weight.dims.join(", ")}]; a matrix is needed`);
    }
    const batched = ["transBatchA", "transBatchB"].find((name) => intAttribute(node, name, 0) !== 0);
    if (batched !== undefined) return skipped(`its ${batched} exchanges axes of the batch`);
    // MatMul has none of these attributes.
    const alpha = floatAttribute(node, "alpha", 1);
    if (alpha === 0 || !Number.isFinite(alpha)) return skipped(`its alpha is ${alpha}`);
    const flag = (name: string): boolean => intAttribute(node, name, 0) !== 0;
    const weightFlag = flag(side === "right" ? "transB" : "transA");
    // Stored as it is on the left, W is m×d; on the right it is Wᵀ; a transpose flag turns either around.
    const transposed = (side === "right") !== weightFlag;
    const [first, second] = [weight.dims[0], weight.dims[1]];
    const view: WeightView = {
      groups: 1,
      rows: transposed ? second : first,
      columns: transposed ? first : second,
      transposed,
      scale: alpha,
    };
    const inputFlag = flag(side === "right" ? "transA" : "transB");
    return [{ kind: "layer", weight, view, use: linearUse(node, side, inputFlag, view) }];
  },
};

const FUSED_MATMUL = { opType: "FusedMatMul", domain: "com.microsoft" };

/** The use of a matrix on one side; `inputFlag`: whether the other operand is transposed first. */
export function linearUse(node: Node, side: Side, inputFlag: boolean, view: WeightView): LayerUse {
  const { rows, columns } = view;
  const weightPosition = side === "right" ? 1 : 0;
  const input = node.inputs[1 - weightPosition];
  const output = node.outputs[0];
  // Samples are the columns of a right operand, and of a transposed left one.
  const samplesAreColumns = (side === "left") !== inputFlag;
  const label = nodeLabel(node);

  const features = (source: string, result: string, inputRank: number): Emission =>
    samplesAreColumns ? columnFeatures(source, result, inputRank, columns) : rowFeatures(source, result, columns);

  return {
    node,
    input,
    weight: node.inputs[weightPosition],
    output,
    counted: { value: output, perRow: rows },
    featuresKey: samplesAreColumns ? "columns" : "rows",
    featureGroups: 1,
    features,

    gram(source, result, inputDims): GramEmission {
      const rows = `${result}/features`;
      return gramOfFeatures(features(source, rows, inputDims.length), rows, result, { groups: 1, columns });
    },

    withWeight: (weight, current) => [withInput(current, weightPosition, weight)],

    factorLayout: side,

    factorInitializers({ rank, a, b }, names): readonly NewInitializer[] {
      // Each factor is stored as its MatMul reads it: X·Bᵀ·Aᵀ on the right, A·B·X on the left.
      return side === "left"
        ? [
            { name: names.first, dims: [rank, columns], data: b },
            { name: names.second, dims: [rows, rank], data: a },
          ]
        : [
            { name: names.first, dims: [columns, rank], data: transposed(b, rank, columns) },
            { name: names.second, dims: [rank, rows], data: transposed(a, rows, rank) },
          ];
    },

    decomposed(names, hidden): readonly NewNode[] {
      // A plain MatMul first: before opset 11, Gemm cannot go without a bias.
      const nodes: NewNode[] = [];
      let operand = input;
      const ordered = (weight: string, value: string): string[] =>
        side === "right" ? [value, weight] : [weight, value];
      const isFused = node.opType === "FusedMatMul";
      if (inputFlag && !isFused) {
        operand = `${hidden}/transposed_input`;
        nodes.push({
          opType: "Transpose",
          name: `${label}/transpose`,
          inputs: [input],
          outputs: [operand],
          attributes: { perm: [1, 0] },
        });
      }
      nodes.push({
        opType: "MatMul",
        name: `${label}/low_rank_in`,
        inputs: ordered(names.first, operand),
        outputs: [hidden],
        ...(inputFlag && isFused
          ? { ...FUSED_MATMUL, attributes: { [side === "right" ? "transA" : "transB"]: 1 } }
          : {}),
      });
      const bias = isFused ? "" : node.inputs[2];
      const inputs = ordered(names.second, hidden);
      if (bias || node.opType === "FusedGemm") {
        // Factors are stored as they are read, and hold alpha.
        const without = ["transA", "transB", "alpha"];
        nodes.push(copyNode(node, { inputs: [...inputs, ...(bias ? [bias] : [])], without }));
      } else {
        nodes.push({ opType: "MatMul", name: node.name, inputs, outputs: [output] });
      }
      return nodes;
    },
  };
}
