import { ExpectedError } from "../errors";
import type { NewInitializer, NewNode } from "../onnx/encode";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Node } from "../onnx/schema";
import { elementCount } from "../onnx/tensor";
import { joined } from "./emit";
import { gramOfFeatures, type GramEmission } from "./gram";
import { skipped, type Emission, type LayerUse, type Recognition, type WeightConstant, type WeightView } from "./layer";
import { axisFeatures, columnFeatures, repeated, rowFeatures } from "./matrixRows";
import { nodeLabel, withInput } from "./nodes";
import { transposedGroups } from "./weights";

/** Of a product, the side on which the weight stands. */
export type Side = "left" | "right";

/**
 * MatMul with a constant of three or more axes, [batch…, K, N] on the right or [batch…, M, K] on the left: a matrix, and a
 * group, for each place along the batch axes. An input that has 1 place along a batch axis, or lacks it, is seen by
 * every group; where the weight has 1 place, or lacks an axis of the input, all places are rows of the same group.
 */
export function batchedMatMul(
  node: Node,
  index: GraphIndex,
  weight: WeightConstant,
  side: Side,
): readonly Recognition[] {
  const { dims } = weight;
  const [first, second] = dims.slice(-2);
  const transposed = side === "right";
  const [rows, columns] = transposed ? [second, first] : [first, second];
  const view: WeightView = { groups: elementCount(dims.slice(0, -2)), rows, columns, transposed, scale: 1 };
  if (view.groups > 1) {
    if (Math.min(rows, columns) === 1) {
      return skipped("one input or output per group, so its rank is 1 and cannot fall");
    }
    const shape = [...index.graph.inputs, ...index.graph.valueInfo.values()].find(
      ({ name }) => name === node.inputs[transposed ? 0 : 1],
    )?.shape;
    if (shape?.length === 1) return skipped(VECTOR);
  }
  return [{ kind: "layer", weight, view, use: batchedUse(node, side, view, dims) }];
}

const VECTOR = "a vector is multiplied by several matrices; such an input needs two axes at least";

function batchedUse(node: Node, side: Side, view: WeightView, dims: readonly number[]): LayerUse {
  const { groups, rows, columns } = view;
  const batch = dims.slice(0, -2);
  const isRight = side === "right";
  const [input, weight] = isRight ? node.inputs : [node.inputs[1], node.inputs[0]];
  const output = node.outputs[0];
  const label = nodeLabel(node);

  const features = (source: string, result: string, inputRank: number): Emission => {
    if (groups === 1) {
      return isRight ? rowFeatures(source, result, columns) : columnFeatures(source, result, inputRank, columns);
    }
    if (inputRank < 2) throw new ExpectedError(`The MatMul ${label} cannot be analysed: ${VECTOR}.`);
    const rank = Math.max(inputRank, dims.length);
    const whole = `${result}/repeated`;
    const groupAxes = batch.flatMap((dim, at) => (dim > 1 ? [rank - dims.length + at] : []));
    const roles = { rank, groups: groupAxes, features: [isRight ? rank - 1 : rank - 2] };
    return joined(repeated(source, whole, [...batch, 1, 1]), axisFeatures(whole, result, roles, view));
  };

  const product = (name: string, value: string, factor: string, result: string): NewNode => {
    return { opType: "MatMul", name, inputs: isRight ? [value, factor] : [factor, value], outputs: [result] };
  };

  return {
    node,
    input,
    weight,
    output,
    counted: { value: output, perRow: groups * rows },
    featuresKey: groups === 1 ? (isRight ? "rows" : "columns") : JSON.stringify(["batched", side, batch]),
    featureGroups: groups,
    features,

    gram(source, result, inputDims): GramEmission {
      const found = `${result}/features`;
      return gramOfFeatures(features(source, found, inputDims.length), found, result, view);
    },

    withWeight: (value, current) => [withInput(current, isRight ? 1 : 0, value)],

    factorLayout: JSON.stringify(["batched", side, dims]),

    factorInitializers({ rank, a, b }, names): readonly NewInitializer[] {
      // Where there is one matrix, the second factor alone has the further axes: a vector then stays one between the two.
      const ofFirst = groups === 1 ? [] : batch;
      return isRight
        ? [
            { name: names.first, dims: [...ofFirst, columns, rank], data: transposedGroups(b, groups, rank, columns) },
            { name: names.second, dims: [...batch, rank, rows], data: transposedGroups(a, groups, rows, rank) },
          ]
        : [
            { name: names.first, dims: [...ofFirst, rank, columns], data: b },
            { name: names.second, dims: [...batch, rows, rank], data: a },
          ];
    },

    decomposed(names, hidden): readonly NewNode[] {
      return [
        product(`${label}/low_rank_in`, input, names.first, hidden),
        product(node.name, hidden, names.second, output),
      ];
    },
  };
}
