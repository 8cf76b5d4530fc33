import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import type { TensorData, TensorValue } from "../runtime/session";
import type { Dataset } from "./dataset";

/** A run of consecutive samples, ready to be fed. */
export interface Batch {
  /** Position of its first sample in the data set. */
  readonly start: number;
  /** Samples that count; a model of fixed batch size may need more rows, which repeat the last sample. */
  readonly samples: number;
  readonly value: TensorValue;
}

/** A data set cut into batches for one input of the model. */
export interface Batches {
  readonly samples: number;
  /** Number of batches. */
  readonly count: number;
  readonly size: number;
  /** Whether the last batch is filled up with copies, which only a fixed batch size asks for. */
  readonly padded: boolean;
  batch(index: number): Batch;
  /** The smallest input that the model takes: the first sample alone, or the first batch of the fixed size. */
  smallest(): TensorValue;
}

/** The batch size that the model's input demands; null where it is free. */
export function fixedBatchSize(input: ValueInfo): number | null {
  const first = input.shape?.[0];
  return typeof first === "number" ? first : null;
}

/** Cuts `dataset` into batches of `size` samples, or of the size that the model demands. */
export function cutIntoBatches(dataset: Dataset, input: ValueInfo, size: number): Batches {
  const type = input.elementType;
  if (type === null) throw new ExpectedError(`The model's input "${input.name}" is not a dense tensor.`);
  const fixed = fixedBatchSize(input);
  const batchSize = fixed ?? Math.min(size, dataset.count);
  const count = Math.ceil(dataset.count / batchSize);
  const cut = (start: number, samples: number): Batch => {
    const { data, dims } = dataset.batch(start, samples);
    const value: TensorValue = { type, dims, data };
    return { start, samples, value: fixed === null ? value : repeatLast(value, batchSize) };
  };
  return {
    samples: dataset.count,
    count,
    size: batchSize,
    padded: fixed !== null && dataset.count % batchSize !== 0,
    batch: (index) => cut(index * batchSize, Math.min(batchSize, dataset.count - index * batchSize)),
    smallest: () => cut(0, fixed === null ? 1 : Math.min(fixed, dataset.count)).value,
  };
}

/** Copies of the last sample up to `size` rows. */
function repeatLast(value: TensorValue, size: number): TensorValue {
  const rows = value.dims[0];
  if (rows === size) return value;
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
