import type { TensorData } from "../../src/calibration/convert";
import { createPreprocessor } from "../../src/calibration/preprocess";
import { SAMPLE_TYPES, type SampleArray, type SampleType } from "../../src/calibration/source";
import type { Preprocess } from "../../src/config";
import type { ElementType, Shape, ValueInfo } from "../../src/onnx/schema";
import { messageOf } from "./messageOf";

/** Samples in memory. */
export function samplesOf(
  dtype: SampleType,
  shape: readonly number[],
  data: readonly (number | bigint)[],
): SampleArray {
  const [count, ...sampleShape] = shape;
  const size = sampleShape.reduce((product, dim) => product * dim, 1);
  const values = SAMPLE_TYPES[dtype].view(new ArrayBuffer(data.length * SAMPLE_TYPES[dtype].bytes));
  data.forEach((value, index) => {
    if (values instanceof BigInt64Array) values[index] = BigInt(value);
    else values[index] = Number(value);
  });
  const read = (start: number, length: number) => values.slice(start * size, (start + length) * size);
  return { path: "/data/x.npy", dtype, count, sampleShape, layout: null, read };
}

export function inputOf(shape: Shape, elementType: ElementType | null = "float32"): ValueInfo {
  return { name: "x", elementType, shape };
}

export function convert(
  samples: SampleArray,
  settings: Preprocess,
  input: ValueInfo,
): { data: TensorData; dims: number[] } {
  const preprocessor = createPreprocessor(samples, settings, input);
  const data = preprocessor.allocate(samples.count);
  preprocessor.apply(samples.read(0, samples.count), 0, data, 0);
  return { data, dims: [samples.count, ...preprocessor.sampleDims] };
}

export function zeros(dtype: SampleType, ...shape: number[]): SampleArray {
  return samplesOf(dtype, shape, new Array<number>(shape.reduce((a, b) => a * b)).fill(0));
}

/** The message of the refusal. */
export const refuse = (samples: SampleArray, settings: Preprocess, input: ValueInfo) =>
  messageOf(() => convert(samples, settings, input));
