import type { Batches } from "../../calibration/batches";
import { isSameSide, roleOf } from "../../calibration/inputRoles";
import type { ValueInfo } from "../../onnx/schema";
import type { TensorValues } from "../../runtime/session";

/** Sequences of the samples: of which input, and how long. */
export interface Sequences {
  /** The input of the tokens; null where it is not known. */
  readonly ids: ValueInfo | null;
  readonly positions: number;
}

/**
 * Which positions hold tokens, [samples, positions] in the order of the samples: what was filled up when lists of tokens were
 * made equally long does not count, nor what an attention mask of that shape leaves out. Null where all count.
 */
export function attendedPositions(
  inputs: readonly ValueInfo[],
  batches: Batches,
  { ids, positions }: Sequences,
): Uint8Array | null {
  const { rows, values } = batches.smallest();
  const masks = inputs.filter((input) => {
    const isMask = roleOf(input) === "mask" && (ids === null || isSameSide(input, ids));
    return isMask && hasPositions(values, input.name, rows, positions);
  });
  const attended = new Uint8Array(batches.samples * positions).fill(1);
  for (let i = 0; i < batches.count; i++) {
    const own = attended.subarray(i * batches.size * positions, (i + 1) * batches.size * positions);
    const filledUp = batches.attended(i);
    const known = ids === null ? [...filledUp.values()] : [filledUp.get(ids.name)];
    const fed = masks.length > 0 ? batches.batch(i).values : values;
    for (const mask of known) if (mask?.length === own.length) leaveOut(own, mask);
    for (const { name } of masks) leaveOut(own, fed.get(name)!.data);
  }
  return attended.includes(0) ? attended : null;
}

/** Whether an input is [rows, positions]. */
export function hasPositions(fed: TensorValues, name: string, rows: number, positions: number): boolean {
  const dims = fed.get(name)?.dims ?? [];
  return dims.length === 2 && dims[0] === rows && dims[1] === positions;
}

function leaveOut(attended: Uint8Array, mask: ArrayLike<number | bigint>): void {
  for (let at = 0; at < attended.length; at++) if (Number(mask[at]) === 0) attended[at] = 0;
}
