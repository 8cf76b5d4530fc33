import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { SampleType } from "../../src/calibration/source";
import { relativeConfig } from "../../src/config";
import type { Shape } from "../../src/onnx/schema";
import { proposeConfig } from "../../src/propose";
import type { Proposal } from "../../src/propose/proposal";
import { rejection } from "../calibration/messageOf";
import { cifarRecords, idxBytes } from "../fixtures/imageFiles";
import { writeImages } from "../fixtures/images";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { npyBytes, writeNpy } from "../fixtures/npy";
import { zipBytes } from "../fixtures/zip";

const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "ranklens-propose-")));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]): string => path.join(folder, ...names);

let models = 0;
/** A model with inputs of these shapes. */
function modelOf(inputs: Readonly<Record<string, Shape>>): string {
  const names = Object.keys(inputs);
  const file = at(`model${models++}.onnx`);
  const bytes = modelBytes({
    nodes: [node("Sum", names, "y")],
    inputs: names.map((name) => value(name, inputs[name])),
    outputs: [untyped("y")],
  });
  writeFileSync(file, bytes);
  return file;
}

const RGB: Shape = ["n", 3, 8, 8];
const rgb = modelOf({ images: RGB });

function filled(dims: readonly number[], next: (index: number) => number): number[] {
  return Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, index) => next(index));
}

const pixel = (index: number): number => (37 * index) % 256;

function array(name: string, type: SampleType, dims: readonly number[], next = pixel): string {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  return writeNpy(at(name), type, dims, filled(dims, next));
}

function archive(name: string, arrays: Readonly<Record<string, [SampleType, number[]]>>): string {
  const entries = Object.entries(arrays).map(([member, [type, dims]]) => ({
    name: `${member}.npy`,
    data: npyBytes(type, dims, filled(dims, type === "int64" ? (index) => index % 5 : pixel)),
  }));
  writeFileSync(at(name), zipBytes(entries));
  return at(name);
}

const label = (index: number): number => index % 5;

/** The config with paths relative to the folder, and the proposal. */
async function propose(model: string, ...data: string[]) {
  const proposal = await proposeConfig({ model, data: data.map((name) => at(name)) });
  return { ...proposal, config: relativeConfig(proposal.config, folder) };
}

const refusal = (model: string, ...data: string[]): Promise<string> => rejection(propose(model, ...data));

const about = ({ assumptions }: Pick<Proposal, "assumptions">, what: string): string =>
  assumptions.filter((one) => one.about === what).map(({ text }) => text).join("\n"); // prettier-ignore

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

