import { isExpected } from "../errors";
import type { Session, TensorValue, TensorValues } from "./session";

/** Two samples, each alone and both in one batch. */
export interface SamplePair {
  readonly first: TensorValues;
  readonly second: TensorValues;
  readonly both: TensorValues;
}

/**
 * How far the outputs of two samples in one batch are from those of each alone, relative to their norm: 0 but for rounding
 * where the first axis is that of the samples. Null where no floating-point output has it, or the model takes no two at a time.
 */
export async function batchDependence(
  session: Session,
  { first, second, both }: SamplePair,
  outputs: readonly string[],
): Promise<number | null> {
  try {
    const [one, two, pair] = [
      await session.run(first, outputs),
      await session.run(second, outputs),
      await session.run(both, outputs),
    ];
    const found = outputs.flatMap((name) => difference(one.get(name)!, two.get(name)!, pair.get(name)!) ?? []);
    return found.length === 0 ? null : Math.max(...found);
  } catch (error) {
    // What a batch of two is refused for is said where batches are needed.
    if (isExpected(error)) return null;
    throw error;
  }
}

function difference(one: TensorValue, two: TensorValue, pair: TensorValue): number | null {
  if (!(pair.data instanceof Float32Array || pair.data instanceof Float64Array)) return null;
  if (pair.dims.length === 0 || pair.dims[0] !== one.dims[0] + two.dims[0]) return null;
  let [off, norm] = [0, 0];
  for (let i = 0; i < pair.data.length; i++) {
    const alone = Number(i < one.data.length ? one.data[i] : two.data[i - one.data.length]);
    off += (pair.data[i] - alone) ** 2;
    norm += alone ** 2;
  }
  return off === 0 ? 0 : Math.sqrt(off / norm);
}
