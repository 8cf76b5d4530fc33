import type { Preprocess } from "../config";
import type { ValueInfo } from "../onnx/schema";
import { imageChannels } from "./layout";
import { sequenceFeed } from "./sequenceFeed";
import { soundFeed } from "./soundFeed";
import type {
  ArraySource,
  ImageSource,
  LoadOptions,
  SampleArray,
  SampleSource,
  SourceLabels,
  WantedImages,
} from "./source";

/** Samples of one source, for the inputs of a model that they are fed to. */
export interface Feed {
  /** As the config names it. */
  readonly path: string;
  readonly source: SampleSource;
  /** In the model's order; the first is the one that the source is named for. */
  readonly inputs: readonly ValueInfo[];
  /** Number of samples. */
  readonly count: number;
  /** One per sample. */
  readonly labels: SourceLabels | null;
  readonly warnings: readonly string[];
  /**
   * Makes samples ready to be read.
   * @param indices which ones, ascending.
   */
  load(indices: Uint32Array, options: LoadOptions): Promise<LoadedFeed>;
  /** SHA-256 of all that decides what is fed. */
  sha256(indices: Uint32Array): Promise<string>;
}

export interface LoadedFeed {
  /** By the name of the input; under the indices of the source, of which only the loaded ones can be read. */
  readonly samples: ReadonlyMap<string, SampleArray>;
  /** Of sequences: 1 for a token, 0 where one is filled up; as {@link samples}. */
  readonly attended?: SampleArray;
  /** The samples that could be loaded, ascending. */
  readonly indices: Uint32Array;
  /** Bytes that are kept in memory. */
  readonly keptBytes: number;
  readonly warnings: readonly string[];
  /** Of token ids, where the tokenizer is known: how they are written. */
  readonly tokenText?: (id: number) => string | null;
}

/** What decides how a source is fed. */
export interface FeedContext {
  readonly preprocess: Preprocess;
  /** Where a tokenizer may lie, beside the source's own folder. */
  readonly modelFolder: string | null;
}

/**
 * Prepares a source for inputs.
 * @param inputs at least one: the one that the source is for, and for text those that go with it.
 * @throws ExpectedError if the source cannot be fed to them.
 */
export async function feedOf(
  path: string,
  source: SampleSource,
  inputs: readonly ValueInfo[],
  context: FeedContext,
): Promise<Feed> {
  switch (source.content) {
    case "array":
      return arrayFeed(path, source, inputs);
    case "images":
      return imageFeed(path, source, inputs, context.preprocess);
    case "text":
    case "tokens":
      return sequenceFeed(path, source, inputs, context);
    case "sound":
      return soundFeed(path, source, inputs, context.preprocess);
  }
}

function arrayFeed(path: string, source: ArraySource, inputs: readonly ValueInfo[]): Feed {
  const [input] = inputs;
  const { sampleShape } = source.samples;
  const samples: SampleArray =
    source.withoutColumn === undefined
      ? source.samples
      : { ...source.samples, sampleShape: rowShape(sampleShape, input) };
  return {
    ...{ path, source, inputs, labels: source.labels, warnings: source.warnings },
    count: samples.count,
    load: (indices) =>
      Promise.resolve({ samples: new Map([[input.name, samples]]), indices, keptBytes: 0, warnings: [] }),
    sha256: () => source.sha256(),
  };
}

/** A row of a table says nothing of axes: it takes the shape of the input where it has as many numbers. */
export function rowShape(row: readonly number[], { shape }: ValueInfo): readonly number[] {
  const dims = shape?.slice(1) ?? [];
  const size = dims.reduce<number>((product, dim) => product * Number(dim), 1);
  // A free dimension is NaN here, which equals nothing.
  return dims.length < 2 || size !== row[0] ? row : dims.map(Number);
}

function imageFeed(path: string, source: ImageSource, inputs: readonly ValueInfo[], preprocess: Preprocess): Feed {
  const [input] = inputs;
  return {
    ...{ path, source, inputs, labels: source.labels, warnings: source.warnings },
    count: source.count,
    async load(chosen, options) {
      const { samples, indices, warnings } = await source.decode(chosen, wantedImages(input, preprocess), options);
      const keptBytes = indices.length * samples.sampleShape.reduce((product, dim) => product * dim, 1);
      return { samples: new Map([[input.name, samples]]), indices, keptBytes, warnings };
    },
    sha256: (indices) => source.sha256(indices),
  };
}

/** What images become for an input. */
function wantedImages(input: ValueInfo, { resize, crop, channels }: Preprocess): WantedImages {
  return {
    channels: imageChannels(input),
    order: channels ?? "RGB",
    resize: resize ?? null,
    crop: typeof crop === "number" ? [crop, crop] : (crop ?? null),
  };
}
