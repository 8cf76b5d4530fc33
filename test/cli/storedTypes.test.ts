import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ANALYSED_ONLY } from "../../src/layers/quantized";
import type { NewInitializer } from "../../src/onnx/encode";
import { integerRange, quantized } from "../../src/onnx/quantization";
import type { ElementType } from "../../src/onnx/schema";
import { elementCount } from "../../src/onnx/tensor";
import { modelReportSchema, type ModelReport } from "../../src/report";
import type { TensorValue } from "../../src/runtime/session";
import { floats, openBytes, runModel } from "../fixtures/data";
import { modelBytes, node, value, type TestNode } from "../fixtures/model";
import { hasOnnx, checkOnnxBytes } from "../onnxChecker";
import { expectRefusal, expectSuccess, newLab, type Lab } from "./lab";
import { CLASSES, IMAGE, images } from "./models";

const CALIBRATION = 80;
const VALIDATION = 100;
const WIDTH = 24;

/** A product of two thin matrices, and a little noise: what decomposition is for. */
function thin(dims: readonly number[], rank: number, seed: number): Float64Array {
  const rows = dims[0];
  const columns = elementCount(dims.slice(1));
  const [a, b, noise] = [floats(rows * rank, seed), floats(rank * columns, seed + 1), floats(rows * columns, seed + 2)];
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    let sum = 0.02 * noise[at];
    for (let k = 0; k < rank; k++) sum += a[i * rank + k] * b[k * columns + j];
    return sum / Math.sqrt(rank * columns);
  });
}

/** Everything in float16: images of no shape → three MatMuls → scores. */
function halfMlp(): Uint8Array {
  const half = (name: string, dims: readonly number[], data: Float64Array | Float32Array): NewInitializer => {
    return { name, dims, data, elementType: "float16" };
  };
  return modelBytes({
    nodes: [
      node("MatMul", ["images", "first"], "a"),
      node("Add", ["a", "bias"], "a1"),
      node("Relu", ["a1"], "a2"),
      node("MatMul", ["a2", "second"], "b"),
      node("Relu", ["b"], "b1"),
      node("Gemm", ["b1", "head"], "scores", { transB: 1 }),
    ],
    initializers: [
      half("first", [WIDTH, 40], thin([WIDTH, 40], 4, 1)),
      half("bias", [40], floats(40, 4, 0.1)),
      half("second", [40, 40], thin([40, 40], 4, 5)),
      half("head", [CLASSES, 40], floats(CLASSES * 40, 8)),
    ],
    inputs: [value("images", ["batch", WIDTH], "float16")],
    outputs: [value("scores", ["batch", CLASSES], "float16")],
  });
}

/** The scheme of onnxruntime's own tool: activations uint8, kernels int8 with a scale for each output, biases int32. */
function qdqCnn(): Uint8Array {
  const nodes: TestNode[] = [];
  const initializers: NewInitializer[] = [];
  const scalar = (name: string, scale: number, zero: number): string[] => {
    initializers.push({ name: `${name}.scale`, dims: [], data: Float32Array.of(scale) });
    initializers.push({ name: `${name}.zero`, dims: [], data: Uint8Array.of(zero) });
    return [`${name}.scale`, `${name}.zero`];
  };
  const activation = (from: string, to: string, scale: number, zero: number): void => {
    const scales = scalar(to, scale, zero);
    nodes.push(node("QuantizeLinear", [from, ...scales], `${to}.q`), node("DequantizeLinear", [`${to}.q`, ...scales], to)); // prettier-ignore
  };
  const kernel = (name: string, dims: readonly number[], data: Float64Array): void => {
    const size = elementCount(dims.slice(1));
    const scale = Float32Array.from({ length: dims[0] }, (_, row) => {
      return Math.max(...data.subarray(row * size, (row + 1) * size).map(Math.abs)) / 127;
    });
    const whole = quantized(data, dims, { scale, zeroPoint: null }, { axis: 0, blockSize: 0 }, integerRange("int8")!);
    initializers.push({ name, dims, data: whole, elementType: "int8" });
    initializers.push({ name: `${name}.scale`, dims: [dims[0]], data: scale });
    initializers.push({ name: `${name}.zero`, dims: [dims[0]], data: new Int8Array(dims[0]) });
    nodes.push(node("DequantizeLinear", [name, `${name}.scale`, `${name}.zero`], `${name}.float`, { axis: 0 }));
  };
  activation("images", "x", 0.03, 128);
  kernel("wide", [16, 3, 3, 3], thin([16, 3, 3, 3], 4, 1));
  initializers.push({ name: "bias", dims: [16], data: Int32Array.from(floats(16, 4, 300)) });
  initializers.push({ name: "bias.scale", dims: [], data: Float32Array.of(0.0005) });
  nodes.push(node("DequantizeLinear", ["bias", "bias.scale"], "bias.float"));
  nodes.push(node("Conv", ["x", "wide.float", "bias.float"], "a", { pads: [1, 1, 1, 1] }), node("Tanh", ["a"], "a1"));
  activation("a1", "a2", 0.008, 128);
  kernel("deep", [16, 16, 3, 3], thin([16, 16, 3, 3], 4, 5));
  nodes.push(node("Conv", ["a2", "deep.float"], "b"), node("Tanh", ["b"], "b1"));
  activation("b1", "b2", 0.008, 128);
  nodes.push(node("AveragePool", ["b2"], "c", { kernel_shape: [3, 3], strides: [3, 3] }), node("Flatten", ["c"], "d"));
  kernel("head", [CLASSES, 64], Float64Array.from(floats(CLASSES * 64, 8)));
  nodes.push(node("Gemm", ["d", "head.float"], "scores", { transB: 1 }));
  return modelBytes({
    nodes,
    initializers,
    inputs: [value("images", ["batch", ...IMAGE])],
    outputs: [value("scores", ["batch", CLASSES])],
  });
}