describe("NumPy files", () => {
  array("np/x_test.npy", "uint8", [6, 8, 8, 3]);
  array("np/y_test.npy", "int64", [6], label);
  array("np/x_train.npy", "uint8", [9, 8, 8, 3]);
  array("np/y_train.npy", "uint8", [9, 1], label);
  const expected = {
    calibration: { source: "np/x_train.npy", labels: "np/y_train.npy" },
    validation: { source: "np/x_test.npy", labels: "np/y_test.npy" },
    preprocess: { layout: "NHWC", scale: 1 / 255, ...IMAGENET },
    tolerance: 0.1,
  };

  test.each([
    ["by their names, whatever their order", ["np/x_test.npy", "np/y_train.npy", "np/y_test.npy", "np/x_train.npy"]],
    ["of a folder", ["np"]],
  ])("%s", async (_, data) => {
    const proposal = await propose(rgb, ...data);
    expect(proposal.config).toEqual(expected);
    expect(about(proposal, "layout")).toBe(
      'NHWC, since x_train.npy has [N,8,8,3] and the input "images" takes [N,3,8,8]',
    );
    expect(about(proposal, "labels")).toBe("y_train.npy (class numbers up to 4); y_test.npy (class numbers up to 4)");
    expect(about(proposal, "tolerance")).toContain("less than one of 6 samples (17 points)");
    expect(proposal.questions[0].options[0].preprocess).toEqual(proposal.config.preprocess);
    expect(proposal.questions[0].options.length).toBeGreaterThan(3);
  });

  test("without telling names: by their order, labels by their number", async () => {
    array("plain/a.npy", "float32", [6, 3, 8, 8], (index) => Math.sin(index));
    array("plain/b.npy", "float32", [4, 3, 8, 8]);
    array("plain/c.npy", "int32", [4], label);
    const { config } = await propose(rgb, "plain/c.npy", "plain/a.npy", "plain/b.npy");
    expect(config).toMatchObject({
      calibration: { source: "plain/a.npy" },
      validation: { source: "plain/b.npy", labels: "plain/c.npy" },
      preprocess: { layout: "NCHW" },
    });
    expect(config.calibration).not.toHaveProperty("labels");
    expect(config.preprocess).toEqual({ layout: "NCHW" });
  });

  test("one array: both, with a word about it; without labels accuracy is agreement", async () => {
    const proposal = await propose(rgb, "plain/a.npy");
    expect(proposal.config).toMatchObject({ calibration: { source: "plain/a.npy" }, validation: { source: "plain/a.npy" } }); // prettier-ignore
    expect(about(proposal, "validation")).toMatch(/^the same samples, .*keep some apart/);
    expect(about(proposal, "labels")).toMatch(/^none .*agreement/);
    expect(about(proposal, "values")).toMatch(/^as they are: float32 values from -1 to 1 in 6 samples$/);
  });

  test("large data gets a limit, and the lines say so", async () => {
    array("large/train.npy", "float32", [2500, 4], Math.sin);
    array("large/val.npy", "float32", [3000, 4], Math.sin);
    const proposal = await propose(modelOf({ x: ["n", 4] }), "large/train.npy", "large/val.npy");
    expect(proposal.config).toEqual({
      calibration: { source: "large/train.npy", limit: 2000 },
      validation: { source: "large/val.npy", limit: 2000 },
      tolerance: 0.1,
    });
    expect(about(proposal, "calibration")).toBe("train.npy: NumPy array, 2,000 of 2,500 samples (limit); by its name");
    expect(about(proposal, "tolerance")).not.toContain("less than one");
  });

  test("in folders that are called by their use; the folder of all tells nothing", async () => {
    for (const split of ["train", "val"]) {
      array(`test/${split}/images.npy`, "uint8", [4, 3, 8, 8]);
      array(`test/${split}/labels.npy`, "int64", [4], label);
    }
    const expected = {
      calibration: { source: "test/train/images.npy", labels: "test/train/labels.npy" },
      validation: { source: "test/val/images.npy", labels: "test/val/labels.npy" },
    };
    expect((await propose(rgb, "test")).config).toMatchObject(expected);
    const files = ["val/labels.npy", "train/images.npy", "val/images.npy", "train/labels.npy"];
    expect((await propose(rgb, ...files.map((name) => `test/${name}`))).config).toMatchObject(expected);
  });

  test("val goes before test, which is then said not to be used", async () => {
    for (const split of ["train", "val", "test"]) array(`three/${split}.npy`, "uint8", [4, 3, 8, 8]);
    const proposal = await propose(rgb, "three");
    expect(proposal.config).toMatchObject({ calibration: { source: "three/train.npy" }, validation: { source: "three/val.npy" } }); // prettier-ignore
    expect(about(proposal, "not used")).toBe("test.npy");
  });

  test("archives: arrays by their names; what cannot be used is passed over", async () => {
    archive("keras.npz", {
      x_train: ["uint8", [6, 8, 8, 3]],
      y_train: ["int64", [6]],
      x_test: ["uint8", [5, 8, 8, 3]],
      y_test: ["int64", [5]],
      names: ["int64", []],
    });
    const proposal = await propose(rgb, "keras.npz");
    expect(proposal.config).toMatchObject({
      calibration: { source: "keras.npz#x_train", labels: "keras.npz#y_train" },
      validation: { source: "keras.npz#x_test", labels: "keras.npz#y_test" },
    });
    expect(about(proposal, "not used")).toContain("keras.npz#names holds a single number");
    archive("one.npz", { only: ["uint8", [6, 3, 8, 8]] });
    expect((await propose(rgb, "one.npz")).config).toMatchObject({ calibration: { source: "one.npz" } });
  });

  test.each<[string, Shape, number[], object]>([
    ["the model's own order", RGB, [4, 3, 8, 8], { layout: "NCHW" }],
    ["channels last for a model that takes them so", ["n", 8, 8, 3], [4, 8, 8, 3], { layout: "NHWC" }],
    ["channels first for one that takes them last", ["n", 8, 8, 3], [4, 3, 8, 8], { layout: "NCHW" }],
    ["channels last, any size taken", ["n", 3, "h", "w"], [4, 9, 7, 3], { layout: "NHWC" }],
    ["channels first, nothing known", ["n", null, null, null], [4, 1, 9, 7], { layout: "NCHW" }],
    ["channels last, nothing known", null, [4, 9, 7, 1], { layout: "NHWC" }],
  ])("layout: %s", async (_, shape, dims, expected) => {
    array("layout.npy", "uint8", dims);
    expect((await propose(modelOf({ x: shape }), "layout.npy")).config.preprocess).toMatchObject(expected);
  });

  test.each<[string, SampleType, (index: number) => number, object | undefined]>([
    ["bytes", "uint8", pixel, { layout: "NCHW", scale: 1 / 255, ...IMAGENET }],
    ["floats up to 255", "float32", pixel, { layout: "NCHW", scale: 1 / 255, ...IMAGENET }],
    ["floats up to 1", "float32", (i) => pixel(i) / 255, { layout: "NCHW" }],
    ["floats below 0", "float32", Math.sin, { layout: "NCHW" }],
    ["bits", "uint8", (i) => i % 2, { layout: "NCHW" }],
    ["16 bits", "uint16", (i) => 300 * i, { layout: "NCHW" }],
  ])("values: %s", async (_, type, next, expected) => {
    array("values.npy", type, [5, 3, 8, 8], next);
    expect((await propose(rgb, "values.npy")).config.preprocess).toEqual(expected);
  });
});

