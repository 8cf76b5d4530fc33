import { mkdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { floats } from "../fixtures/data";
import { writeImages } from "../fixtures/images";
import { modelBytes } from "../fixtures/model";
import { npyBytes } from "../fixtures/npy";
import { zipBytes } from "../fixtures/zip";
import { configIn, layersOf, said } from "./initialised";
import { answers, expectRefusal, expectSuccess, newLab, predict, type Lab, type Outcome } from "./lab";
import { CLASSES, cnnSpec, IMAGE } from "./models";

const SIZE = IMAGE.reduce((a, b) => a * b, 1);

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
    expectRefusal(
      await lab.run("init", "model.onnx", "x.npy", "-f", "-c", "model.onnx"),
      "is the model, an input of this run",
    );
    expectRefusal(
      await lab.run("init", "model.onnx", "x.npy", "-f", "-c", "x.npy"),
      "is a data file, an input of this run",
    );
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
