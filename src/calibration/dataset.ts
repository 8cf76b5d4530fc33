import { createHash } from "node:crypto";
import type { DataConfig, Preprocess } from "../config";
import { ExpectedError } from "../errors";
import { roleOf } from "./inputRoles";
import type { ValueInfo } from "../onnx/schema";
import type { TensorValue, TensorValues } from "../runtime/session";
import { TENSOR_TYPES } from "./convert";
import { hashFile, hashOfHashes } from "./fileBytes";
import type { Feed } from "./feed";
import { fillInputs, type Filled } from "./fill";
import { openInputs, type InputSettings, type OpenedInputs } from "./inputs";
import { readLabels, type LabelOrigin } from "./labels";
import { splitMember } from "./member";
import { createPreprocessor, type Preprocessor } from "./preprocess";
import type { LoadOptions, SampleArray, SampleSource, SourceLabels } from "./source";
import { chooseSubset, SUBSET_SEED } from "./subset";

/** Samples are addressed by 32-bit indices. */
const MAX_SAMPLES = 2 ** 32 - 1;

/** By the name of an input: 1 for each position with a token, 0 for one that is filled up. */
export type Attended = ReadonlyMap<string, Uint8Array>;

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
  /** The names of the model inputs that have samples. */
  readonly inputs: readonly string[];
  /** What each of them is fed from. */
  readonly contents: ReadonlyMap<string, SampleSource["content"]>;
  /** The other inputs. */
  readonly filled: Filled;
  /** The path of each source. */
  readonly sources: readonly string[];
  /** Bytes of one sample as the model takes it, over all inputs. */
  readonly sampleBytes: number;
  /** Bytes of decoded images, tokens and sound that are kept in memory. */
  readonly decodedBytes: number;
  /** What is doubtful about the data, in sentences. */
  readonly warnings: readonly string[];
  /** Of token ids, where their tokenizer is known: how a token is written, null for an id that it does not have. */
  readonly tokenText: ((id: number) => string | null) | null;
  /**
   * Samples [start, start + count) of those in use, ascending in the source: for each of {@link inputs} a tensor whose first
   * axis counts the samples, in fresh memory.
   * @throws ExpectedError if a file cannot be read any more, or has a value that the model cannot take.
   */
  batch(start: number, count: number): TensorValues;
  /**
   * Which positions of those samples hold tokens: for each input that is fed from text or lists of tokens [samples, positions],
   * 0 where a sequence is filled up. It is known whether or not the model has an input for it.
   */
  attended(start: number, count: number): Attended;
  /**
   * SHA-256 in hexadecimal: of a file's bytes; of several files (a folder, several inputs) over their hashes and names.
   * @throws ExpectedError if a file cannot be read.
   */
  sha256(): Promise<{ source: string; labels: string | null }>;
}

/** How a data set is opened. */
export interface DatasetOptions extends LoadOptions {
  /** Values of inputs without samples: the config's `inputs`. */
  readonly constants?: InputSettings["constants"] | undefined;
  /** The model's folder, in which a tokenizer may lie. */
  readonly modelFolder?: string | null;
}

/** The sampling rate that the model is told is that of its sound. @throws ExpectedError where the config names two. */
function withRate(
  preprocess: Preprocess,
  inputs: readonly ValueInfo[],
  constants: InputSettings["constants"],
): Preprocess {
  const input = inputs.find((one) => roleOf(one) === "rate" && Object.hasOwn(constants, one.name));
  const rate = input && constants[input.name];
  if (input === undefined || typeof rate !== "number") return preprocess;
  if (preprocess.sampleRate === undefined) return { ...preprocess, sampleRate: rate };
  if (preprocess.sampleRate === rate) return preprocess;
  throw new ExpectedError(
    `inputs.${input.name} is ${rate}, and preprocess.sampleRate is ${preprocess.sampleRate}; name one of them`,
  );
}

/**
 * Opens samples (and labels) for the model's inputs. Of arrays only headers and labels are read, and samples batch by
 * batch; images, text and sound are decoded here, once, and kept.
 * @throws ExpectedError if a file is missing or unusable, or does not fit the settings or the model's inputs; the
 * signal's reason if it is aborted.
 */
