import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema";
import { modelReportSchema, type LayerReport } from "../../src/report";
import { floats, runOutput, weight } from "../fixtures/data";
import { cifarRecords, idxBytes } from "../fixtures/imageFiles";
import { writeImages } from "../fixtures/images";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { npyBytes } from "../fixtures/npy";
import { zipBytes } from "../fixtures/zip";
import { answers, expectRefusal, expectSuccess, newLab, predict, type Lab, type Outcome } from "./lab";
import { CLASSES, cnnSpec, IMAGE } from "./models";

const EXAMPLE = path.resolve(import.meta.dirname, "../../examples/shapes");
const SIZE = IMAGE.reduce((a, b) => a * b, 1);

function configIn(lab: Lab, name = "model.ranklens.json") {
  return configSchema.parse(JSON.parse(readFileSync(lab.at(name), "utf8")));
}

async function layersOf(lab: Lab, ...args: string[]): Promise<readonly LayerReport[]> {
  expectSuccess(
    await lab.run("analyze", "model.onnx", "--energy", "0.9", "--report", "report.json", "--force", ...args),
  );
  return modelReportSchema.parse(JSON.parse(readFileSync(lab.at("report.json"), "utf8"))).layers;
}

/** What the command said about something. */
function said({ stdout }: Outcome, about: string): string {
  const line = stdout.split("\n").find((one) => one.startsWith(`${about}  `));
  return line?.slice(about.length).trim() ?? "";
}

