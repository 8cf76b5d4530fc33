import { resolveConstant } from "../onnx/constants";
import type { NewInitializer, NewNode } from "../onnx/encode";
import type { GraphIndex } from "../onnx/graphIndex";
import { ELEMENT_TYPES, type Node } from "../onnx/schema";
import { channelRows } from "./channels";
import { joined } from "./emit";
import { gramOfFeatures, type GramEmission } from "./gram";
import { inputsRun, statesBefore } from "./hiddenStates";
import {
  skipped,
  type Emission,
  type LayerType,
  type LayerUse,
  type Recognition,
  type WeightConstant,
  type WeightView,
} from "./layer";
import { rowFeatures } from "./matrixRows";
import { copyNode, floatWeight, intAttribute, nodeLabel, stringAttribute, withInput } from "./nodes";
import { transposed } from "./weights";

/** Gates, each with rows of W and R of its own. */
const GATES: Readonly<Record<string, number>> = { LSTM: 4, GRU: 3, RNN: 1 };

/** Positions of inputs. */
const INPUT = { x: 0, weight: 1, recurrence: 2, lengths: 4, initial: 5 } as const;

/**
 * LSTM, GRU and RNN with constant weights (ONNX operators of these names): two layers. The input weights W, of all gates
 * and directions in one matrix, act on X; the recurrent weights R, a group for each direction, act on the state that a step
 * begins with. Steps behind the end of a sequence are rows of zeros.
 */
export const recurrent: LayerType = {
  ops: Object.keys(GATES),

  recognise(node, index): readonly Recognition[] {
    const [weight, recurrence] = [constantWeight(node, index, "weight"), constantWeight(node, index, "recurrence")];
    if (weight === null && recurrence === null) return [];
    if (weight === null) return skipped("its input weights are not constant");
    if (typeof weight === "string") return skipped(weight);
    // onnxruntime runs no other, so that nothing could be measured.
    if (intAttribute(node, "layout", 0) !== 0) {
      return skipped("its layout is 1, batch first, which onnxruntime does not run");
    }
    const direction = stringAttribute(node, "direction", "forward").toLowerCase();
    const isReverse = { forward: [false], reverse: [true], bidirectional: [false, true] }[direction];
    if (!isReverse) return skipped(`its direction is "${direction}"`);
    const height = weight.dims[1];
    if (weight.dims.length !== 3 || weight.dims[0] !== isReverse.length || height % GATES[node.opType] !== 0) {
      return skipped(`its weight has shape [${weight.dims.join(", ")}], and its direction is "${direction}"`);
    }
    const expected = [isReverse.length, height, height / GATES[node.opType]];
    return [inputLayer(node, weight), ...recurrentLayer(node, recurrence, expected, weight.dims[2], isReverse)];
  },
};

function constantWeight(node: Node, index: GraphIndex, part: "weight" | "recurrence"): WeightConstant | string | null {
  const name = node.inputs[INPUT[part]] ?? "";
  const resolved = resolveConstant(index, name);
  if (!resolved) return null;
  return resolved.kind === "unreadable" ? resolved.reason : floatWeight(resolved.constant);
}

/** W: [directions, gates·h, inputs]. */
function inputLayer(node: Node, weight: WeightConstant): Recognition {
  const [directions, height, columns] = weight.dims;
  const rows = directions * height;
  const view: WeightView = { groups: 1, rows, columns, transposed: false, scale: 1 };
  const input = node.inputs[INPUT.x];
  const lengths = node.inputs[INPUT.lengths] ?? "";
  const features = (source: string, result: string): Emission => rowFeatures(source, result, columns);
  const prepare = (result: string): Emission => {
    const x = asFloat32(weight, input, `${result}/x`);
    return joined(x.emission, inputsRun({ x: x.value, inputs: columns, lengths }, result));
  };
  const use: LayerUse = {
    node,
    input,
    ...(lengths === "" ? {} : { prepare }),
    weight: node.inputs[INPUT.weight],
    output: anyOutput(node),
    counted: { value: input, perRow: columns },
    featuresKey: lengths === "" ? "rows" : JSON.stringify(["rows", lengths]),
    featureGroups: 1,
    features,
    gram: (source, result) => gramFrom(features, source, result, view),
    withWeight: (value, current) => [withInput(current, INPUT.weight, value)],
    factorLayout: `recurrent ${directions}`,

    factorInitializers({ rank, a, b }, names): readonly NewInitializer[] {
      return [
        { name: names.first, dims: [columns, rank], data: transposed(b, rank, columns) },
        { name: names.second, dims: [directions, height, rank], data: a },
      ];
    },

    decomposed(names, hidden): readonly NewNode[] {
      return [
        { opType: "MatMul", name: `${nodeLabel(node)}/low_rank_in`, inputs: [input, names.first], outputs: [hidden] },
        copyNode(node, { inputs: [hidden, names.second, ...node.inputs.slice(2)] }),
      ];
    },
  };
  // onnxruntime 1.30 takes the process down where a product of float16 is fused with a Transpose in front of it, which is
  // how sequences mostly come: the original has no such product, but two layers would.
  const kept = weight.elementType === "float16" ? { kept: KEPT_HALVES } : {};
  return { kind: "layer", weight, view, use, part: "input", ...kept };
}