export async function openDataset(
  config: DataConfig,
  asked: Preprocess,
  inputs: readonly ValueInfo[],
  { constants = {}, modelFolder = null, ...options }: DatasetOptions = {},
): Promise<Dataset> {
  const preprocess = withRate(asked, inputs, constants);
  const opened = await openInputs(config, inputs, { preprocess, constants, modelFolder });
  const { feeds } = opened;
  const [{ path, count }] = feeds;
  if (count > MAX_SAMPLES) {
    throw new ExpectedError(`${path} has ${count} samples; at most ${MAX_SAMPLES} are supported`);
  }
  const found = await findLabels(config, feeds);
  const chosen = chooseSubset(count, config.limit ?? count, found?.values ?? null, seedOf(config));
  const loaded = await loadInputs(opened, chosen, options);
  const { indices, parts } = loaded;
  const shapes = parts.map(({ input, preprocessor }) => ({ input, sampleDims: preprocessor.sampleDims }));
  const filled = fillInputs(opened.unfed, shapes, { constants, sampleRate: preprocess.sampleRate });
  let hashes: ReturnType<Dataset["sha256"]> | undefined;
  const inUse = (start: number, samples: number): Uint32Array => {
    if (start < 0 || samples < 0 || start + samples > indices.length) {
      throw new RangeError(`samples ${start} to ${start + samples} of ${indices.length}`);
    }
    return indices.subarray(start, start + samples);
  };
  return {
    count: indices.length,
    available: count,
    labels: found && Int32Array.from(indices, (index) => found.values[index]),
    labelOrigin: found && { path: found.path, indices, folders: found.folders },
    classNames: found?.classNames ?? null,
    inputs: parts.map(({ input }) => input.name),
    contents: new Map(
      feeds.flatMap(({ inputs: own, source }) => own.map(({ name }) => [name, source.content] as const)),
    ),
    filled,
    sources: feeds.map((feed) => feed.path),
    sampleBytes: parts.reduce((sum, { preprocessor }) => sum + sampleBytes(preprocessor), 0),
    decodedBytes: loaded.keptBytes,
    warnings: [...opened.warnings, ...feeds.flatMap((feed) => feed.warnings), ...loaded.warnings, ...filled.notes],
    tokenText: loaded.tokenText,
    batch(start, samples) {
      const wanted = inUse(start, samples);
      return new Map(parts.map((part) => [part.input.name, readSamples(part, wanted)]));
    },
    attended(start, samples) {
      const wanted = inUse(start, samples);
      return new Map(
        parts.flatMap(({ input, attended }) =>
          attended ? [[input.name, readAttended(attended, wanted)] as const] : [],
        ),
      );
    },
    sha256() {
      hashes ??= hashData(config, feeds, chosen, constants);
      return hashes;
    },
  };
}

/** Seed 0 is the choice that was made before there were seeds. */
function seedOf({ seed = 0 }: DataConfig): number {
  return (SUBSET_SEED + seed) >>> 0;
}

interface FoundLabels extends SourceLabels {
  readonly path: string;
}

/** From the file that the config names, or else from the first source that has labels. */
async function findLabels(config: DataConfig, feeds: readonly Feed[]): Promise<FoundLabels | null> {
  if (config.labels !== undefined) {
    const values = await readLabels(config.labels, feeds[0]);
    return { path: config.labels, values, classNames: null, folders: null };
  }
  const own = feeds.find(({ labels }) => labels !== null);
  return own?.labels ? { path: own.path, ...own.labels } : null;
}

/** An input with samples that can be read now. */
interface LoadedInput {
  readonly input: ValueInfo;
  readonly samples: SampleArray;
  readonly attended: SampleArray | null;
  readonly preprocessor: Preprocessor;
}

interface LoadedInputs {
  /** In the model's order. */
  readonly parts: readonly LoadedInput[];
  readonly indices: Uint32Array;
  readonly keptBytes: number;
  readonly warnings: readonly string[];
  readonly tokenText: Dataset["tokenText"];
}

/** Loads all sources; a sample that cannot be read in one is left out of every input. */
async function loadInputs(
  { feeds, settingsOf }: OpenedInputs,
  chosen: Uint32Array,
  options: LoadOptions,
): Promise<LoadedInputs> {
  let indices = chosen;
  let keptBytes = 0;
  let tokenText: Dataset["tokenText"] = null;
  const warnings: string[] = [];
  const parts: LoadedInput[] = [];
  for (const feed of feeds) {
    const loaded = await feed.load(indices, options);
    indices = loaded.indices;
    keptBytes += loaded.keptBytes;
    tokenText ??= loaded.tokenText ?? null;
    warnings.push(...loaded.warnings);
    for (const input of feed.inputs) {
      const samples = loaded.samples.get(input.name)!;
      const preprocessor = createPreprocessor(samples, settingsOf(input), input);
      parts.push({ input, samples, attended: loaded.attended ?? null, preprocessor });
    }
  }
  return { parts, indices, keptBytes, warnings, tokenText };
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

function readAttended(attended: SampleArray, indices: Uint32Array): Uint8Array {
  const [length] = attended.sampleShape;
  const found = new Uint8Array(indices.length * length);
  indices.forEach((index, row) => found.set(Uint8Array.from(attended.read(index, 1), Number), row * length));
  return found;
}

function sampleBytes({ elementType, sampleDims }: Preprocessor): number {
  return sampleDims.reduce((product, dim) => product * dim, TENSOR_TYPES[elementType].bytes);
}

async function hashData(
  config: DataConfig,
  feeds: readonly Feed[],
  chosen: Uint32Array,
  constants: InputSettings["constants"],
): Promise<{ source: string; labels: string | null }> {
  const hashes: { hash: string; name: string }[] = [];
  for (const feed of feeds) hashes.push({ hash: await feed.sha256(chosen), name: feed.inputs[0].name });
  const hasConstants = Object.keys(constants).length > 0;
  if (hasConstants) {
    const text = JSON.stringify(Object.entries(constants).sort(([a], [b]) => (a < b ? -1 : 1)));
    hashes.push({ hash: createHash("sha256").update(text).digest("hex"), name: "inputs" });
  }
  return {
    source: typeof config.source === "string" && !hasConstants ? hashes[0].hash : hashOfHashes(hashes),
    labels: config.labels === undefined ? null : await hashFile(splitMember(config.labels).file),
  };
}
