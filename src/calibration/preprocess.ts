import { basename } from "node:path";
import type { Preprocess } from "../config";
import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import {
  INTEGER_RANGES,
  integerCopier,
  isFloatTensor,
  normaliser,
  TENSOR_TYPES,
  type Converter,
  type NumericSamples,
  type NumericTensor,
  type Run,
  type TensorData,
  type TensorType,
} from "./convert";
import { arrange, type Arrangement, type ChannelAxis } from "./layout";
import type { SampleArray, SampleData } from "./source";

/** Turns samples into what one model input takes. */
export interface Preprocessor {
  readonly elementType: TensorType;
  /** Dimensions of one sample as the model takes it: without the batch axis. */
  readonly sampleDims: readonly number[];
  /** Room for `samples` samples: samples·∏sampleDims values. */
  allocate(samples: number): TensorData;
  /**
   * Converts the samples `raw` (k·∏sampleShape values) into `out`.
   * @param first index in the source of the first of them, for messages.
   * @param at number of samples that `out` holds already.
   * @throws ExpectedError for a value that the model cannot take: NaN, infinite, or not a whole number where needed.
   */
  apply(raw: SampleData, first: number, out: TensorData, at: number): void;
}

/**
 * x′ = (x·scale − mean)/std per channel, in the layout of the model's input and of its element type. For float32 each
 * step is rounded to float32; for float64 inputs the arithmetic is float64, for float16 the float32 result is
 * rounded. Inputs of integers take the values as they are.
 * @throws ExpectedError if shapes, element types or settings do not go together.
 */
export function createPreprocessor(samples: SampleArray, settings: Preprocess, input: ValueInfo): Preprocessor {
  const elementType = supportedType(input);
  const arrangement = mergeChannels(arrange(samples, settings.layout, input), settings);
  const size = arrangement.channels * arrangement.channelSize;
  const convert = chooseConverter(elementType, arrangement.channels, samples, settings, input);

  const convertNumbers = (raw: NumericSamples, first: number, out: NumericTensor, at: number): void => {
    const failed = convertSamples(convert, arrangement, raw, out, at * size);
    if (failed === null) return;
    throw badValue(samples.path, first + Math.floor(failed / size), raw[failed], input.name, elementType);
  };
  return {
    elementType,
    sampleDims: arrangement.sampleDims,
    allocate: (count) => TENSOR_TYPES[elementType].allocate(count * size),
    apply(raw, first, out, at) {
      if (raw instanceof BigInt64Array && out instanceof BigInt64Array && arrangement.source === arrangement.result) {
        out.set(raw, at * size);
        return;
      }
      const numbers = raw instanceof BigInt64Array ? Float64Array.from(raw, Number) : raw;
      if (!(out instanceof BigInt64Array)) {
        convertNumbers(numbers, first, out, at);
        return;
      }
      const whole = new Float64Array(numbers.length);
      convertNumbers(numbers, first, whole, 0);
      whole.forEach((value, index) => (out[at * size + index] = BigInt(value)));
    },
  };
}

/** Position in `raw` of the first value that cannot be converted, or null. */
function convertSamples(
  convert: Converter,
  { source, result, channels, channelSize }: Arrangement,
  raw: NumericSamples,
  out: NumericTensor,
  outStart: number,
): number | null {
  const size = channels * channelSize;
  const start = (axis: ChannelAxis, channel: number): number => (axis === "last" ? channel : channel * channelSize);
  const stride = (axis: ChannelAxis): number => (axis === "last" ? channels : 1);
  for (let offset = 0; offset < raw.length; offset += size) {
    for (let channel = 0; channel < channels; channel++) {
      const run: Run = {
        channel,
        length: channelSize,
        from: offset + start(source, channel),
        fromStride: stride(source),
        to: outStart + offset + start(result, channel),
        toStride: stride(result),
      };
      const failed = convert(raw, out, run);
      if (failed !== -1) return run.from + failed * run.fromStride;
    }
  }
  return null;
}

function supportedType({ name, elementType }: ValueInfo): TensorType {
  if (elementType !== null && isTensorType(elementType)) return elementType;
  throw new ExpectedError(
    `the model's input "${name}" takes ${elementType ?? "something other than a plain tensor"}; ` +
      `RankLens can feed ${Object.keys(TENSOR_TYPES).join(", ")}`,
  );
}

function isTensorType(type: string): type is TensorType {
  return Object.hasOwn(TENSOR_TYPES, type);
}

/** Where all values are treated alike and stay where they are, one run per sample is enough. */
function mergeChannels(arrangement: Arrangement, { mean, std }: Preprocess): Arrangement {
  if (arrangement.source !== arrangement.result || Array.isArray(mean) || Array.isArray(std)) return arrangement;
  return { ...arrangement, channels: 1, channelSize: arrangement.channels * arrangement.channelSize };
}

function chooseConverter(
  type: TensorType,
  channels: number,
  samples: SampleArray,
  settings: Preprocess,
  input: ValueInfo,
): Converter {
  if (!isFloatTensor(type)) {
    const name = (["scale", "mean", "std"] as const).find((key) => settings[key] !== undefined);
    if (name === undefined) return integerCopier(type);
    throw new ExpectedError(
      `preprocess.${name} is for floating-point inputs, and the model's input "${input.name}" takes ${type}; remove it`,
    );
  }
  const perChannel = (key: "scale" | "mean" | "std", missing: number): readonly number[] => {
    const setting = settings[key] ?? missing;
    if (typeof setting === "number") return new Array<number>(channels).fill(setting);
    if (setting.length === channels) return setting;
    throw wrongLength(key, setting.length, channels, samples, settings);
  };
  return normaliser(type, { scale: perChannel("scale", 1), mean: perChannel("mean", 0), std: perChannel("std", 1) });
}

function wrongLength(
  key: string,
  length: number,
  channels: number,
  { path, sampleShape, layout: own }: SampleArray,
  settings: Preprocess,
): ExpectedError {
  const layout = own ?? settings.layout;
  const isImage = sampleShape.length === 3;
  const file = basename(path);
  const found =
    isImage && layout !== undefined
      ? `${file} has ${channels} channels in the layout ${layout}`
      : `the last axis of ${file}, taken as its channels, has ${channels}`;
  const hint = isImage && layout === undefined ? "; set preprocess.layout if another axis counts the channels" : "";
  return new ExpectedError(`preprocess.${key} has ${length} numbers, and ${found}${hint}`);
}

function badValue(path: string, sample: number, value: number, input: string, type: TensorType): ExpectedError {
  const place = `${path}: sample ${sample} has the value ${value}`;
  if (!Number.isFinite(value)) return new ExpectedError(`${place}; remove the sample or replace the value`);
  if (isFloatTensor(type)) {
    return new ExpectedError(
      `${place}, which is too large for ${type} after preprocessing; check preprocess.scale and std`,
    );
  }
  const [least, greatest] = INTEGER_RANGES[type];
  return new ExpectedError(
    `${place}, and the model's input "${input}" takes ${type}: whole numbers from ${least} to ${greatest}`,
  );
}
