/** What a sample source holds, by NumPy's names: how to make an array of it, and the bytes of one value. */
export const SAMPLE_TYPES = {
  bool: { bytes: 1, view: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
  uint8: { bytes: 1, view: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
  int8: { bytes: 1, view: (buffer: ArrayBuffer) => new Int8Array(buffer) },
  uint16: { bytes: 2, view: (buffer: ArrayBuffer) => new Uint16Array(buffer) },
  int16: { bytes: 2, view: (buffer: ArrayBuffer) => new Int16Array(buffer) },
  uint32: { bytes: 4, view: (buffer: ArrayBuffer) => new Uint32Array(buffer) },
  int32: { bytes: 4, view: (buffer: ArrayBuffer) => new Int32Array(buffer) },
  int64: { bytes: 8, view: (buffer: ArrayBuffer) => new BigInt64Array(buffer) },
  float32: { bytes: 4, view: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  float64: { bytes: 8, view: (buffer: ArrayBuffer) => new Float64Array(buffer) },
} as const;

export type SampleType = keyof typeof SAMPLE_TYPES;

export type SampleData = ReturnType<(typeof SAMPLE_TYPES)[SampleType]["view"]>;

/** Equally shaped samples, read when asked for. Holds nothing open, so there is nothing to close. */
export interface SampleArray {
  readonly path: string;
  readonly dtype: SampleType;
  /** The dimensions of one sample; empty where a sample is one number. */
  readonly sampleShape: readonly number[];
  /** The order of a sample's axes where the source itself fixes it (images); null where the config may tell. */
  readonly layout: "NHWC" | "NCHW" | null;
  /** Number of samples, at least 1. */
  readonly count: number;
  /**
   * Samples [start, start + count), one after the other: count·∏sampleShape values in C order, in fresh memory.
   * @throws ExpectedError if the file is no longer readable or has become shorter.
   */
  read(start: number, count: number): SampleData;
}

/** Labels that a source brings along. */
export interface SourceLabels {
  /** One class number per sample. */
  readonly values: Int32Array;
  /** The name of each class, by its number; null where the source has none, or does not name all. */
  readonly classNames: readonly string[] | null;
  /** Where a class is a folder: how many there are, and whether the config lists or numbers them. */
  readonly folders: { readonly count: number; readonly numbering: "alphabetical" | "listed" | "mapped" } | null;
}

interface OpenedSource {
  readonly path: string;
  /** What messages and descriptions call its kind: "NumPy array". */
  readonly kind: string;
  readonly labels: SourceLabels | null;
  /** What is doubtful about it, in sentences. */
  readonly warnings: readonly string[];
}

/** Samples that can be read as they are. */
export interface ArraySource extends OpenedSource {
  readonly content: "array";
  readonly samples: SampleArray;
  /** Of a table: the same without one of its columns. @throws ExpectedError if there is no such column. */
  readonly withoutColumn?: (name: string) => ArraySource;
  /** SHA-256 of the file's bytes; for several files of the lines `<sha256>  <name>`, as sha256sum prints them. */
  sha256(): Promise<string>;
}

/** Images, which have to be decoded first. */
export interface ImageSource extends OpenedSource {
  readonly content: "images";
  /** Number of image files. */
  readonly count: number;
  /**
   * Decodes images and keeps their pixels.
   * @param indices which images, ascending.
   */
  decode(indices: Uint32Array, wanted: WantedImages, options: LoadOptions): Promise<DecodedImages>;
  /** Width, height and channels as some images' headers tell them; null where they differ. */
  sampleShape(): Promise<readonly number[] | null>;
  /** SHA-256 of the lines `<sha256>  <name>` of all images; those not in `indices` have "-" for their hash. */
  sha256(indices: Uint32Array): Promise<string>;
}

/** Texts, which a tokenizer has to turn into token ids. */
export interface TextSource extends OpenedSource {
  readonly content: "text";
  readonly texts: readonly string[];
  /** SHA-256 of the file's bytes. */
  sha256(): Promise<string>;
}

/** Lists of token ids, which may differ in length. */
export interface TokenSource extends OpenedSource {
  readonly content: "tokens";
  readonly sequences: readonly (readonly number[])[];
  /** SHA-256 of the file's bytes. */
  sha256(): Promise<string>;
}

/** Recordings, which have to be resampled and cut. Labels are one per recording. */
export interface SoundSource extends OpenedSource {
  readonly content: "sound";
  readonly recordings: readonly Recording[];
  /** As of {@link ArraySource}. */
  sha256(): Promise<string>;
}

/** One recording: its header is read. */
export interface Recording {
  readonly path: string;
  /** Samples per second. */
  readonly rate: number;
  /** Samples of each channel, at least 1. */
  readonly frames: number;
  /** Samples [start, start + count) as the mean of all channels, -1 to 1. @throws ExpectedError if the file is not readable any more. */
  read(start: number, count: number): Float32Array;
}

export type SampleSource = ArraySource | ImageSource | TextSource | TokenSource | SoundSource;

/** What images become: the settings of the config, and the channels that the model takes. */
export interface WantedImages {
  readonly channels: 1 | 3;
  readonly order: "RGB" | "BGR";
  /** Length of the shorter side, or height and width; null: as they are. */
  readonly resize: number | readonly [number, number] | null;
  /** Height and width of the part in the centre; null: all of it. */
  readonly crop: readonly [number, number] | null;
}

export interface DecodedImages {
  /** The pixels, uint8, [height, width, channel], under the indices of the source: only decoded ones can be read. */
  readonly samples: SampleArray;
  /** The images that could be decoded, ascending. */
  readonly indices: Uint32Array;
  readonly warnings: readonly string[];
}

/** How a long preparation tells its progress, and is stopped. */
export interface LoadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The class of each class folder: folder names by class number, or class numbers by folder name. */
export type ClassFolders = readonly string[] | Readonly<Record<string, number>>;

/** A kind of file (or folder) that samples and labels can come from. */
export interface SourceKind {
  /** What messages call it, with its file extension: "NumPy array (.npy)". */
  readonly name: string;
  /** By the path, and for a folder by the names in it: what is in a file is checked by {@link open}. */
  recognises(path: string, isFolder: boolean): boolean;
  /** The files that such a source is read from, by names alone. */
  files(path: string): readonly string[];
  /**
   * Reads headers or lists folders; no samples, but for archives, which are checked as a whole.
   * @param path may name a part of a file: "images.npz#x".
   * @throws ExpectedError if the content is not what it should be.
   */
  open(path: string, classes: ClassFolders | null): Promise<SampleSource>;
}

/** What to do about a data file that is missing. */
export const DATA_ADVICE = "correct its path in the config file";
