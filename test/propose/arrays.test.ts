import { afterAll, describe, expect, test } from "vitest";
import type { SampleType } from "../../src/calibration/source";
import type { Shape } from "../../src/onnx/schema";
import { about, IMAGENET, label, newDataFolder, pixel, RGB } from "./dataFolder";

const { array, archive, modelOf, propose, remove } = newDataFolder();
afterAll(remove);
const rgb = modelOf({ images: RGB });

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