describe("image and idx files", () => {
  const JPEGS = { "cat/1.jpg": [9, 12, "#804020"], "dog/1.jpg": [20, 10, "#102030"] } as const;

  test("class folders of JPEGs in train/ and val/", async () => {
    await writeImages(at("photos/train"), { ...JPEGS, "cat/2.jpg": [8, 8, "#000000"] });
    await writeImages(at("photos/val"), JPEGS);
    const expected = {
      calibration: { source: "photos/train" },
      validation: { source: "photos/val" },
      preprocess: { resize: 9, crop: 8, scale: 1 / 255, ...IMAGENET },
      tolerance: 0.1,
    };
    const proposal = await propose(rgb, "photos/train", "photos/val");
    expect(proposal.config).toEqual(expected);
    expect(Object.keys(proposal.config.preprocess ?? {})).toEqual(["resize", "crop", "scale", "mean", "std"]);
    expect((await propose(rgb, "photos")).config).toEqual(expected);
    expect(about(proposal, "labels")).toBe('the class folders, alphabetically: 0 is "cat", 1 is "dog"');
    expect(about(proposal, "channels")).toMatch(/^RGB/);
    expect(about(proposal, "size")).toMatch(/^images differ in size, .* resized to 9, the centre 8×8 cropped/);
    const grey = await propose(modelOf({ x: ["n", 1, 8, 8] }), "photos");
    expect(grey.config.preprocess).toEqual({ resize: 9, crop: 8, scale: 1 / 255 });
    expect(about(grey, "channels")).toMatch(/^grey/);
  });

  test("a class that is called train is a class", async () => {
    await writeImages(at("vehicles"), { "bus/1.png": [8, 8, "#804020"], "train/1.png": [8, 8, "#102030"] });
    expect((await propose(rgb, "vehicles")).config.calibration).toEqual({ source: "vehicles" });
    const classes = ["boat", "bullet train", "bus", "car", "test car", "van"];
    const images = Object.fromEntries(classes.map((name) => [`${name}/1.png`, [8, 8, "#804020"] as const]));
    await writeImages(at("more vehicles"), images);
    expect((await propose(rgb, "more vehicles")).config.calibration).toEqual({ source: "more vehicles" });
    for (const split of ["seg_train", "seg_test", "seg_pred"]) await writeImages(at("seg", split), images);
    expect((await propose(rgb, "seg")).config).toMatchObject({ calibration: { source: "seg/seg_train" }, validation: { source: "seg/seg_test" } }); // prettier-ignore
  });

  test("what is doubtful about the folders is said", async () => {
    await writeImages(at("numbers"), { "9/1.png": [8, 8, "#804020"], "10/1.png": [8, 8, "#102030"] });
    expect(about(await propose(rgb, "numbers"), "warning")).toContain('"10" is class 0 and "9" class 1');
  });

  test("images alone with a file of labels beside them", async () => {
    await writeImages(at("flat"), { "1.png": [8, 8, "#804020"], "2.png": [8, 8, "#102030"] });
    array("flat/labels.npy", "int64", [2], label);
    expect((await propose(rgb, "flat")).config).toMatchObject({
      calibration: { source: "flat", labels: "flat/labels.npy" },
      preprocess: { scale: 1 / 255 },
    });
  });

  test("images that only some headers show to differ", async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i + 100}.png`, [8, i < 20 ? 8 : 9, "#804020"] as const])); // prettier-ignore
    await writeImages(at("many"), many);
    expect((await propose(rgb, "many")).config.preprocess).toMatchObject({ resize: 9, crop: 8 });
  });

  test("MNIST's four files, packed or not", async () => {
    mkdirSync(at("mnist"));
    const write = (name: string, dims: number[], next: (i: number) => number): void =>
      writeFileSync(at("mnist", name), idxBytes(dims, filled(dims, next)));
    write("train-images-idx3-ubyte", [6, 8, 8], pixel);
    write("train-labels-idx1-ubyte", [6], label);
    write("t10k-images-idx3-ubyte", [4, 8, 8], pixel);
    write("t10k-labels-idx1-ubyte", [4], label);
    writeFileSync(at("mnist/t10k-images-idx3-ubyte.gz"), "the same, packed");
    expect((await propose(modelOf({ x: ["n", 1, 8, 8] }), "mnist")).config).toEqual({
      calibration: { source: "mnist/train-images-idx3-ubyte", labels: "mnist/train-labels-idx1-ubyte" },
      validation: { source: "mnist/t10k-images-idx3-ubyte", labels: "mnist/t10k-labels-idx1-ubyte" },
      preprocess: { scale: 1 / 255 },
      tolerance: 0.1,
    });
  });

  test("CIFAR's folder: the training batches, and the test batch beside them", async () => {
    mkdirSync(at("cifar"));
    writeFileSync(at("cifar/data_batch_1.bin"), cifarRecords([[1], [2], [3]]));
    writeFileSync(at("cifar/test_batch.bin"), cifarRecords([[1], [2]]));
    const { config } = await propose(modelOf({ x: ["n", 3, 32, 32] }), "cifar");
    expect(config).toEqual({
      calibration: { source: "cifar" },
      validation: { source: "cifar/test_batch.bin" },
      preprocess: { scale: 1 / 255, ...IMAGENET },
      tolerance: 0.1,
    });
  });
});

describe("several inputs", () => {
  const two = modelOf({ left: ["n", 4], right: ["n", 6], flag: ["n", 4] });

  test("arrays by their names, left over ones by shape; labels are no input", async () => {
    archive("two.npz", {
      left: ["float32", [5, 4]],
      something: ["float32", [5, 6]],
      flag: ["float32", [5, 4]],
      y: ["int64", [5]],
    });
    const { config } = await propose(two, "two.npz");
    expect(config.calibration).toEqual({
      source: { left: "two.npz#left", right: "two.npz#something", flag: "two.npz#flag" },
      labels: "two.npz#y",
    });
  });

  test("files by their names and splits", async () => {
    for (const split of ["train", "val"]) {
      array(`pairs/${split}_left.npy`, "float32", [5, 4], Math.sin);
      array(`pairs/${split}_right.npy`, "float32", [5, 4], Math.sin);
    }
    const { config } = await propose(modelOf({ left: ["n", 4], right: ["n", 4] }), "pairs");
    expect(config).toEqual({
      calibration: { source: { left: "pairs/train_left.npy", right: "pairs/train_right.npy" } },
      validation: { source: { left: "pairs/val_left.npy", right: "pairs/val_right.npy" } },
      tolerance: 0.1,
    });
  });

  test("preprocessing is for the input with images, by its name", async () => {
    array("mixed/image.npy", "uint8", [5, 8, 8, 3]);
    array("mixed/age.npy", "float32", [5, 1], Math.sin);
    const model = modelOf({ age: ["n", 1], image: RGB });
    const proposal = await propose(model, "mixed");
    expect(proposal.config.preprocess).toEqual({ input: "image", layout: "NHWC", scale: 1 / 255, ...IMAGENET });
    expect(proposal.questions[0].about).toBe('values of "image"');
    expect(about(proposal, 'values of "age"')).toMatch(/^as they are/);
  });

  test("a missing one and an ambiguous one are named with the shape", async () => {
    expect(await refusal(two, "np/x_train.npy")).toBe(
      `the model's input "left" takes [N,4], and x_train.npy has another shape; name its data too, as "left.npy" or in an archive`,
    );
    archive("vague.npz", { a: ["float32", [5, 4]], b: ["float32", [5, 4]] });
    expect(await refusal(modelOf({ left: ["n", 4], right: ["n", 4] }), "vague.npz")).toMatch(
      /^the model's input "left" takes \[N,4\], and vague\.npz#a, vague\.npz#b could be meant; call the right one "left"$/,
    );
  });
});