/** As onnxruntime's tool makes it for speed: QLinearConv twice, and a product with data that is quantized as it comes. */
function qlinearCnn(): Uint8Array {
  const initializers: NewInitializer[] = [];
  const activation = (name: string, scale: number): string[] => {
    initializers.push({ name: `${name}.scale`, dims: [], data: Float32Array.of(scale) });
    initializers.push({ name: `${name}.zero`, dims: [], data: Uint8Array.of(128) });
    return [`${name}.scale`, `${name}.zero`];
  };
  const kernel = (name: string, dims: readonly number[], data: ArrayLike<number>): string[] => {
    const scale = Float32Array.of(Array.from(data).reduce((most, one) => Math.max(most, Math.abs(one)), 0) / 127);
    const whole = quantized(data, dims, { scale, zeroPoint: null }, { axis: 0, blockSize: 0 }, integerRange("int8")!);
    initializers.push(
      { name, dims, data: whole, elementType: "int8" },
      { name: `${name}.scale`, dims: [], data: scale },
    );
    initializers.push({ name: `${name}.zero`, dims: [], data: Int8Array.of(0) });
    return [name, `${name}.scale`, `${name}.zero`];
  };
  const [x, a, b] = [activation("x", 0.03), activation("a", 0.01), activation("b", 0.01)];
  const wide = kernel("wide", [16, 3, 3, 3], thin([16, 3, 3, 3], 4, 1));
  const deep = kernel("deep", [16, 16, 3, 3], thin([16, 16, 3, 3], 4, 5));
  const head = kernel("head", [64, CLASSES], floats(CLASSES * 64, 8));
  return modelBytes({
    nodes: [
      node("QuantizeLinear", ["images", ...x], "x"),
      node("QLinearConv", ["x", ...x, ...wide, ...a], "a", { pads: [1, 1, 1, 1] }),
      node("QLinearConv", ["a", ...a, ...deep, ...b], "b"),
      node("DequantizeLinear", ["b", ...b], "c"),
      node("AveragePool", ["c"], "d", { kernel_shape: [3, 3], strides: [3, 3] }),
      node("Flatten", ["d"], "e"),
      node("DynamicQuantizeMatMul", ["e", ...head], "scores", {}, { domain: "com.microsoft" }),
    ],
    initializers,
    inputs: [value("images", ["batch", ...IMAGE])],
    outputs: [value("scores", ["batch", CLASSES])],
    domains: { "com.microsoft": 1 },
  });
}

interface Network {
  readonly bytes: () => Uint8Array;
  readonly sample: readonly number[];
  readonly data: (count: number, seed: number) => Float32Array;
  readonly input: ElementType;
  /** Of the new weights of each decomposed layer. */
  readonly stored: readonly ElementType[];
}

const networks: [string, Network][] = [
  [
    "a network of float16",
    {
      bytes: halfMlp,
      sample: [WIDTH],
      data: (count, seed) => floats(count * WIDTH, seed),
      input: "float16",
      stored: ["float16", "float16"],
    },
  ],
  [
    "a quantized CNN",
    {
      bytes: qdqCnn,
      sample: IMAGE,
      data: (count, seed) => images(count, IMAGE, seed),
      input: "float32",
      // Kernel, scales and zero points of each factor.
      stored: ["int8", "float32", "int8", "int8", "float32", "int8"],
    },
  ],
];

let lab: Lab;
beforeEach(() => (lab = newLab()));
afterEach(() => lab.remove());

type Data = Pick<Network, "sample" | "data" | "input">;

