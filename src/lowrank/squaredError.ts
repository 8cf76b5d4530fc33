import type { TensorValue } from "../runtime/session";
import { floatData } from "./accuracy";

/** The rows of a batch that count, of those that were fed: a fixed batch size may have been filled up with copies. */
export interface CountedRows {
  readonly rows: number;
  readonly samples: number;
}

/**
 * ‖Y − Y′‖² over the samples that count: all of an output whose first axis is not that of the samples. Infinity where
 * Y′ has a value that is no number; ‖Y‖², as if nothing were right, where it has another shape.
 */
export function squaredError(found: TensorValue, original: TensorValue, counted: CountedRows): number {
  const sameShape =
    found.dims.length === original.dims.length && found.dims.every((dim, axis) => dim === original.dims[axis]);
  if (!sameShape) return squaredNorm(original, counted);
  const [a, b] = [floatData(found), floatData(original)];
  const length = countedLength(original, counted);
  let sum = 0;
  for (let i = 0; i < length; i++) {
    // Infinities that are alike are no difference.
    const difference = a[i] === b[i] ? 0 : a[i] - b[i];
    sum += difference * difference;
  }
  return Number.isNaN(sum) ? Infinity : sum;
}

/** ‖Y‖² over the samples that count; infinities are left out. NaN where an element is. */
export function squaredNorm(output: TensorValue, counted: CountedRows): number {
  return squaredSum(output, 0, countedLength(output, counted));
}

/** ‖Y‖² of each sample; null where the first axis is not that of the samples. */
export function squaredNorms(output: TensorValue, { rows, samples }: CountedRows): Float64Array | null {
  if (output.dims[0] !== rows) return null;
  const width = output.data.length / rows;
  return Float64Array.from({ length: samples }, (_, sample) =>
    squaredSum(output, sample * width, (sample + 1) * width),
  );
}

function squaredSum(output: TensorValue, from: number, to: number): number {
  const data = floatData(output);
  let sum = 0;
  for (let i = from; i < to; i++) if (Math.abs(data[i]) !== Infinity) sum += data[i] * data[i];
  return sum;
}

function countedLength({ dims, data }: TensorValue, { rows, samples }: CountedRows): number {
  return dims[0] === rows ? (data.length / rows) * samples : data.length;
}

/** What the outputs of all samples have in common, where the first axis is that of the samples and all have one shape. */
export class MeanOutput {
  private sum = new Float64Array(0);
  private samples = 0;

  add(output: TensorValue, { rows, samples }: CountedRows): void {
    const data = floatData(output);
    const width = data.length / rows;
    if (this.samples === 0) this.sum = new Float64Array(width);
    for (let i = 0; i < samples * width; i++) this.sum[i % width] += data[i];
    this.samples += samples;
  }

  /** n‖mean Y‖²; 0 where it is no finite number. */
  get squaredNorm(): number {
    const norm = this.sum.reduce((total, value) => total + value * value, 0) / this.samples;
    return Number.isFinite(norm) ? norm : 0;
  }
}
