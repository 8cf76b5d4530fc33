import type { TensorValue } from "../runtime/session";
import { floatData } from "./accuracy";

/** What of a batch counts. */
export interface Counted {
  /** Rows that were fed: a fixed batch size may have been filled up with copies. */
  readonly rows: number;
  /** Those of them that count, the first ones. */
  readonly samples: number;
  /** [samples, positions] of an output [rows, positions, …]: 0 where one is padded and does not count. All count without it. */
  readonly attended?: Uint8Array | null;
}

/**
 * ‖Y − Y′‖² over what counts: all of an output whose first axis is not that of the samples. Infinity where Y′ has a value
 * that is no number; ‖Y‖², as if nothing were right, where it has another shape.
 */
export function squaredError(found: TensorValue, original: TensorValue, counted: Counted): number {
  const sameShape =
    found.dims.length === original.dims.length && found.dims.every((dim, axis) => dim === original.dims[axis]);
  if (!sameShape) return squaredNorm(original, counted);
  const [a, b] = [floatData(found), floatData(original)];
  let sum = 0;
  for (const [from, to] of countedRanges(original, counted)) {
    for (let i = from; i < to; i++) {
      // Infinities that are alike are no difference.
      const difference = a[i] === b[i] ? 0 : a[i] - b[i];
      sum += difference * difference;
    }
  }
  return Number.isNaN(sum) ? Infinity : sum;
}

/** ‖Y‖² over what counts; infinities are left out. NaN where an element is. */
export function squaredNorm(output: TensorValue, counted: Counted): number {
  return squaredSum(output, countedRanges(output, counted));
}

/** ‖Y‖² of each sample; null where the first axis is not that of the samples. */
export function squaredNorms(output: TensorValue, counted: Counted): Float64Array | null {
  const { rows, samples } = counted;
  if (output.dims[0] !== rows) return null;
  return Float64Array.from({ length: samples }, (_, sample) =>
    squaredSum(output, countedRanges(output, counted, sample, sample + 1)),
  );
}

function squaredSum(output: TensorValue, ranges: Iterable<Range>): number {
  const data = floatData(output);
  let sum = 0;
  for (const [from, to] of ranges) {
    for (let i = from; i < to; i++) if (Math.abs(data[i]) !== Infinity) sum += data[i] * data[i];
  }
  return sum;
}

/** The first element, and the one behind the last. */
type Range = readonly [from: number, to: number];

/** The elements that count of the samples [first, end). */
function* countedRanges(
  { dims, data }: TensorValue,
  { rows, samples, attended }: Counted,
  first = 0,
  end = samples,
): Generator<Range> {
  if (dims[0] !== rows) {
    yield [0, data.length];
    return;
  }
  const width = data.length / rows;
  const positions = attended ? attended.length / samples : 0;
  if (!attended || dims[1] !== positions) {
    yield [first * width, end * width];
    return;
  }
  const step = width / positions;
  for (let at = first * positions; at < end * positions; at++) {
    if (attended[at] === 1) yield [at * step, (at + 1) * step];
  }
}

/** What the outputs of all samples have in common, where the first axis is that of the samples and all have one shape. */
export class MeanOutput {
  private sum = new Float64Array(0);
  /** Of each element of a sample, the samples in which it counts. */
  private counts = new Float64Array(0);

  add(output: TensorValue, counted: Counted): void {
    const data = floatData(output);
    const width = data.length / counted.rows;
    if (this.sum.length === 0) [this.sum, this.counts] = [new Float64Array(width), new Float64Array(width)];
    for (const [from, to] of countedRanges(output, counted)) {
      for (let i = from; i < to; i++) {
        this.sum[i % width] += data[i];
        this.counts[i % width]++;
      }
    }
  }

  /** Σ n‖mean Y‖² over all elements; 0 where it is no finite number. */
  get squaredNorm(): number {
    const norm = this.sum.reduce(
      (total, sum, i) => (this.counts[i] === 0 ? total : total + sum ** 2 / this.counts[i]),
      0,
    );
    return Number.isFinite(norm) ? norm : 0;
  }
}
