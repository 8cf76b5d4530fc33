import type { Batches } from "../../calibration/batches";
import type { ElementType, ValueInfo } from "../../onnx/schema";
import type { TensorValues } from "../../runtime/session";
import type { ModelOutput } from "./modelOutput";

/** Which inputs of a model hold tokens, where its output has scores for each of them. */
export interface TokenInputs {
  readonly ids: string;
  /** 0 where a position is padded. */
  readonly mask: string | null;
  /** Tokens of a sample. */
  readonly positions: number;
  /** Scores at each position. */
  readonly classes: number;
}

/** The tokens of all samples, sample by sample. */
export interface Tokens extends TokenInputs {
  readonly values: Int32Array;
  readonly largest: number;
  /** 1 where a position counts; null where all do. */
  readonly attended: Uint8Array | null;
}

const INTEGERS: ReadonlySet<ElementType | null> = new Set(["int64", "int32"]);
/** Integers of every position that are no tokens. */
const OTHER_INPUTS = /mask|type|segment|position|past|cache/i;
const MASK = /mask/i;

/**
 * Null unless the output is [samples, positions, classes] and an integer input is [samples, positions].
 * @param fed the batch of which the output is.
 */
export function findTokens(inputs: readonly ValueInfo[], fed: TensorValues, output: ModelOutput): TokenInputs | null {
  const [rows, positions, classes, ...more] = output.dims;
  if (rows !== output.rows || more.length > 0 || !(classes > 1)) return null;
  const perPosition = inputs.filter(({ name }) => {
    const shape = fed.get(name)?.dims ?? [];
    return shape.length === 2 && shape[0] === rows && shape[1] === positions;
  });
  const ids = perPosition.find(({ name, elementType }) => INTEGERS.has(elementType) && !OTHER_INPUTS.test(name));
  if (!ids) return null;
  const mask = perPosition.find(({ name }) => MASK.test(name));
  return { ids: ids.name, mask: mask?.name ?? null, positions, classes };
}

/** Reads the tokens of all samples. */
export function readTokens(inputs: TokenInputs, batches: Batches): Tokens {
  const { ids, mask, positions } = inputs;
  const values = new Int32Array(batches.samples * positions);
  const attended = mask === null ? null : new Uint8Array(values.length);
  for (let i = 0; i < batches.count; i++) {
    const { start, samples, values: fed } = batches.batch(i);
    const copy = (input: string, put: (at: number, value: number) => void): void => {
      const { data, dims } = fed.get(input)!;
      if (dims[1] !== positions) {
        throw new Error(`"${input}" has ${dims[1]} positions in batch ${i}, and the output ${positions}`);
      }
      for (let at = 0; at < samples * positions; at++) put(start * positions + at, Number(data[at]));
    };
    copy(ids, (at, id) => (values[at] = id));
    if (mask !== null && attended) copy(mask, (at, value) => (attended[at] = Number(value !== 0)));
  }
  return { ...inputs, values, attended, largest: values.reduce((most, id) => Math.max(most, id), 0) };
}
