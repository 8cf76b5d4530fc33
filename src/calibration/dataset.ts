import type { DataConfig, Preprocess } from "../config";
import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import type { TensorValue, TensorValues } from "../runtime/session";
import { TENSOR_TYPES } from "./convert";
import { hashFile, hashOfHashes } from "./fileBytes";
import { countOf, openInputs, wantedImages, type FedInput } from "./inputs";
import { readLabels, type LabelOrigin } from "./labels";
import { splitMember } from "./npz";
import { createPreprocessor, type Preprocessor } from "./preprocess";
import type { LoadOptions, SampleArray, SampleSource, SourceLabels } from "./source";
import { chooseSubset } from "./subset";

/** Samples are addressed by 32-bit indices. */
const MAX_SAMPLES = 2 ** 32 - 1;

/** Preprocessed samples with their labels: all of a source, or the subset that `limit` chose. */
export interface Dataset {
  /** Number of samples in use. */
  readonly count: number;
  /** Number of samples that the source has. */
  readonly available: number;
  /** One class number per sample in use; null without labels. */
  readonly labels: Int32Array | null;
  /** Where {@link labels} come from, for `checkLabels`. */
  readonly labelOrigin: LabelOrigin | null;
  /** The name of each class, where labels come with the source and it has names. */
  readonly classNames: readonly string[] | null;
  /** The names of the model inputs that the samples are for. */
  readonly inputs: readonly string[];
  /** The path of each input's source. */
  readonly sources: readonly string[];
  /** Bytes of one sample as the model takes it, over all inputs. */
  readonly sampleBytes: number;
  /** Bytes of decoded images that are kept in memory. */
  readonly decodedBytes: number;
  /** What is doubtful about the data, in sentences. */
  readonly warnings: readonly string[];
  /**
   * Samples [start, start + count) of those in use, ascending in the source: for each input a tensor whose first axis
   * counts the samples, in fresh memory.
   * @throws ExpectedError if a file cannot be read any more, or has a value that the model cannot take.
   */
  batch(start: number, count: number): TensorValues;
  /**
   * SHA-256 in hexadecimal: of a file's bytes; of several files (a folder, several inputs) over their hashes and names.
   * @throws ExpectedError if a file cannot be read.
   */
  sha256(): Promise<{ source: string; labels: string | null }>;
}

/**
 * Opens samples (and labels) for the model's inputs. Of arrays only headers and labels are read, and samples batch by
 * batch; images are decoded here, once, and their pixels kept.
 * @throws ExpectedError if a file is missing or unusable, or does not fit the settings or the model's inputs; the
 * signal's reason if it is aborted.
 */
export async function openDataset(
  config: DataConfig,
  preprocess: Preprocess,
  inputs: readonly ValueInfo[],
  options: LoadOptions = {},
): Promise<Dataset> {
  const { fed, warnings } = await openInputs(config, preprocess, inputs);
  const { path, source } = fed[0];
  const count = countOf(source);
  if (count > MAX_SAMPLES) {
    throw new ExpectedError(`${path} has ${count} samples; at most ${MAX_SAMPLES} are supported`);
  }
  const found = await findLabels(config, fed);
  const chosen = chooseSubset(count, config.limit ?? count, found?.values ?? null);
  const loaded = await loadInputs(fed, chosen, options);
  const { indices } = loaded;
  let hashes: ReturnType<Dataset["sha256"]> | undefined;
  return {
    count: indices.length,
    available: count,
    labels: found && Int32Array.from(indices, (index) => found.values[index]),
    labelOrigin: found && { path: found.path, indices, folders: found.folders },
    classNames: found?.classNames ?? null,
    inputs: fed.map(({ input }) => input.name),
    sources: fed.map((one) => one.path),
    sampleBytes: loaded.parts.reduce((sum, { preprocessor }) => sum + sampleBytes(preprocessor), 0),
    decodedBytes: loaded.decodedBytes,
    warnings: [...warnings, ...fed.flatMap((one) => one.source.warnings), ...loaded.warnings],
    batch(start, samples) {
      if (start < 0 || samples < 0 || start + samples > indices.length) {
        throw new RangeError(`samples ${start} to ${start + samples} of ${indices.length}`);
      }
      const wanted = indices.subarray(start, start + samples);
      return new Map(loaded.parts.map((part) => [part.name, readSamples(part, wanted)]));
    },
    sha256() {
      hashes ??= hashData(config, fed, chosen);
      return hashes;
    },
  };
}

