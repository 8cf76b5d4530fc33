import type { Batches } from "../../calibration/batches";
import type { ElementType, ValueInfo } from "../../onnx/schema";
import type { TensorValues } from "../../runtime/session";
import type { ModelOutput } from "./modelOutput";
import { attendedPositions, hasPositions } from "./padding";

/** Which input of a model holds tokens, where its output has scores for each of them. */
export interface TokenInput {
  readonly ids: ValueInfo;
  /** Tokens of a sample. */
  readonly positions: number;
  /** Scores at each position. */
  readonly classes: number;
}

/** The tokens of all samples, sample by sample. */
export interface Tokens extends Omit<TokenInput, "ids"> {
  /** The input that holds them. */
  readonly ids: string;
  readonly values: Int32Array;
  readonly largest: number;
  /** 1 where a position counts; null where all do. */
  readonly attended: Uint8Array | null;
}

const INTEGERS: ReadonlySet<ElementType | null> = new Set(["int64", "int32"]);
/** Integers of every position that are no tokens. */
const OTHER_INPUTS = /mask|type|segment|position|past|cache/i;

/**
 * Null unless the output is [samples, positions, classes] and an integer input is [samples, positions].
 * @param fed the batch of which the output is.
 */
export function findTokens(inputs: readonly ValueInfo[], fed: TensorValues, output: ModelOutput): TokenInput | null {
  const [rows, positions, classes, ...more] = output.dims;
  if (rows !== output.rows || more.length > 0 || !(classes > 1)) return null;
  const ids = tokenInput(inputs, fed, rows, positions);
  return ids && { ids, positions, classes };
}

/** The first integer input of [rows, positions] that is not called otherwise; null without one. */
export function tokenInput(
  inputs: readonly ValueInfo[],
  fed: TensorValues,
  rows: number,
  positions: number,
): ValueInfo | null {
  const isTokens = ({ name, elementType }: ValueInfo): boolean =>
    INTEGERS.has(elementType) && !OTHER_INPUTS.test(name) && hasPositions(fed, name, rows, positions);
  return inputs.find(isTokens) ?? null;
}

/** Reads the tokens of all samples. */
export function readTokens(
  { ids, positions, classes }: TokenInput,
  inputs: readonly ValueInfo[],
  batches: Batches,
): Tokens {
  const values = new Int32Array(batches.samples * positions);
  for (let i = 0; i < batches.count; i++) {
    const { start, samples, values: fed } = batches.batch(i);
    const { data, dims } = fed.get(ids.name)!;
    if (dims[1] !== positions) {
      throw new Error(`"${ids.name}" has ${dims[1]} positions in batch ${i}, and the output ${positions}`);
    }
    for (let at = 0; at < samples * positions; at++) values[start * positions + at] = Number(data[at]);
  }
  const attended = attendedPositions(inputs, batches, { ids, positions });
  const largest = values.reduce((most, id) => Math.max(most, id), 0);
  return { ids: ids.name, positions, classes, values, attended, largest };
}
