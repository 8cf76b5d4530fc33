import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TensorData } from "../../src/calibration/convert";
import type { SampleType } from "../../src/calibration/source";
import { fromHalves, toHalves } from "../../src/onnx/halves";
import type { ElementType, Shape } from "../../src/onnx/schema";
import { convert, inputOf, refuse, samplesOf, zeros } from "./samples";

describe("arithmetic", () => {
  const naive = (value: number, scale: number, mean: number, std: number): number => {
    const f = Math.fround;
    return f(f(f(f(value) * f(scale)) - f(mean)) / f(std));
  };

  test("property: the same as element by element, for every layout", () => {
    const number = fc.double({ min: -4, max: 4, noNaN: true });
    const nonzero = fc.double({ min: 0.1, max: 4, noNaN: true });
    const dims = fc.record({
      n: fc.integer({ min: 1, max: 3 }),
      c: fc.integer({ min: 1, max: 4 }),
      h: fc.integer({ min: 1, max: 4 }),
      w: fc.integer({ min: 1, max: 4 }),
    });
    const types = fc.constantFrom<SampleType>("uint8", "int8", "uint16", "int64", "float32", "float64", "bool");
    const any = fc.tuple(
      dims,
      types,
      fc.constantFrom("NHWC" as const, "NCHW" as const),
      fc.boolean(),
      fc.infiniteStream(number),
      fc.infiniteStream(nonzero),
      fc.boolean(),
      fc.boolean(),
      fc.integer(),
    );
    fc.assert(
      fc.property(any, ([{ n, c, h, w }, dtype, layout, channelsLast, numbers, nonzeros, listMean, listStd, seed]) => {
        const take = (stream: Iterator<number, unknown>, count: number): number[] =>
          Array.from({ length: count }, () => Number(stream.next().value));
        const scale = take(numbers, 1)[0];
        const mean = listMean ? take(numbers, c) : take(numbers, 1)[0];
        const std = listStd ? take(nonzeros, c) : take(nonzeros, 1)[0];
        const of = (setting: number | number[], channel: number) =>
          typeof setting === "number" ? setting : setting[channel];
        const whole = !dtype.startsWith("float");
        const data = Array.from({ length: n * c * h * w }, (_, index) => {
          const bits = Math.imul(index + 1, seed | 1) >>> 0;
          return dtype === "bool" ? bits % 2 : whole ? bits % 128 : bits / 2 ** 28;
        });
        const samples = samplesOf(dtype, layout === "NHWC" ? [n, h, w, c] : [n, c, h, w], data);
        const model: Shape = channelsLast ? ["n", h, w, c] : ["n", c, h, w];
        // Where height and channels are equal a channels-last model cannot be told from its dimensions.
        fc.pre(!channelsLast || h !== c);
        const result = convert(samples, { layout, scale, mean, std }, inputOf(model)).data;
        const at = (last: boolean, s: number, ch: number, y: number, x: number) =>
          last ? ((s * h + y) * w + x) * c + ch : ((s * c + ch) * h + y) * w + x;
        const every = (count: number) => Array.from({ length: count }, (_, index) => index);
        for (const [s, ch] of every(n).flatMap((s) => every(c).map((ch) => [s, ch]))) {
          for (const [y, x] of every(h).flatMap((y) => every(w).map((x) => [y, x]))) {
            const value = data[at(layout === "NHWC", s, ch, y, x)];
            expect(result[at(channelsLast, s, ch, y, x)]).toBe(naive(value, scale, of(mean, ch), of(std, ch)));
          }
        }
      }),
    );
  });

  test("lists without a layout, and for other than images, run along the last axis", () => {
    const settings = { mean: [1, 2], std: [1, 4] };
    const data = [1, 2, 3, 6];
    for (const shape of [
      [2, 2],
      [1, 2, 2],
      [1, 1, 2, 2],
      [1, 1, 1, 2, 2],
    ]) {
      expect(convert(samplesOf("float32", shape, data), settings, inputOf(null)).data).toEqual(
        Float32Array.of(0, 0, 2, 1),
      );
    }
    expect(convert(samplesOf("float32", [2, 2], data), { ...settings, layout: "NHWC" }, inputOf(null)).data).toEqual(
      Float32Array.of(0, 0, 2, 1),
    );
    expect(convert(samplesOf("uint8", [2], [4, 6]), { mean: [2], std: [2] }, inputOf(["n"])).data).toEqual(
      Float32Array.of(1, 2),
    );
  });

  test("lists of another length", () => {
    expect(refuse(zeros("uint8", 1, 4, 5, 3), { layout: "NHWC", mean: [1, 2] }, inputOf(null))).toBe(
      "preprocess.mean has 2 numbers, and x.npy has 3 channels in the layout NHWC",
    );
    expect(refuse(zeros("uint8", 1, 3, 4, 5), { std: [1, 2, 3] }, inputOf(null))).toBe(
      "preprocess.std has 3 numbers, and the last axis of x.npy, taken as its channels, has 5; set preprocess.layout if another axis counts the channels",
    );
    expect(refuse(zeros("uint8", 1, 4), { std: [1, 2, 3] }, inputOf(null))).toBe(
      "preprocess.std has 3 numbers, and the last axis of x.npy, taken as its channels, has 4",
    );
  });

  test("float16 inputs take the nearest half of what float32 inputs take", () => {
    const samples = samplesOf("uint8", [2, 2], [1, 50, 100, 255]);
    const settings = { scale: 1 / 255, mean: 0.4, std: 0.3 };
    const single = convert(samples, settings, inputOf(null)).data as Float32Array;
    expect(convert(samples, settings, inputOf(null, "float16")).data).toEqual(fromHalves(toHalves(single)));
    expect(refuse(samplesOf("float32", [1, 1], [65520]), {}, inputOf(null, "float16"))).toMatch(
      /sample 0 has the value 65520, which is too large for float16 after preprocessing/,
    );
  });

  test("float64 inputs keep float64 precision", () => {
    const { data } = convert(
      samplesOf("float64", [2, 1], [0.1, 1e300]),
      { mean: 0.3, std: 0.7 },
      inputOf(null, "float64"),
    );
    expect(data).toEqual(Float64Array.of((0.1 - 0.3) / 0.7, (1e300 - 0.3) / 0.7));
    expect(convert(samplesOf("uint8", [1, 1], [7]), { scale: 0.1 }, inputOf(null, "float64")).data).toEqual(
      Float64Array.of(7 * 0.1),
    );
  });

  test("NaN, infinite and overflowing values", () => {
    for (const [value, text] of [
      [NaN, "NaN"],
      [Infinity, "Infinity"],
      [-Infinity, "-Infinity"],
    ] as const) {
      expect(refuse(samplesOf("float32", [2, 2], [1, 2, 3, value]), {}, inputOf(null))).toBe(
        `/data/x.npy: sample 1 has the value ${text}; remove the sample or replace the value`,
      );
    }
    expect(refuse(samplesOf("float64", [2, 1], [1, 1e300]), {}, inputOf(null))).toBe(
      "/data/x.npy: sample 1 has the value 1e+300, which is too large for float32 after preprocessing; check preprocess.scale and std",
    );
    expect(refuse(samplesOf("uint8", [1, 2], [1, 200]), { std: 1e-37 }, inputOf(null))).toMatch(
      /has the value 200, which is too large/,
    );
    // In the model's layout too, the sample is named that has the value.
    const images = samplesOf("float32", [3, 1, 2, 2], [0, 0, 0, 0, 0, 0, NaN, 0, 0, 0, 0, 0]);
    expect(refuse(images, { layout: "NHWC" }, inputOf(null))).toMatch(/: sample 1 has the value NaN/);
  });
});

