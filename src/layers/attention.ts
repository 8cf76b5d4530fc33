import type { NewInitializer, NewNode } from "../onnx/encode";
import type { Node } from "../onnx/schema";
import { floatInput } from "./constantInput";
import { gramOfFeatures, type GramEmission } from "./gram";
import { skipped, type Emission, type LayerType, type LayerUse, type Recognition, type WeightView } from "./layer";
import { rowFeatures } from "./matrixRows";
import { copyNode, nodeLabel, withInput } from "./nodes";
import { transposed } from "./weights";

/**
 * Self-attention with one constant matrix for query, key and value (onnxruntime's operator Attention): Wᵀ, side by side. A
 * row of X is what one position of the input [batch, positions, d] holds.
 */
export const attention: LayerType = {
  ops: ["com.microsoft:Attention"],

  recognise(node, index): readonly Recognition[] {
    const weight = floatInput(node, index, 1);
    if (!("tensor" in weight)) return weight;
    const { dims } = weight;
    if (dims.length !== 2) return skipped(`its weight has shape [${dims.join(", ")}]; a matrix is needed`);
    const view: WeightView = { groups: 1, rows: dims[1], columns: dims[0], transposed: true, scale: 1 };
    return [{ kind: "layer", weight, view, use: attentionUse(node, view) }];
  },
};

export function attentionUse(node: Node, view: WeightView): LayerUse {
  const { rows, columns } = view;
  const [input, weight] = node.inputs;
  const features = (source: string, result: string): Emission => rowFeatures(source, result, columns);
  return {
    node,
    input,
    weight,
    output: node.outputs[0],
    // The output has as many places as the value that it is made of, which is a part of Y only.
    counted: { value: input, perRow: columns },
    featuresKey: "rows",
    featureGroups: 1,
    features,

    gram(source, result): GramEmission {
      const rowsOfInput = `${result}/features`;
      return gramOfFeatures(features(source, rowsOfInput), rowsOfInput, result, { groups: 1, columns });
    },

    withWeight: (replacement, current) => [withInput(current, 1, replacement)],

    factorLayout: "attention",

    factorInitializers({ rank, a, b }, names): readonly NewInitializer[] {
      return [
        { name: names.first, dims: [columns, rank], data: transposed(b, rank, columns) },
        { name: names.second, dims: [rank, rows], data: transposed(a, rows, rank) },
      ];
    },

    /** The width of its input is free: only the matrix knows of it. */
    decomposed(names, hidden): readonly NewNode[] {
      const name = `${nodeLabel(node)}/low_rank_in`;
      return [
        { opType: "MatMul", name, inputs: [input, names.first], outputs: [hidden] },
        copyNode(node, { inputs: [hidden, names.second, ...node.inputs.slice(2)] }),
      ];
    },
  };
}
