import { cutIntoBatches, rearranged } from "../../calibration/batches";
import { floatData } from "../../lowrank/accuracy";
import { createSession, type TensorValue } from "../../runtime/session";
import type { Measured } from "./metric";
import type { Tokens } from "./tokens";

/**
 * Share of ‖Y‖² by which the scores in front of a changed token may move: what is left of rounding. Where positions see the
 * tokens behind them, even one of a thousand in an average moves them by more.
 */
const ROUNDING = 1e-9;

/** A sample in which a token has another in front of it. */
interface Tried {
  readonly sample: number;
  /** 1 where a position counts; null where all do. */
  readonly attended: Uint8Array | null;
  /** The position of its last token. */
  readonly last: number;
}

/** The first sample with two tokens; null where there is none. */
export function sampleToTry({
  values,
  positions,
  attended,
}: Pick<Tokens, "values" | "positions" | "attended">): Tried | null {
  for (let sample = 0; sample < values.length / positions; sample++) {
    const own = attended?.subarray(sample * positions, (sample + 1) * positions) ?? null;
    const last = own ? own.lastIndexOf(1) : positions - 1;
    const first = own ? own.indexOf(1) : 0;
    if (first >= 0 && first < last) return { sample, attended: own, last };
  }
  return null;
}

/**
 * Whether a model is causal, found by experiment: the last token of one sample is changed, and the scores at the tokens in
 * front of it stay as they were.
 */
export async function isCausal(
  measured: Measured,
  tokens: Tokens,
  { sample, attended, last }: Tried,
): Promise<boolean> {
  const { path, context, output, validation, index } = measured;
  const { positions, classes, largest } = tokens;
  if (largest < 1) return false;
  const alone = rearranged(validation, Uint32Array.of(sample));
  const { values } = cutIntoBatches(alone, index.dataInputs, 1).smallest();
  const ids = values.get(tokens.ids)!;
  const changed = new Map(values).set(tokens.ids, withOther(ids, last, largest));
  const session = await createSession(path, path, null, context.device);
  try {
    const [before, after] = [values, changed].map(async (feeds) => (await session.run(feeds, [output.name])).get(output.name)!); // prettier-ignore
    const [a, b] = [floatData(await before), floatData(await after)];
    let [norm, moved, movedBehind] = [0, 0, 0];
    for (let i = 0; i < positions * classes; i++) {
      if (attended?.[Math.floor(i / classes)] === 0) continue;
      const square = a[i] === b[i] ? 0 : (a[i] - b[i]) ** 2;
      if (i >= last * classes) {
        movedBehind += square;
      } else {
        moved += square;
        if (Number.isFinite(a[i])) norm += a[i] ** 2;
      }
    }
    return movedBehind > ROUNDING * norm && moved <= ROUNDING * norm;
  } finally {
    await session.release();
  }
}

/** The tokens with another one of those in the data at `position` of the first sample. */
function withOther({ type, dims, data }: TensorValue, position: number, largest: number): TensorValue {
  const copy = data.slice();
  const other = (Number(copy[position]) + 1) % (largest + 1);
  copy[position] = copy instanceof BigInt64Array ? BigInt(other) : other;
  return { type, dims, data: copy };
}
