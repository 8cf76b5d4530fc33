import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { proposeConfig } from "../../src/propose";
import { rejection } from "../calibration/messageOf";
import { cifarRecords, idxBytes } from "../fixtures/imageFiles";
import { writeImages } from "../fixtures/images";
import { about, filled, IMAGENET, label, newDataFolder, pixel, RGB } from "./dataFolder";

const { array, archive, at, modelOf, propose, remove } = newDataFolder();
afterAll(remove);
const rgb = modelOf({ images: RGB });

const refusal = (model: string, ...data: string[]): Promise<string> => rejection(propose(model, ...data));

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
    array("x_train.npy", "uint8", [9, 8, 8, 3]);
    expect(await refusal(two, "x_train.npy")).toBe(
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
  for (const name of ["other", "more_a", "more_b", "more_c"]) array(`${name}.npy`, "uint8", [4, 3, 8, 8]);

  test.each<[string[], string]>([
    [["small.npy"], `the model's input "images" takes [N,3,8,8]; small.npy gives [N,7,7,3]`],
    [["other.npy", "small.npy"], "small.npy gives [N,7,7,3]"],
    [["other.npy", "labels.npy"], "labels.npy has 9 labels, and "],
    [["labels.npy"], "only labels (one number per sample); name the samples too"],
    [["missing.npy"], "missing.npy: no such file; check the path"],
    [["other.npy", "more_a.npy", "more_b.npy", "more_c.npy"], "could each be calibration or validation data"],
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