/** The classes that a model gives the validation data, by onnxruntime. */
async function answers(model: Uint8Array, { sample, data, input }: Data): Promise<number[]> {
  const validation: TensorValue = { type: input, dims: [VALIDATION, ...sample], data: data(VALIDATION, 2) };
  const scores = (await runModel(model, { images: validation })).get("scores")!.data as Float32Array;
  return Array.from({ length: VALIDATION }, (_, row) => {
    const own = [...scores.subarray(row * CLASSES, (row + 1) * CLASSES)];
    return own.indexOf(Math.max(...own));
  });
}

/** The model with data and config in the lab. @returns the labels: nine of ten are the model's own answers. */
async function placed(model: Uint8Array, of: Data): Promise<number[]> {
  const { sample, data } = of;
  lab.write("model.onnx", model);
  const right = await answers(model, of);
  expect(new Set(right).size).toBeGreaterThan(2);
  const labels = right.map((label, i) => (i % 10 === 9 ? (label + 1) % CLASSES : label));
  lab.array("calibration.npy", "float32", [CALIBRATION, ...sample], data(CALIBRATION, 1));
  lab.array("validation.npy", "float32", [VALIDATION, ...sample], data(VALIDATION, 2));
  lab.array("labels.npy", "int64", [VALIDATION], labels);
  lab.json("model.ranklens.json", {
    calibration: { source: "calibration.npy" },
    validation: { source: "validation.npy", labels: "labels.npy" },
    tolerance: 5,
  });
  return labels;
}

const reportOf = (name: string): ModelReport => modelReportSchema.parse(JSON.parse(readFileSync(lab.at(name), "utf8")));

describe.each(networks)("ranklens compress of %s", (_, { bytes, stored, ...data }) => {
  it("writes a file of the same types, as accurate as it says, that onnx accepts", async () => {
    const original = bytes();
    const labels = await placed(original, data);
    expectSuccess(await lab.run("compress", "model.onnx", "-o", "small.onnx", "-r", "report.json"));

    const report = reportOf("report.json");
    const small = new Uint8Array(readFileSync(lab.at("small.onnx")));
    const found = await answers(small, data);
    const share = found.filter((answer, i) => answer === labels[i]).length / VALIDATION;
    expect(report.accuracy).toMatchObject({ original: 0.9, decomposed: share });
    expect(report.compressed?.accuracy).toEqual({ before: 0.9, after: share });
    expect(share).toBeGreaterThan(0.7);

    const names = new Set(openBytes(original).model.graph.initializers.keys());
    const added = [...openBytes(small).model.graph.initializers.values()].filter(({ name }) => !names.has(name));
    const decomposed = report.layers.filter(({ outcome }) => outcome.kind === "decomposed");
    expect(decomposed.length).toBeGreaterThan(0);
    const expected = decomposed.flatMap(() => stored);
    expect(added.map(({ elementType }) => elementType)).toEqual(expected);
    // Each parameter that is gone was of one byte, or two; names, scales and nodes take some.
    const gone = decomposed.reduce((sum, { rows, columns, outcome }) => {
      return sum + rows * columns - (outcome.kind === "decomposed" ? outcome.rank * (rows + columns) : 0);
    }, 0);
    const width = data.input === "float16" ? 2 : 1;
    const saved = original.length - small.length;
    expect(saved).toBeGreaterThan(gone * width - 1300 * decomposed.length);
    expect(saved).toBeLessThanOrEqual(gone * width);
    if (hasOnnx()) checkOnnxBytes(new Map([["small", small]]));
  });
});

it("ranklens analyze finds the ranks of quantized operators, whose layers stay as they are", async () => {
  const data: Data = { sample: IMAGE, data: (count, seed) => images(count, IMAGE, seed), input: "float32" };
  const labels = await placed(qlinearCnn(), data);
  expect(labels).toHaveLength(VALIDATION);
  expectSuccess(await lab.run("analyze", "model.onnx", "-r", "report.json"));
  const { accuracy, layers } = reportOf("report.json");
  expect(accuracy.original).toBe(0.9);
  expect(layers.map(({ name, op }) => [name, op])).toEqual([
    ["wide", "QLinearConv"],
    ["deep", "QLinearConv"],
    ["head", "DynamicQuantizeMatMul"],
  ]);
  for (const { name, outcome, utilizedRank, rows, columns } of layers) {
    expect(outcome).toEqual({ kind: "kept", reason: ANALYSED_ONLY });
    expect(utilizedRank).toBeGreaterThan(0);
    if (name !== "head") expect(utilizedRank).toBeLessThan(Math.min(rows, columns));
  }
  expectRefusal(await lab.run("compress", "model.onnx", "-o", "small.onnx"), /no layer would get smaller/i);
});