describe("integer inputs", () => {
  test.each<[ElementType, TensorData]>([
    ["int64", BigInt64Array.of(0n, 1n, 1n)],
    ["int32", Int32Array.of(0, 1, 1)],
    ["uint8", Uint8Array.of(0, 1, 1)],
    ["int8", Int8Array.of(0, 1, 1)],
    ["bool", Uint8Array.of(0, 1, 1)],
  ])("%s from every type", (type, expected) => {
    for (const dtype of ["bool", "uint8", "int16", "int64", "float32"] as const) {
      expect(convert(samplesOf(dtype, [3], [0, 1, 1]), {}, inputOf(null, type)).data).toEqual(expected);
    }
  });

  test("int64 values are kept to the bit", () => {
    const values = [2n ** 63n - 1n, -(2n ** 63n)];
    expect(convert(samplesOf("int64", [2, 1], values), {}, inputOf(null, "int64")).data).toEqual(
      BigInt64Array.from(values),
    );
  });

  test("int64 images are transposed", () => {
    const samples = samplesOf("int64", [2, 1, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(convert(samples, { layout: "NHWC" }, inputOf(null, "int64"))).toEqual({
      data: BigInt64Array.of(1n, 3n, 2n, 4n, 5n, 7n, 6n, 8n),
      dims: [2, 2, 1, 2],
    });
  });

  test("fractions and values out of range", () => {
    const takes = `and the model's input "x" takes`;
    expect(refuse(samplesOf("float32", [2, 1], [1, 0.5]), {}, inputOf(null, "int32"))).toBe(
      `/data/x.npy: sample 1 has the value 0.5, ${takes} int32: whole numbers from -2147483648 to 2147483647`,
    );
    expect(refuse(samplesOf("int16", [1, 2], [1, -1]), {}, inputOf(null, "uint8"))).toBe(
      `/data/x.npy: sample 0 has the value -1, ${takes} uint8: whole numbers from 0 to 255`,
    );
    expect(refuse(samplesOf("uint8", [1], [2]), {}, inputOf(null, "bool"))).toMatch(/bool: whole numbers from 0 to 1$/);
    expect(refuse(samplesOf("float32", [1], [NaN]), {}, inputOf(null, "int64"))).toMatch(/has the value NaN; remove/);
    expect(refuse(samplesOf("float64", [1], [2 ** 60]), {}, inputOf(null, "int64"))).toMatch(/to 9007199254740991$/);
  });

  test("no arithmetic on them", () => {
    for (const settings of [{ scale: 1 }, { mean: 0 }, { std: [1] }]) {
      expect(refuse(zeros("int64", 1, 1), settings, inputOf(null, "int64"))).toBe(
        `preprocess.${Object.keys(settings)[0]} is for floating-point inputs, and the model's input "x" takes int64; remove it`,
      );
    }
  });
});

test("element types that cannot be fed", () => {
  const supported = "RankLens can feed float32, float64, float16, int64, int32, uint8, int8, bool";
  expect(refuse(zeros("uint8", 1, 1), {}, inputOf(null, "bfloat16"))).toBe(
    `the model's input "x" takes bfloat16; ${supported}`,
  );
  expect(refuse(zeros("uint8", 1, 1), {}, inputOf(null, null))).toBe(
    `the model's input "x" takes something other than a plain tensor; ${supported}`,
  );
});
