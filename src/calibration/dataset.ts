import type { DataConfig, Preprocess } from "../config";
import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import { sha256OfFile } from "../sha256";
import { TENSOR_TYPES, type TensorData, type TensorType } from "./convert";
import { unreadable } from "../inputFile";
import { openSource } from "./index";
import { readLabels, type LabelOrigin } from "./labels";
import { createPreprocessor } from "./preprocess";
import { DATA_ADVICE } from "./source";
import { chooseSubset } from "./subset";

/** Samples are addressed by 32-bit indices. */
const MAX_SAMPLES = 2 ** 32 - 1;

/** A batch as the model takes it. */
export interface Batch {
  /** ∏dims values in C order, in fresh memory. */
  readonly data: TensorData;
  /** The number of samples, then {@link Dataset.sampleDims}. */
  readonly dims: number[];
}

/** Preprocessed samples with their labels: all of a source, or the subset that `limit` chose. */
export interface Dataset {
  /** Number of samples in use. */
  readonly count: number;
  /** One class number per sample in use; null without labels. */
  readonly labels: Int32Array | null;
  /** Where {@link labels} come from, for `checkLabels`. */
  readonly labelOrigin: LabelOrigin | null;
  readonly elementType: TensorType;
  /** Dimensions of one sample as the model takes it: without the batch axis. */
  readonly sampleDims: readonly number[];
  /** Bytes of one sample as the model takes it. */
  readonly sampleBytes: number;
  /**
   * Samples [start, start + count) of those in use, ascending in the source.
   * @throws ExpectedError if the file cannot be read any more, or has a value that the model cannot take.
   */
  batch(start: number, count: number): Batch;
  /** Hashes of the files' bytes, in hexadecimal. @throws ExpectedError if a file cannot be read. */
  sha256(): Promise<{ source: string; labels: string | null }>;
}

/**
 * Opens samples (and labels) for one model input. Reads headers and labels only; samples are read batch by batch.
 * @throws ExpectedError if a file is missing or unusable, or does not fit the settings or the model's input.
 */
export function openDataset(config: DataConfig, preprocess: Preprocess, input: ValueInfo): Dataset {
  const source = openSource(config.source);
  if (source.count > MAX_SAMPLES) {
    throw new ExpectedError(`${source.path} has ${source.count} samples; at most ${MAX_SAMPLES} are supported`);
  }
  const preprocessor = createPreprocessor(source, preprocess, input);
  const { elementType, sampleDims } = preprocessor;
  const allLabels = config.labels === undefined ? null : readLabels(config.labels, source);
  const indices = chooseSubset(source.count, config.limit ?? source.count, allLabels);
  return {
    count: indices.length,
    labels: allLabels === null ? null : Int32Array.from(indices, (index) => allLabels[index]),
    labelOrigin: config.labels === undefined ? null : { path: config.labels, indices },
    elementType,
    sampleDims,
    sampleBytes: sampleDims.reduce((product, dim) => product * dim, TENSOR_TYPES[elementType].bytes),
    batch(start, count) {
      if (start < 0 || count < 0 || start + count > indices.length) {
        throw new RangeError(`samples ${start} to ${start + count} of ${indices.length}`);
      }
      const data = preprocessor.allocate(count);
      let done = 0;
      while (done < count) {
        const first = indices[start + done];
        let length = 1;
        // Neighbours in the file are read at once.
        while (done + length < count && indices[start + done + length] === first + length) length++;
        preprocessor.apply(source.read(first, length), first, data, done);
        done += length;
      }
      return { data, dims: [count, ...sampleDims] };
    },
    async sha256() {
      return {
        source: await hashFile(config.source),
        labels: config.labels === undefined ? null : await hashFile(config.labels),
      };
    },
  };
}

async function hashFile(path: string): Promise<string> {
  try {
    return await sha256OfFile(path);
  } catch (error) {
    throw unreadable(path, error, DATA_ADVICE);
  }
}
