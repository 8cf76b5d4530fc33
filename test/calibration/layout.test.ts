import { describe, expect, test } from "vitest";
import type { SampleArray } from "../../src/calibration/source";
import type { Preprocess } from "../../src/config";
import type { Shape } from "../../src/onnx/schema";
import { convert, inputOf, refuse, samplesOf, zeros } from "./samples";

describe("layout", () => {
  // One sample of height 1, width 2, 3 channels: pixel p, channel c holds 10p + c.
  const nhwc = samplesOf("float32", [1, 1, 2, 3], [0, 1, 2, 10, 11, 12]);
  const nchw = samplesOf("float32", [1, 3, 1, 2], [0, 10, 1, 11, 2, 12]);

  test.each<[string, SampleArray, Preprocess, Shape, number[], number[]]>([
    ["NHWC for a model of NCHW", nhwc, { layout: "NHWC" }, ["n", 3, 1, 2], [1, 3, 1, 2], [0, 10, 1, 11, 2, 12]],
    [
      "NHWC for a model of free sizes",
      nhwc,
      { layout: "NHWC" },
      [null, null, null, null],
      [1, 3, 1, 2],
      [0, 10, 1, 11, 2, 12],
    ],
    ["NHWC for a model of unknown rank", nhwc, { layout: "NHWC" }, null, [1, 3, 1, 2], [0, 10, 1, 11, 2, 12]],
    ["NHWC for a model of NHWC", nhwc, { layout: "NHWC" }, ["n", 1, 2, 3], [1, 1, 2, 3], [0, 1, 2, 10, 11, 12]],
    [
      "NHWC for a model of NHWC with free sizes",
      nhwc,
      { layout: "NHWC" },
      [1, "h", "w", 3],
      [1, 1, 2, 3],
      [0, 1, 2, 10, 11, 12],
    ],
    ["NCHW for a model of NCHW", nchw, { layout: "NCHW" }, ["n", 3, null, null], [1, 3, 1, 2], [0, 10, 1, 11, 2, 12]],
    ["NCHW for a model of NHWC", nchw, { layout: "NCHW" }, ["n", 1, 2, 3], [1, 1, 2, 3], [0, 1, 2, 10, 11, 12]],
    ["as it is", nhwc, {}, ["n", 1, 2, 3], [1, 1, 2, 3], [0, 1, 2, 10, 11, 12]],
    ["as it is, free sizes", nhwc, {}, ["n", null, null, null], [1, 1, 2, 3], [0, 1, 2, 10, 11, 12]],
  ])("%s", (_name, samples, settings, shape, dims, data) => {
    expect(convert(samples, settings, inputOf(shape))).toEqual({ data: Float32Array.from(data), dims });
  });

  test("a fixed batch size of the model is not the sample's business", () => {
    expect(convert(zeros("uint8", 5, 2), {}, inputOf([1, 2])).dims).toEqual([5, 2]);
  });

  test("mismatch: both shapes and what to do", () => {
    const wanted = `the model's input "x" takes [N,3,32,32]; x.npy gives`;
    const save = "; save the samples in the shape that the model takes";
    const model = inputOf(["batch", 3, 32, 32]);
    expect(refuse(zeros("uint8", 2, 32, 32, 3), {}, model)).toBe(
      `${wanted} [N,32,32,3]; set preprocess.layout to "NHWC", the order of the axes in the source`,
    );
    expect(refuse(zeros("uint8", 2, 32, 32, 3), { layout: "NCHW" }, model)).toBe(
      `${wanted} [N,32,3,32] (its [N,32,32,3], read as NCHW, transposed); set preprocess.layout to "NHWC", the order of the axes in the source`,
    );
    expect(refuse(zeros("uint8", 2, 28, 28, 3), { layout: "NHWC" }, model)).toBe(
      `${wanted} [N,3,28,28] (its [N,28,28,3], read as NHWC, transposed)${save}`,
    );
    expect(refuse(zeros("uint8", 2, 3, 32, 32), {}, inputOf([null, "h", null, 3]))).toBe(
      `the model's input "x" takes [N,h,?,3]; x.npy gives [N,3,32,32]; set preprocess.layout to "NCHW", the order of the axes in the source`,
    );
    expect(refuse(zeros("uint8", 2, 5), {}, model)).toBe(`${wanted} [N,5]${save}`);
    expect(refuse(zeros("uint8", 2, 3072), {}, model)).toBe(
      `${wanted} [N,3072]; if the values are in that order, use array.reshape(-1, 3, 32, 32)`,
    );
    expect(refuse(zeros("uint8", 2, 5), {}, inputOf([]))).toBe(
      `the model's input "x" takes a single number; x.npy gives [N,5]${save}`,
    );
  });

  test("mismatch: an axis of length 1 is missing", () => {
    expect(refuse(zeros("uint8", 2, 8, 8), {}, inputOf([null, 1, 8, 8]))).toBe(
      `the model's input "x" takes [N,1,8,8]; x.npy gives [N,8,8]; add an axis of length 1 to the data: array[:, np.newaxis]`,
    );
    expect(refuse(zeros("uint8", 2, 8, 8), {}, inputOf([null, 8, 8, 1]))).toMatch(/array\[\.\.\., np\.newaxis\]$/);
  });

  test("a wrong layout of data that fit as they are shows in the number of channels", () => {
    const samples = zeros("uint8", 2, 3, 32, 32);
    const model = inputOf([null, 3, 32, 32]);
    expect(convert(samples, { layout: "NHWC" }, model).dims).toEqual([2, 3, 32, 32]);
    expect(refuse(samples, { layout: "NHWC", mean: [1, 2, 3] }, model)).toBe(
      "preprocess.mean has 3 numbers, and x.npy has 32 channels in the layout NHWC",
    );
  });
});