interface FoundLabels extends SourceLabels {
  readonly path: string;
}

/** From the file that the config names, or else from the first source that has labels. */
async function findLabels(config: DataConfig, fed: readonly FedInput[]): Promise<FoundLabels | null> {
  if (config.labels !== undefined) {
    const samples = { path: fed[0].path, count: countOf(fed[0].source) };
    const values = await readLabels(config.labels, samples);
    return { path: config.labels, values, classNames: null, folders: null };
  }
  const own = fed.find(({ source }) => source.labels !== null);
  return own?.source.labels ? { path: own.path, ...own.source.labels } : null;
}

/** An input with samples that can be read now. */
interface LoadedInput {
  readonly name: string;
  readonly samples: SampleArray;
  readonly preprocessor: Preprocessor;
}

/** Decodes images; a sample whose image cannot be read is left out of every input. */
async function loadInputs(
  fed: readonly FedInput[],
  chosen: Uint32Array,
  options: LoadOptions,
): Promise<{ parts: LoadedInput[]; indices: Uint32Array; decodedBytes: number; warnings: string[] }> {
  let indices = chosen;
  let decodedBytes = 0;
  const warnings: string[] = [];
  const parts: LoadedInput[] = [];
  for (const { input, source, settings } of fed) {
    let samples: SampleArray;
    if (source.content === "array") {
      samples = source.samples;
    } else {
      const decoded = await source.decode(indices, wantedImages(input, settings), options);
      samples = decoded.samples;
      indices = decoded.indices;
      decodedBytes += indices.length * samples.sampleShape.reduce((product, dim) => product * dim, 1);
      warnings.push(...decoded.warnings);
    }
    parts.push({ name: input.name, samples, preprocessor: createPreprocessor(samples, settings, input) });
  }
  return { parts, indices, decodedBytes, warnings };
}

function readSamples({ samples, preprocessor }: LoadedInput, indices: Uint32Array): TensorValue {
  const { elementType, sampleDims } = preprocessor;
  const data = preprocessor.allocate(indices.length);
  let done = 0;
  while (done < indices.length) {
    const first = indices[done];
    let length = 1;
    // Neighbours in the file are read at once.
    while (done + length < indices.length && indices[done + length] === first + length) length++;
    preprocessor.apply(samples.read(first, length), first, data, done);
    done += length;
  }
  return { type: elementType, dims: [indices.length, ...sampleDims], data };
}

function sampleBytes({ elementType, sampleDims }: Preprocessor): number {
  return sampleDims.reduce((product, dim) => product * dim, TENSOR_TYPES[elementType].bytes);
}

async function hashData(
  config: DataConfig,
  fed: readonly FedInput[],
  chosen: Uint32Array,
): Promise<{ source: string; labels: string | null }> {
  const hashes: { hash: string; name: string }[] = [];
  for (const { input, source } of fed) hashes.push({ hash: await hashSource(source, chosen), name: input.name });
  return {
    source: typeof config.source === "string" ? hashes[0].hash : hashOfHashes(hashes),
    labels: config.labels === undefined ? null : await hashFile(splitMember(config.labels).file),
  };
}

function hashSource(source: SampleSource, chosen: Uint32Array): Promise<string> {
  return source.content === "images" ? source.sha256(chosen) : source.sha256();
}
