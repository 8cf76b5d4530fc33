import { floatData } from "../../lowrank/accuracy";
import { createSession, type TensorValue } from "../../runtime/session";
import type { Measured } from "./metric";
import type { Tokens } from "./tokens";

/**
 * Share of ‖Y‖² by which the scores in front of a changed token may move: what is left of rounding. Where positions see the
 * tokens behind them, even one of a thousand in an average moves them by more.
 */
const ROUNDING = 1e-9;

/**
 * Whether a model is causal, found by experiment: the last token of one sample is changed, and the scores in front of it
 * stay as they were.
 */
export async function isCausal({ path, context, output }: Measured, tokens: Tokens): Promise<boolean> {
  const { positions, classes, largest, attended } = tokens;
  const last = lastAttended(attended, positions);
  if (last < 1 || largest < 1) return false;
  const { values } = context.batches.smallest();
  const ids = values.get(tokens.ids)!;
  const changed = new Map(values).set(tokens.ids, withOther(ids, last, largest));
  const session = await createSession(path, path, null, context.device);
  try {
    const [before, after] = [values, changed].map(async (feeds) => (await session.run(feeds, [output.name])).get(output.name)!); // prettier-ignore
    const [a, b] = [floatData(await before), floatData(await after)];
    let [norm, moved, movedBehind] = [0, 0, 0];
    for (let i = 0; i < positions * classes; i++) {
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

/** The last position of the first sample that is not padded. */
function lastAttended(attended: Uint8Array | null, positions: number): number {
  return attended ? attended.subarray(0, positions).lastIndexOf(1) : positions - 1;
}

/** The tokens with another one of those in the data at `position` of the first sample. */
function withOther({ type, dims, data }: TensorValue, position: number, largest: number): TensorValue {
  const copy = data.slice();
  const other = (Number(copy[position]) + 1) % (largest + 1);
  copy[position] = copy instanceof BigInt64Array ? BigInt(other) : other;
  return { type, dims, data: copy };
}
