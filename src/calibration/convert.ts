import { nearestHalf } from "../onnx/halves";
import type { SampleData } from "./source";

/** The element types of model inputs that RankLens can feed, and the arrays that hold them (halves as float32). */
export const TENSOR_TYPES = {
  float32: { bytes: 4, allocate: (length: number) => new Float32Array(length) },
  float64: { bytes: 8, allocate: (length: number) => new Float64Array(length) },
  float16: { bytes: 4, allocate: (length: number) => new Float32Array(length) },
  int64: { bytes: 8, allocate: (length: number) => new BigInt64Array(length) },
  int32: { bytes: 4, allocate: (length: number) => new Int32Array(length) },
  uint8: { bytes: 1, allocate: (length: number) => new Uint8Array(length) },
  int8: { bytes: 1, allocate: (length: number) => new Int8Array(length) },
  bool: { bytes: 1, allocate: (length: number) => new Uint8Array(length) },
} as const;

export type TensorType = keyof typeof TENSOR_TYPES;
export type FloatType = "float32" | "float64" | "float16";
export type IntegerType = Exclude<TensorType, FloatType>;

export function isFloatTensor(type: TensorType): type is FloatType {
  return type === "float32" || type === "float64" || type === "float16";
}

export type TensorData = ReturnType<(typeof TENSOR_TYPES)[TensorType]["allocate"]>;

/** Values that are JavaScript numbers: 64-bit integers are converted before and after. */
export type NumericSamples = Exclude<SampleData, BigInt64Array>;
export type NumericTensor = Exclude<TensorData, BigInt64Array>;

/** The values of one channel of one sample, equally spaced in the source as well as in the result. */
export interface Run {
  readonly channel: number;
  readonly length: number;
  readonly from: number;
  readonly fromStride: number;
  readonly to: number;
  readonly toStride: number;
}

/** Converts a run; returns the position in the run of the first value that cannot be converted, or -1. */
export type Converter = (raw: NumericSamples, out: NumericTensor, run: Run) => number;

/** x′ = (x·scale − mean)/std, with one number per channel each. */
export interface Normalisation {
  readonly scale: readonly number[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** The values that a byte can have. */
const BYTE_VALUES = 256;

/**
 * Normalises to floating point. For float32 every step is rounded to float32, as NumPy and PyTorch compute it; for
 * float64 nothing is rounded further, and for float16 the float32 result is. Values that come out as NaN or infinite cannot be converted.
 */
export function normaliser(type: FloatType, { scale, mean, std }: Normalisation): Converter {
  const round = type === "float64" ? (value: number) => value : Math.fround;
  const finish = type === "float16" ? nearestHalf : (value: number) => value;
  const scales = scale.map(round);
  const means = mean.map(round);
  const stds = std.map(round);
  const normalise = (value: number, channel: number): number =>
    finish(round(round(round(round(value) * scales[channel]) - means[channel]) / stds[channel]));
  let table: Float64Array | null = null;
  return (raw, out, run) => {
    if (raw instanceof Uint8Array) {
      table ??= Float64Array.from({ length: BYTE_VALUES * scale.length }, (_, index) =>
        normalise(index % BYTE_VALUES, Math.floor(index / BYTE_VALUES)),
      );
      return lookUp(raw, out, run, table);
    }
    const { channel, length, from, fromStride, to, toStride } = run;
    for (let index = 0; index < length; index++) {
      const value = normalise(raw[from + index * fromStride], channel);
      if (!Number.isFinite(value)) return index;
      out[to + index * toStride] = value;
    }
    return -1;
  };
}

/** @param table for each channel the results for the bytes 0 to 255: several times faster than the arithmetic. */
function lookUp(raw: Uint8Array, out: NumericTensor, run: Run, table: Float64Array): number {
  const { channel, length, from, fromStride, to, toStride } = run;
  const first = channel * BYTE_VALUES;
  for (let index = 0; index < length; index++) {
    const value = table[first + raw[from + index * fromStride]];
    if (!Number.isFinite(value)) return index;
    out[to + index * toStride] = value;
  }
  return -1;
}

/** The smallest and largest value of each integer type; for int64, of those that a JavaScript number holds exactly. */
export const INTEGER_RANGES: Readonly<Record<IntegerType, readonly [number, number]>> = {
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 255],
  int8: [-128, 127],
  bool: [0, 1],
};

/** Copies whole numbers. Fractions and values out of the type's range cannot be converted. */
export function integerCopier(type: IntegerType): Converter {
  const [least, greatest] = INTEGER_RANGES[type];
  return (raw, out, { length, from, fromStride, to, toStride }) => {
    for (let index = 0; index < length; index++) {
      const value = raw[from + index * fromStride];
      if (!Number.isInteger(value) || value < least || value > greatest) return index;
      out[to + index * toStride] = value;
    }
    return -1;
  };
}
