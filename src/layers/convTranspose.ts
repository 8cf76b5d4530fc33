import type { NewInitializer, NewNode } from "../onnx/encode";
import type { Node } from "../onnx/schema";
import { elementCount } from "../onnx/tensor";
import { channelRows, constantKernel } from "./channels";
import { gramOfFeatures, type GramEmission } from "./gram";
import { skipped, type Emission, type LayerType, type LayerUse, type Recognition, type WeightView } from "./layer";
import { copyNode, intAttribute, nodeLabel, withInput } from "./nodes";
import { transposedGroups } from "./weights";

/**
 * ConvTranspose with a constant kernel (ONNX operator ConvTranspose), of any number of spatial axes. A row of X is what the
 * d = C/g channels have at one position of the input; a row of Y = X Wᵀ is the patch of m = M/g·∏k values that it adds to
 * the output. The kernel is stored as Wᵀ, group by group.
 */
export const convTranspose: LayerType = {
  ops: ["ConvTranspose"],

  recognise(node, index): readonly Recognition[] {
    const weight = constantKernel(node, index);
    if (!("tensor" in weight)) return weight;
    const { dims } = weight;
    const groups = intAttribute(node, "group", 1);
    const inputs = dims[0];
    if (groups < 1 || inputs % groups !== 0) {
      return skipped(`its ${inputs} inputs cannot be divided into ${groups} groups`);
    }
    const columns = inputs / groups;
    if (groups > 1 && columns === 1) {
      return skipped("depthwise: one input per group, so its rank is 1 and cannot fall");
    }
    const rows = elementCount(dims.slice(1));
    const view: WeightView = { groups, rows, columns, transposed: true, scale: 1 };
    return [{ kind: "layer", weight, view, use: convTransposeUse(node, view, dims) }];
  },
};

function convTransposeUse(node: Node, view: WeightView, weightDims: readonly number[]): LayerUse {
  const { groups, rows, columns } = view;
  const input = node.inputs[0];
  const output = node.outputs[0];
  const features = (source: string, result: string): Emission => channelRows(source, result, view);
  return {
    node,
    input,
    weight: node.inputs[1],
    output,
    counted: { value: input, perRow: groups * columns },
    featuresKey: JSON.stringify(["channels", groups, columns]),
    featureGroups: groups,
    features,

    gram(source, result): GramEmission {
      const rowsOfInput = `${result}/features`;
      return gramOfFeatures(features(source, rowsOfInput), rowsOfInput, result, { groups, columns });
    },

    withWeight: (weight, current) => [withInput(current, 1, weight)],

    factorLayout: "convTranspose",

    factorInitializers({ rank, a, b }, names): readonly NewInitializer[] {
      const ones = weightDims.slice(2).map(() => 1);
      const second = transposedGroups(a, groups, rows, rank);
      return [
        { name: names.first, dims: [groups * rank, columns, ...ones], data: b },
        { name: names.second, dims: [groups * rank, ...weightDims.slice(1)], data: second },
      ];
    },

    decomposed(names, hidden): readonly NewNode[] {
      return [
        {
          opType: "Conv",
          name: `${nodeLabel(node)}/low_rank_in`,
          inputs: [input, names.first],
          outputs: [hidden],
          attributes: groups === 1 ? {} : { group: groups },
        },
        copyNode(node, { inputs: [hidden, names.second, ...node.inputs.slice(2)] }),
      ];
    },
  };
}
