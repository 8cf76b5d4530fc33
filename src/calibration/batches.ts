import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import type { TensorData, TensorValue, TensorValues } from "../runtime/session";
import type { Attended, Dataset } from "./dataset";

/** A run of consecutive samples, ready to be fed. */
export interface Batch {
  /** Position of its first sample in the data set. */
  readonly start: number;
  /** Samples that count. */
  readonly samples: number;
  /** Samples that are fed: a model of fixed batch size may need more, which repeat the last one. */
  readonly rows: number;
  /** For every input of the model its name and a tensor of `rows` samples. */
  readonly values: TensorValues;
}

/** A data set cut into batches for the inputs of the model. */
export interface Batches {
  /** The names of the inputs that are fed. */
  readonly inputs: ReadonlySet<string>;
  readonly samples: number;
  /** Number of batches. */
  readonly count: number;
  readonly size: number;
  /** Whether the last batch is filled up with copies, which only a fixed batch size asks for. */
  readonly padded: boolean;
  batch(index: number): Batch;
  /** Which positions of the samples of a batch that count hold tokens, as `Dataset.attended` tells. */
  attended(index: number): Attended;
  /** The smallest batch that the model takes: the first sample alone, or the first batch of the fixed size. */
  smallest(): Batch;
}

/**
 * The batch size that the shapes of the model's inputs demand; null where it is free.
 * @throws ExpectedError if they demand different ones.
 */
export function fixedBatchSize(
  inputs: readonly ValueInfo[],
  { inputs: names, filled }: Pick<Dataset, "inputs" | "filled">,
): number | null {
  const fixed = inputs.flatMap(({ name, shape }) => {
    const size = shape?.[0];
    return names.includes(name) && typeof size === "number" ? [{ input: name, size }] : [];
  });
  if (filled.fixedBatch !== null) fixed.push(filled.fixedBatch);
  const [first] = fixed;
  if (!first) return null;
  const other = fixed.find(({ size }) => size !== first.size);
  if (!other) return first.size;
  throw new ExpectedError(
    `The model's inputs "${first.input}" and "${other.input}" take batches of ${first.size} and ${other.size} samples; ` +
      `RankLens feeds the same number of samples to every input.`,
  );
}

/** What batches are cut from. */
export type Samples = Pick<Dataset, "count" | "inputs" | "filled" | "batch" | "attended">;

/** The samples of `dataset` at the positions `order`, in that order. */
export function rearranged(dataset: Samples, order: Uint32Array): Samples {
  const each = <T>(start: number, count: number, read: (position: number) => T): T[] =>
    Array.from(order.subarray(start, start + count), read);
  return {
    count: order.length,
    inputs: dataset.inputs,
    filled: dataset.filled,
    batch(start, count) {
      const ones = each(start, count, (position) => dataset.batch(position, 1));
      return new Map(dataset.inputs.map((name) => [name, joined(ones.map((one) => one.get(name)!))]));
    },
    attended(start, count) {
      const ones = each(start, count, (position) => dataset.attended(position, 1));
      const names = [...(ones[0]?.keys() ?? [])];
      return new Map(names.map((name) => [name, Uint8Array.from(ones.flatMap((one) => [...one.get(name)!]))]));
    },
  };
}

/** Single samples of one shape as one tensor. */
function joined(ones: readonly TensorValue[]): TensorValue {
  const [{ type, dims, data: first }] = ones;
  const data = sameKind(first, ones.length * first.length);
  ones.forEach((one, row) => {
    for (let i = 0; i < first.length; i++) data[row * first.length + i] = one.data[i];
  });
  return { type, dims: [ones.length, ...dims.slice(1)], data };
}

/** Cuts `dataset` into batches of `size` samples, or of the size that the model demands. */
export function cutIntoBatches(dataset: Samples, inputs: readonly ValueInfo[], size: number): Batches {
  const fixed = fixedBatchSize(inputs, dataset);
  const batchSize = fixed ?? Math.min(size, dataset.count);
  const samplesOf = (index: number): number => Math.min(batchSize, dataset.count - index * batchSize);
  const cut = (start: number, samples: number): Batch => {
    const values = dataset.batch(start, samples);
    const rows = fixed ?? samples;
    const whole =
      rows === samples ? values : [...values].map(([name, value]) => [name, repeatLast(value, rows)] as const);
    return { start, samples, rows, values: new Map([...whole, ...dataset.filled.tensors(rows)]) };
  };
  return {
    inputs: new Set([...dataset.inputs, ...dataset.filled.inputs]),
    samples: dataset.count,
    count: Math.ceil(dataset.count / batchSize),
    size: batchSize,
    padded: fixed !== null && dataset.count % batchSize !== 0,
    batch: (index) => cut(index * batchSize, samplesOf(index)),
    attended: (index) => dataset.attended(index * batchSize, samplesOf(index)),
    smallest: () => cut(0, fixed === null ? 1 : Math.min(fixed, dataset.count)),
  };
}

/** Copies of the last sample up to `size` rows. */
function repeatLast(value: TensorValue, size: number): TensorValue {
  const rows = value.dims[0];
  const width = value.data.length / rows;
  const data = sameKind(value.data, width * size);
  for (let row = 0; row < size; row++) {
    const from = Math.min(row, rows - 1) * width;
    for (let i = 0; i < width; i++) data[row * width + i] = value.data[from + i];
  }
  return { type: value.type, dims: [size, ...value.dims.slice(1)], data };
}

function sameKind(data: TensorData, length: number): TensorData {
  return new (data.constructor as new (length: number) => TensorData)(length);
}