/** R: [directions, gates·h, h], of the `expected` shape. */
function recurrentLayer(
  node: Node,
  weight: WeightConstant | string | null,
  expected: readonly number[],
  inputs: number,
  isReverse: readonly boolean[],
): readonly Recognition[] {
  if (weight === null) return skipped("its recurrent weights are not constant");
  if (typeof weight === "string") return skipped(`of its recurrent weights: ${weight}`);
  if (weight.dims.join() !== expected.join()) {
    return skipped(`its recurrent weights have shape [${weight.dims.join(", ")}], not [${expected.join(", ")}]`);
  }
  if (node.opType === "GRU" && intAttribute(node, "linear_before_reset", 0) === 0) {
    return skipped("its recurrent weights see r ⊙ h as well as h (linear_before_reset is 0): no matrix of one input");
  }
  const [groups, rows, columns] = weight.dims;
  const view: WeightView = { groups, rows, columns, transposed: false, scale: 1 };
  const [x, lengths, initial] = [INPUT.x, INPUT.lengths, INPUT.initial].map((at) => node.inputs[at] ?? "");
  const states = node.outputs[0] || `ranklens/${nodeLabel(node)}/states`;
  const features = (source: string, result: string): Emission => channelRows(source, result, view);
  const noFactors = (): never => {
    throw new Error(KEPT);
  };
  const use: LayerUse = {
    node,
    input: states,
    ...(node.outputs[0] ? {} : { instrumented: copyNode(node, { outputs: [states, ...node.outputs.slice(1)] }) }),

    prepare(result): Emission {
      const [y, h0, steps] = [states, initial, x].map((value, at) => asFloat32(weight, value, `${result}/${at}`));
      const sequences = { x: steps.value, inputs, lengths };
      const before = { y: y.value, initial: h0.value, size: columns, isReverse };
      return joined(y.emission, h0.emission, steps.emission, statesBefore(sequences, before, result));
    },

    weight: node.inputs[INPUT.recurrence],
    output: anyOutput(node),
    counted: { value: x, perRow: inputs },
    featuresKey: JSON.stringify(["states", lengths, initial, isReverse]),
    featureGroups: groups,
    features,
    gram: (source, result) => gramFrom(features, source, result, view),
    withWeight: (value, current) => [withInput(current, INPUT.recurrence, value)],
    factorLayout: "none",
    factorInitializers: noFactors,
    decomposed: noFactors,
  };
  return [{ kind: "layer", weight, view, use, kept: KEPT, part: "recurrent" }];
}

const KEPT_HALVES =
  "input weights of float16 are analysed only: onnxruntime may crash on the product in front of the node";
const KEPT = "recurrent weights are analysed only: two factors would have to stand inside the node";

function gramFrom(
  features: (source: string, result: string) => Emission,
  source: string,
  result: string,
  view: WeightView,
): GramEmission {
  const rows = `${result}/features`;
  return gramOfFeatures(features(source, rows), rows, result, view);
}

/** A value of the weight's type as float32; an absent one stays absent. */
function asFloat32(weight: WeightConstant, value: string, result: string): { value: string; emission: Emission } {
  if (weight.elementType === "float32" || value === "") return { value, emission: { nodes: [], initializers: [] } };
  const attributes = { to: ELEMENT_TYPES.float32 };
  const cast: NewNode = { opType: "Cast", name: result, inputs: [value], outputs: [result], attributes };
  return { value: result, emission: { nodes: [cast], initializers: [] } };
}

/** A node need have no output but the one that is asked for. */
function anyOutput(node: Node): string {
  return node.outputs.find((output) => output !== "") ?? "";
}