describe("ranklens init for data of every kind", () => {
  let lab: Lab;
  beforeAll(() => {
    lab = newLab();
    lab.write("model.onnx", modelBytes(cnnSpec()));
  });
  afterAll(() => lab.remove());

  it("class folders of JPEGs: writes a config that analyze takes, and says how to go on", async () => {
    for (const [split, count] of [
      ["train", 4],
      ["val", 2],
    ] as const) {
      const names = Array.from({ length: CLASSES * count }, (_, i) => `class${i % CLASSES}/${i}.jpg`);
      const colour = (i: number): string => `#${(0x1f3d7b * (i + 3)).toString(16).slice(-6).padStart(6, "0")}`;
      await writeImages(lab.at("my photos", split), Object.fromEntries(names.map((name, i) => [name, [10 + i, 12, colour(i)]]))); // prettier-ignore
    }
    const before = lab.files();
    const outcome = await lab.run("init", "model.onnx", "my photos/train/", "my photos/val");
    expectSuccess(outcome);
    expect(lab.files()).toEqual({ ...before, "model.ranklens.json": expect.any(String) as string });
    expect(configIn(lab)).toEqual({
      version: 1,
      calibration: { source: "my photos/train" },
      validation: { source: "my photos/val" },
      preprocess: { resize: 9, crop: 8, ...configIn(lab).preprocess },
      tolerance: 0.1,
    });
    expect(readFileSync(lab.at("model.ranklens.json"), "utf8")).toMatch(
      /^\{\n {2}"version": 1,\n {2}"calibration": \{\n/,
    );
    expect(said(outcome, "calibration")).toBe("train: image folder with class folders, 20 images; by its name");
    expect(said(outcome, "labels")).toContain('0 is "class0"');
    expect(said(outcome, "size")).toContain("images differ in size");
    expect(said(outcome, "values")).toMatch(/\d+ of 10 samples are right so \(.*0 to 1: \d+/);
    expect(outcome.stdout.trimEnd().split("\n").slice(-2)).toEqual([
      "Written  model.ranklens.json",
      "Next     ranklens analyze model.onnx",
    ]);
    expect(await layersOf(lab)).toHaveLength(5);
  });

  it("refuses to overwrite before it looks at anything, and does with --force", async () => {
    const before = lab.files();
    expectRefusal(await lab.run("init", "model.onnx", "missing.npy"), "model.ranklens.json exists already", "--force");
    expect(lab.files()).toEqual(before);
    lab.write("model.ranklens.json", "of another time");
    expectSuccess(await lab.run("init", "model.onnx", "my photos", "--force"));
    expect(configIn(lab).calibration).toEqual({ source: "my photos/train" });
  });

  it("--print shows the config and writes nothing", async () => {
    const before = lab.files();
    const outcome = await lab.run("init", "model.onnx", "my photos", "--print");
    expectSuccess(outcome);
    expect(lab.files()).toEqual(before);
    const text = outcome.stdout.slice(outcome.stdout.indexOf("\n{"));
    expect(JSON.parse(text)).toEqual(configIn(lab));
    expect(outcome.stdout).not.toContain("Written");
  });

  it("--config names another target, whose folder paths start at", async () => {
    mkdirSync(lab.at("configs"));
    const outcome = await lab.run("init", "model.onnx", "my photos", "--config", "configs/my config.json");
    expectSuccess(outcome);
    expect(configIn(lab, "configs/my config.json").validation).toEqual({ source: "../my photos/val" });
    expect(outcome.stdout).toContain('ranklens analyze model.onnx --config "configs/my config.json"\n');
    expect(await layersOf(lab, "--config", "configs/my config.json")).toHaveLength(5);
  });

  it("never writes over the model or the data, even with --force", async () => {
    lab.array("x.npy", "float32", [9, ...IMAGE], floats(9 * SIZE, 1));
    const before = lab.files();
    expectRefusal(await lab.run("init", "model.onnx", "x.npy", "-f", "-c", "model.onnx"), "is the model itself");
    expectRefusal(await lab.run("init", "model.onnx", "x.npy", "-f", "-c", "x.npy"), "is a data file itself");
    expect(lab.files()).toEqual(before);
  });

  it("data that does not fit is refused in one line with the shapes, and nothing is written", async () => {
    lab.array("wide.npy", "uint8", [4, 8, 9, 3], new Array<number>(4 * 216).fill(1));
    lab.array("nan.npy", "float32", [9, ...IMAGE], new Array<number>(9 * SIZE).fill(NaN));
    lab.array("y.npy", "int64", [9], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const before = lab.files();
    const run = (...args: string[]): Promise<Outcome> => lab.run("init", "model.onnx", ...args, "-c", "new.json");
    expectRefusal(await run("wide.npy"), "takes [N,3,8,8]; wide.npy gives [N,8,9,3]");
    expectRefusal(await run("nan.npy"), "nothing is written", "--print", "nan.npy: sample 0 has the value NaN");
    expectRefusal(
      await run("x.npy", "y.npy"),
      "nothing is written",
      "y.npy: label 5 is 5, and the model has 5 classes",
    );
    const shown = await run("x.npy", "y.npy", "--print");
    expect(shown.status).toBe(1);
    expect(shown.stdout).toContain('"labels": "y.npy"');
    expect(shown.stderr).toMatch(/^ranklens: the proposed config does not work, correct it .*label 5 is 5/);
    expectRefusal(await lab.run("init", "gone.onnx", "x.npy"), "gone.onnx: no such file");
    expect(lab.files()).toEqual(before);
  });

  it("archives and a single source: accuracy is measured on the same samples", async () => {
    const images = floats(40 * SIZE, 3);
    const labels = answers(await predict(modelBytes(cnnSpec()), 40, images));
    const entries = [
      { name: "images.npy", data: npyBytes("float32", [40, ...IMAGE], images) },
      { name: "labels.npy", data: npyBytes("int64", [40], labels) },
    ];
    lab.write("data.npz", zipBytes(entries));
    const outcome = await lab.run("init", "model.onnx", "data.npz", "-f");
    expectSuccess(outcome);
    const data = { source: "data.npz#images", labels: "data.npz#labels" };
    expect(configIn(lab)).toMatchObject({ calibration: data, validation: data });
    expect(said(outcome, "validation")).toContain("keep some apart");
    expect(said(outcome, "check")).toBe("the model runs, and 40 of 40 samples are right");
    expectSuccess(await lab.run("analyze", "model.onnx"));

    lab.array("wrong.npy", "int64", [40], labels.map((label) => (label + 1) % CLASSES)); // prettier-ignore
    lab.array("images.npy", "float32", [40, ...IMAGE], images);
    const wrong = await lab.run("init", "model.onnx", "images.npy", "wrong.npy", "-f");
    expect(said(wrong, "check")).toMatch(/^the model runs, and 0 of 40 samples are right, near chance for 5 classes: /);
    const unlabelled = await lab.run("init", "model.onnx", "images.npy", "-f");
    expect(said(unlabelled, "labels")).toContain("agreement");
    expect(said(unlabelled, "check")).toBe("the model runs on a few samples");
    expect(configIn(lab).validation).toEqual({ source: "images.npy" });
  });
});

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

  it("two inputs, and a model without class scores: no validation data", async () => {
    lab.write(
      "model.onnx",
      modelBytes({
        nodes: [
          node("MatMul", ["left", "w1"], "a"),
          node("MatMul", ["right", "w2"], "b"),
          node("Add", ["a", "b"], "c"),
          node("ReduceSum", ["c"], "y", { keepdims: 0 }),
        ],
        initializers: [weight("w1", [4, 3], 1), weight("w2", [6, 3], 2)],
        inputs: [value("left", ["n", 4]), value("right", ["n", 6])],
        outputs: [untyped("y")],
      }),
    );
    lab.array("left.npy", "float32", [20, 4], floats(80, 1));
    lab.array("right.npy", "float32", [20, 6], floats(120, 2));
    const outcome = await lab.run("init", "model.onnx", "right.npy", "left.npy", "-f");
    expectSuccess(outcome);
    expect(configIn(lab)).toEqual({
      version: 1,
      calibration: { source: { left: "left.npy", right: "right.npy" } },
      tolerance: 0.1,
    });
    expect(said(outcome, "validation")).toMatch(/^none: the model has no output with one score per class/);
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
    expect(existsSync(lab.at("float.json"))).toBe(true);
  });
});
