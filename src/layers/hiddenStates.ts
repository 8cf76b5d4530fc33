import type { NewNode } from "../onnx/encode";
import { joined, reshapeTo } from "./emit";
import type { Emission } from "./layer";
import { transposeTo } from "./matrixRows";

/** What a recurrent node runs over: names of values, and sizes. */
export interface Sequences {
  /** X, float32: [steps, batch, inputs]. */
  readonly x: string;
  readonly inputs: number;
  /** How many steps of each sequence are run; "" where all are. */
  readonly lengths: string;
}

/**
 * [steps, 1, batch, 1]: 1 where a step is run, 0 behind the end of a sequence. A recurrent node tells it, as ONNX has no
 * other operator of every opset that makes a mask of lengths: its state is beta wherever it runs.
 */
export function stepsRun({ x, inputs, lengths }: Sequences, result: string): Emission {
  const [weight, recurrence] = [`${result}/weight`, `${result}/recurrence`];
  const node: NewNode = {
    opType: "RNN",
    name: `${result}/rnn`,
    inputs: [x, weight, recurrence, ...(lengths === "" ? [] : ["", lengths])],
    outputs: [result],
    attributes: {
      hidden_size: 1,
      activations: ["Affine"],
      activation_alpha: { floats: [0] },
      activation_beta: { floats: [1] },
    },
  };
  return {
    nodes: [node],
    initializers: [
      { name: weight, dims: [1, 1, inputs], data: new Float32Array(inputs) },
      { name: recurrence, dims: [1, 1, 1], data: new Float32Array(1) },
    ],
  };
}

/** X with zeros behind the ends of the sequences: [steps, batch, inputs]. */
export function inputsRun(sequences: Sequences, result: string): Emission {
  const [run, mask] = [`${result}/run`, `${result}/mask`];
  return joined(stepsRun(sequences, run), reshapeTo(run, mask, [0, -1, 1]), product(sequences.x, mask, result));
}

/** What the states h of a recurrent node are, and in which order its directions go. */
export interface States {
  /** Y, float32: [steps, directions, batch, h]. */
  readonly y: string;
  /** h₀, float32: [directions, batch, h]; "" where it is zero. */
  readonly initial: string;
  readonly size: number;
  readonly isReverse: readonly boolean[];
}

/**
 * The state that each step begins with, h of the step before (in the direction's own order): [batch, directions, h, steps],
 * zero behind the ends of the sequences.
 */
export function statesBefore(sequences: Sequences, states: States, result: string): Emission {
  const { y, initial, size, isReverse } = states;
  const [turned, before] = [`${result}/turned`, `${result}/before`];
  const needsMask = initial !== "" || sequences.lengths !== "";
  const emissions = [
    transposeTo(y, turned, [2, 1, 3, 0]),
    shifted(turned, needsMask ? before : result, isReverse, true),
  ];
  if (!needsMask) return joined(...emissions);
  const [run, mask] = [`${result}/run`, `${result}/mask`];
  emissions.push(stepsRun(sequences, run), transposeTo(run, mask, [2, 1, 3, 0]));
  if (initial === "") return joined(...emissions, product(before, mask, result));
  // A step that is run, and that none came before, is the first.
  const [ran, first, batchFirst, column] = [`${result}/ran`, `${result}/first`, `${result}/h0`, `${result}/column`];
  const [started, states0] = [`${result}/started`, `${result}/all`];
  return joined(
    ...emissions,
    shifted(mask, ran, isReverse, false),
    binary("Sub", mask, ran, first),
    transposeTo(initial, batchFirst, [1, 0, 2]),
    reshapeTo(batchFirst, column, [0, isReverse.length, size, 1]),
    product(first, column, started),
    binary("Add", before, started, states0),
    product(states0, mask, result),
  );
}

/**
 * What stands one step before along the last axis, or one step behind for a reverse direction; zero where nothing does. Of
 * `[batch, directions, …]` where `isPerDirection`, else the same value for each direction. A one-hot Conv, since it means
 * the same in every opset and needs no number of steps.
 */
function shifted(value: string, result: string, isReverse: readonly boolean[], isPerDirection: boolean): Emission {
  const kernel = `${result}/kernel`;
  const directions = isReverse.length;
  const node: NewNode = {
    opType: "Conv",
    name: `${result}/conv`,
    inputs: [value, kernel],
    outputs: [result],
    attributes: { kernel_shape: [1, 3], pads: [0, 1, 0, 1], group: isPerDirection ? directions : 1 },
  };
  const data = Float32Array.from(isReverse.flatMap((reverse) => (reverse ? [0, 0, 1] : [1, 0, 0])));
  return { nodes: [node], initializers: [{ name: kernel, dims: [directions, 1, 1, 3], data }] };
}

function product(a: string, b: string, result: string): Emission {
  return binary("Mul", a, b, result);
}

function binary(opType: string, a: string, b: string, result: string): Emission {
  return { nodes: [{ opType, name: result, inputs: [a, b], outputs: [result] }], initializers: [] };
}
