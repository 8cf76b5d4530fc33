import { copyFileSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LayerReport } from "../../src/report";
import { floats, runOutput, weight } from "../fixtures/data";
import { cifarRecords, idxBytes } from "../fixtures/imageFiles";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { npyBytes } from "../fixtures/npy";
import { configIn, layersOf, said } from "./initialised";
import { expectRefusal, expectSuccess, newLab, type Lab } from "./lab";
import { cnnSpec, IMAGE } from "./models";

const EXAMPLE = path.resolve(import.meta.dirname, "../../examples/shapes");
const SIZE = IMAGE.reduce((a, b) => a * b, 1);

/** x → one layer with a bias → scores. */
function linear(dims: readonly number[]): Uint8Array {
  return modelBytes({
    nodes: [node("Flatten", ["x"], "flat"), node("Gemm", ["flat", "w", "b"], "scores")],
    initializers: [
      weight("w", [dims.reduce((a, b) => a * b), 4], 1),
      { name: "b", dims: [4], data: floats(4, 2, 0.5) },
    ],
    inputs: [value("x", ["n", ...dims])],
    outputs: [untyped("scores")],
  });
}

/** x → Conv → mean over the image: scores of ten classes. */
function convolutional(): Uint8Array {
  return modelBytes({
    nodes: [node("Conv", ["x", "w"], "a"), node("GlobalAveragePool", ["a"], "b"), node("Flatten", ["b"], "scores")],
    initializers: [weight("w", [10, 3, 3, 3], 2)],
    inputs: [value("x", ["n", 3, 32, 32])],
    outputs: [untyped("scores")],
  });
}

describe("ranklens init for other models", () => {
  let lab: Lab;
  beforeAll(() => (lab = newLab()));
  afterAll(() => lab.remove());

  it("MNIST files and CIFAR folders", async () => {
    lab.write("model.onnx", linear([1, 4, 4]));
    const pixels = Array.from({ length: 160 }, (_, i) => (i * 31) % 256);
    lab.write("mnist/train-images-idx3-ubyte", idxBytes([10, 4, 4], pixels));
    lab.write("mnist/train-labels-idx1-ubyte", idxBytes([10], [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]));
    expectSuccess(await lab.run("init", "model.onnx", "mnist"));
    expect(configIn(lab).calibration?.labels).toBe("mnist/train-labels-idx1-ubyte");
    expect(await layersOf(lab)).toHaveLength(1);

    lab.write("model.onnx", convolutional());
    lab.write("cifar/data_batch_1.bin", cifarRecords([[1], [2], [9], [0]]));
    lab.write("cifar/test_batch.bin", cifarRecords([[1], [2]]));
    expectSuccess(await lab.run("init", "model.onnx", "cifar", "--force"));
    expect(configIn(lab)).toMatchObject({ calibration: { source: "cifar" }, validation: { source: "cifar/test_batch.bin" } }); // prettier-ignore
    expect(await layersOf(lab)).toHaveLength(1);
  });

  it.each([
    ["without class scores: the error of its output", "ReduceSum", /^output-error of output "y" \[N\]/],
    ["without numbers that can be compared: no validation data", "ArgMax", null],
  ])("two inputs, and a model %s", async (_, reduce, metric) => {
    lab.write(
      "model.onnx",
      modelBytes({
        nodes: [
          node("MatMul", ["left", "w1"], "a"),
          node("MatMul", ["right", "w2"], "b"),
          node("Add", ["a", "b"], "c"),
          node(reduce, ["c"], "y", reduce === "ArgMax" ? { axis: 1 } : { axes: [1], keepdims: 0 }),
        ],
        initializers: [weight("w1", [4, 3], 1), weight("w2", [6, 3], 2)],
        inputs: [value("left", ["n", 4]), value("right", ["n", 6])],
        outputs: [untyped("y")],
        opset: 11,
      }),
    );
    lab.array("left.npy", "float32", [20, 4], floats(80, 1));
    lab.array("right.npy", "float32", [20, 6], floats(120, 2));
    const outcome = await lab.run("init", "model.onnx", "right.npy", "left.npy", "-f");
    expectSuccess(outcome);
    const samples = { source: { left: "left.npy", right: "right.npy" } };
    expect(configIn(lab)).toEqual({
      version: 1,
      calibration: samples,
      ...(metric ? { validation: samples } : {}),
      tolerance: 0.1,
    });
    if (metric) expect(said(outcome, "metric")).toMatch(metric);
    else expect(said(outcome, "validation")).toMatch(/^none: the model has no floating-point output/);
    expect(await layersOf(lab)).toHaveLength(2);
  });

  it("a fixed batch size needs as many samples", async () => {
    const spec = cnnSpec();
    lab.write(
      "model.onnx",
      modelBytes({ ...spec, inputs: [value("images", [7, ...IMAGE])], outputs: [untyped("scores")] }),
    );
    lab.array("nine.npy", "float32", [9, ...IMAGE], floats(9 * SIZE, 1));
    lab.array("six.npy", "float32", [6, ...IMAGE], floats(6 * SIZE, 1));
    expectSuccess(await lab.run("init", "model.onnx", "nine.npy", "-f"));
    expectRefusal(await lab.run("init", "model.onnx", "six.npy", "-f"), "batches of exactly 7 samples", "has 6");
  });

  /** The values that a normalisation would make of pixels. */
  const made = (pixels: Uint8Array, mean: readonly number[], std: readonly number[], scale = 1 / 255): Float32Array =>
    Float32Array.from(pixels, (pixel, i) => {
      const channel = Math.floor(i / 64) % 3;
      return (pixel * scale - mean[channel]) / std[channel];
    });

  it.each<[string, number[], number[], number, object]>([
    ["ImageNet's mean and std", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 1 / 255, { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }], // prettier-ignore
    ["0 to 1", [0, 0, 0], [1, 1, 1], 1 / 255, { scale: 1 / 255 }],
    ["-1 to 1", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], 1 / 255, { scale: 1 / 255, mean: 0.5, std: 0.5 }],
    ["0 to 255, as they are", [0, 0, 0], [1, 1, 1], 1, {}],
  ])("labels tell that the model was trained on %s", async (label, mean, std, scale, expected) => {
    const model = linear(IMAGE);
    lab.write("model.onnx", model);
    const pixels = Uint8Array.from(floats(200 * SIZE, 5, 64), (noise, i) => 128 + 60 * Math.sin(i / 11 + Math.floor(i / SIZE)) + noise); // prettier-ignore
    lab.array("images.npy", "uint8", [200, ...IMAGE], pixels);
    const x = { type: "float32", dims: [200, ...IMAGE], data: made(pixels, mean, std, scale) } as const;
    const scores = await runOutput(model, x, "scores");
    const best = (row: Float32Array): number => row.indexOf(Math.max(...row));
    const labels = Array.from({ length: 200 }, (_, i) => best(scores.subarray(4 * i, 4 * i + 4)));
    expect(new Set(labels).size).toBeGreaterThan(2);
    lab.array("labels.npy", "int64", [200], labels);
    const outcome = await lab.run("init", "model.onnx", "images.npy", "labels.npy", "--force");
    expectSuccess(outcome);
    expect(said(outcome, "values")).toMatch(new RegExp(`^${label}: 64 of 64 samples are right so \\(`));
    expect(configIn(lab).preprocess).toEqual({ layout: "NCHW", ...expected });
  });
});

