import type { NewInitializer, NewNode } from "../onnx/encode";
import { resolveConstant } from "../onnx/constants";
import type { Node } from "../onnx/schema";
import { reshapeTo } from "./emit";
import { gramOfFeatures, type GramEmission } from "./gram";
import type { Emission, LayerType, LayerUse, Recognition, WeightView } from "./layer";
import { copyNode, floatAttribute, intAttribute, nodeLabel, unreadableWeight } from "./nodes";
import { transposed } from "./weights";

/**
 * MatMul and Gemm with a constant matrix on one side (ONNX operators MatMul, Gemm).
 *
 * Constant on the right: Y = X·Q, rows of X are the samples, W = Qᵀ. Constant on the left: Y = Q·X, columns of X are
 * the samples, W = Q. Gemm's flags transpose either operand first; its alpha scales W; beta·C is the bias.
 */
export const linear: LayerType = {
  ops: ["MatMul", "Gemm"],

  recognise(node, index): Recognition {
    const [left, right] = node.inputs;
    if (left === undefined || right === undefined) return { kind: "none" };
    const operands = [left, right].map((value) => ({
      value,
      resolved: resolveConstant(index, value),
    }));
    const constants = operands.filter(({ resolved }) => resolved?.kind === "constant");
    if (constants.length === 2) return { kind: "skipped", reason: "both its operands are constants" };
    const [only] = constants.length === 1 ? constants : operands.filter(({ resolved }) => resolved);
    if (!only?.resolved) return { kind: "none" };
    if (only.resolved.kind === "unreadable") return { kind: "skipped", reason: only.resolved.reason };
    const weight = only.resolved.constant;
    const reason = unreadableWeight(weight);
    if (reason !== undefined) return { kind: "skipped", reason };
    if (weight.dims.length !== 2) {
      return { kind: "skipped", reason: `its weight has shape [${weight.dims.join(", ")}]; a matrix is needed` };
    }
    const alpha = node.opType === "Gemm" ? floatAttribute(node, "alpha", 1) : 1;
    if (alpha === 0 || !Number.isFinite(alpha)) return { kind: "skipped", reason: `its alpha is ${alpha}` };
    const side = only.value === right ? "right" : "left";
    const flag = (name: string): boolean => node.opType === "Gemm" && intAttribute(node, name, 0) !== 0;
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
    return { kind: "layer", weight, view, use: linearUse(node, side, inputFlag, view) };
  },
};

type Side = "left" | "right";

function linearUse(node: Node, side: Side, inputFlag: boolean, view: WeightView): LayerUse {
  const { rows, columns } = view;
  const weightPosition = side === "right" ? 1 : 0;
  const input = node.inputs[1 - weightPosition];
  const output = node.outputs[0];
  // Samples are the columns of a right operand, and of a transposed left one.
  const samplesAreColumns = (side === "left") !== inputFlag;
  const label = nodeLabel(node);

  const features = (result: string, inputRank: number): Emission =>
    samplesAreColumns ? columnFeatures(input, result, inputRank, columns) : rowFeatures(input, result, columns);

  return {
    node,
    input,
    weight: node.inputs[weightPosition],
    output,
    counted: { value: output, perRow: rows },
    featuresKey: samplesAreColumns ? "columns" : "rows",
    featureGroups: 1,
    features,

    gram(result, inputDims): GramEmission {
      const rows = `${result}/features`;
      return gramOfFeatures(features(rows, inputDims.length), rows, result, { groups: 1, columns });
    },

    withWeight: (weight) =>
      copyNode(node, { inputs: node.inputs.map((name, i) => (i === weightPosition ? weight : name)) }),

    factorLayout: side,

    factorInitializers({ rank, a, b }, names): readonly NewInitializer[] {
      // Each factor is stored as its MatMul reads it: X·Bᵀ·Aᵀ on the right, A·B·X on the left.
      return side === "left"
        ? [
            { name: names.first, dims: [rank, columns], data: Float32Array.from(b) },
            { name: names.second, dims: [rows, rank], data: Float32Array.from(a) },
          ]
        : [
            { name: names.first, dims: [columns, rank], data: transposed(b, rank, columns) },
            { name: names.second, dims: [rank, rows], data: transposed(a, rows, rank) },
          ];
    },

    decomposed(names, hidden): readonly NewNode[] {
      // A plain MatMul first: before opset 11, Gemm cannot go without a bias.
      const turned = `${hidden}/transposed_input`;
      const nodes: NewNode[] = [];
      if (inputFlag) {
        nodes.push({
          opType: "Transpose",
          name: `${label}/transpose`,
          inputs: [input],
          outputs: [turned],
          attributes: { perm: [1, 0] },
        });
      }
      const operand = inputFlag ? turned : input;
      const ordered = (weight: string, value: string): string[] =>
        side === "right" ? [value, weight] : [weight, value];
      nodes.push({
        opType: "MatMul",
        name: `${label}/low_rank_in`,
        inputs: ordered(names.first, operand),
        outputs: [hidden],
      });
      const bias = node.inputs[2];
      const inputs = ordered(names.second, hidden);
      nodes.push(
        bias
          ? {
              opType: "Gemm",
              name: node.name,
              inputs: [...inputs, bias],
              outputs: [output],
              attributes: { beta: { float: floatAttribute(node, "beta", 1) } },
            }
          : { opType: "MatMul", name: node.name, inputs, outputs: [output] },
      );
      return nodes;
    },
  };
}

/** […, d] → N×d → d×N. */
function rowFeatures(input: string, result: string, columns: number): Emission {
  const reshape = reshapeTo(input, `${result}/rows`, [-1, columns]);
  return {
    nodes: [
      ...reshape.nodes,
      {
        opType: "Transpose",
        name: `${result}/transpose`,
        inputs: [`${result}/rows`],
        outputs: [result],
        attributes: { perm: [1, 0] },
      },
    ],
    initializers: reshape.initializers,
  };
}

/** […, d, n] → d×N: the features go to the front, and all else is samples. */
function columnFeatures(input: string, result: string, inputRank: number, columns: number): Emission {
  if (inputRank <= 2) return reshapeTo(input, result, [columns, -1]);
  const leading = Array.from({ length: inputRank - 2 }, (_, axis) => axis);
  const reshape = reshapeTo(`${result}/turned`, result, [columns, -1]);
  return {
    nodes: [
      {
        opType: "Transpose",
        name: `${result}/transpose`,
        inputs: [input],
        outputs: [`${result}/turned`],
        attributes: { perm: [inputRank - 2, ...leading, inputRank - 1] },
      },
      ...reshape.nodes,
    ],
    initializers: reshape.initializers,
  };
}
