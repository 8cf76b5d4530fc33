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

/** Equally shaped samples in a file, read when asked for. Holds nothing open, so there is nothing to close. */
export interface SampleArray {
  readonly path: string;
  readonly dtype: SampleType;
  /** The dimensions of one sample; empty where a sample is one number. */
  readonly sampleShape: readonly number[];
  /** Number of samples, at least 1. */
  readonly count: number;
  /**
   * Samples [start, start + count), one after the other: count·∏sampleShape values in C order, in fresh memory.
   * @throws ExpectedError if the file is no longer readable or has become shorter.
   */
  read(start: number, count: number): SampleData;
}

/** A kind of file (or folder) that samples and labels can come from. */
export interface SourceKind {
  /** What messages call it, with its file extension: "NumPy array (.npy)". */
  readonly name: string;
  /** By the path alone: what is in the file is checked by {@link open}. */
  recognises(path: string): boolean;
  /** @throws ExpectedError if the content is not what it should be. */
  open(path: string): SampleArray;
}

/** What to do about a data file that is missing. */
export const DATA_ADVICE = "correct its path in the config file";