describe("ranklens init for the shapes example", () => {
  let lab: Lab;
  let written: readonly LayerReport[];
  const NAMES = ["calibration_images.npy", "calibration_labels.npy", "validation_images.npy", "validation_labels.npy"];
  beforeAll(async () => {
    lab = newLab();
    for (const name of [...NAMES, "model.onnx", "model.ranklens.json"]) copyFileSync(path.join(EXAMPLE, name), lab.at(name)); // prettier-ignore
    written = await layersOf(lab);
  });
  afterAll(() => lab.remove());

  it("finds all but the mean and std that the network was trained with, and comes close", async () => {
    const byHand = configIn(lab);
    const outcome = await lab.run("init", "model.onnx", ...NAMES, "--force");
    expectSuccess(outcome);
    const proposed = configIn(lab);
    const { preprocess } = byHand;
    expect({ ...proposed, preprocess }).toEqual({ version: 1, ...byHand });
    expect({ ...proposed.preprocess, mean: 0.5, std: 0.25 }).toEqual(preprocess);
    expect(said(outcome, "check")).toMatch(/^the model runs, and 6\d of 64 samples are right$/);
    lab.json("model.ranklens.json", { ...proposed, preprocess: { ...proposed.preprocess, mean: 0.5, std: 0.25 } });
    expect(await layersOf(lab)).toEqual(written);
  });

  it("of arrays that are normalised already finds everything: the same ranks", async () => {
    for (const split of ["calibration", "validation"]) {
      const file = readFileSync(lab.at(`${split}_images.npy`));
      const pixels = file.subarray(10 + file.readUInt16LE(8));
      const f = Math.fround;
      const data = Float32Array.from(pixels, (pixel) => f(f(f(pixel * f(1 / 255)) - 0.5) / 0.25));
      const dims = [pixels.length / (24 * 24 * 3), 24, 24, 3];
      lab.write(`float/${split}_x.npy`, npyBytes("float32", dims, data));
      copyFileSync(lab.at(`${split}_labels.npy`), lab.at(`float/${split}_y.npy`));
    }
    expectSuccess(await lab.run("init", "model.onnx", "float", "--config", "float.json"));
    expect(configIn(lab, "float.json").preprocess).toEqual({ layout: "NHWC" });
    expect(await layersOf(lab, "--config", "float.json")).toEqual(written);
  });
});