describe("data that cannot be meant", () => {
  array("grey.npy", "uint8", [4, 28, 28]);
  array("small.npy", "uint8", [4, 7, 7, 3]);
  array("labels.npy", "int64", [9], label);
  array("other.npy", "uint8", [4, 3, 8, 8]);

  test.each<[string[], string]>([
    [["small.npy"], `the model's input "images" takes [N,3,8,8]; small.npy gives [N,7,7,3]`],
    [["other.npy", "small.npy"], "small.npy gives [N,7,7,3]"],
    [["other.npy", "labels.npy"], "labels.npy has 9 labels, and "],
    [["labels.npy"], "only labels (one number per sample); name the samples too"],
    [["missing.npy"], "missing.npy: no such file; check the path"],
    [["other.npy", "np/x_train.npy", "plain/a.npy", "plain/b.npy"], "could each be calibration or validation data"],
  ])("%j", async (data, part) => {
    expect(await refusal(rgb, ...data)).toContain(part);
  });

  test("what would be needed is said where one axis is missing", async () => {
    expect(await refusal(modelOf({ x: ["n", 1, 28, 28] }), "grey.npy")).toMatch(/array\[:, np\.newaxis\]$/);
  });

  test("images for a model that takes none", async () => {
    await writeImages(at("pictures"), { "1.png": [8, 8, "#804020"] });
    expect(await refusal(modelOf({ x: ["n", 3, 8, 8, 8] }), "pictures")).toBe(
      `the model's input "x" takes [N,3,8,8,8]; pictures is a folder of images`,
    );
  });

  test("two sources with the same use, and a folder of thousands of arrays", async () => {
    array("train_a.npy", "uint8", [4, 3, 8, 8]);
    array("train_b.npy", "uint8", [4, 3, 8, 8]);
    expect(await refusal(rgb, "train_a.npy", "train_b.npy")).toMatch(/^train_a\.npy, train_b\.npy could each be .*name only/); // prettier-ignore
    for (let i = 0; i < 101; i++) array(`shards/${i}.npy`, "uint8", [1, 3, 8, 8]);
    expect(await refusal(rgb, "shards")).toContain("has 101 data files (0.npy, …), and at most 100 are looked at");
    expect(await rejection(proposeConfig({ model: rgb, data: [] }))).toMatch(/^No data/);
  });
});
