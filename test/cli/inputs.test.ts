import { cpSync, linkSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeExternalModel } from "../external/externalModel";
import { writeImages } from "../fixtures/images";
import { cnnLab, expectRefusal, expectSuccess, type CnnLab } from "./lab";

describe("what a run reads is never overwritten, not even with --force", () => {
  let lab: CnnLab;
  let before: Record<string, string>;
  beforeAll(async () => {
    lab = await cnnLab();
    const pictures = { "cat/a.png": [8, 8, "#ff0000"], "dog/deep/b.png": [8, 8, "#0000ff"] } as const;
    await writeImages(lab.at("pictures"), pictures);
    mkdirSync(lab.at("elsewhere"));
    cpSync(lab.at("pictures/cat"), lab.at("elsewhere/ox"), { recursive: true });
    symlinkSync("../elsewhere/ox", lab.at("pictures/ox"));
    lab.write("pictures/notes.txt", "not read by any run");
    lab.json("pictures.json", { calibration: { source: "pictures" } });
    lab.write("batches/data_batch_1.bin", new Uint8Array(3073));
    lab.json("batches.json", { calibration: { source: "batches" } });
    lab.json("several.json", { calibration: { source: { images: "calibration.npy", other: "several.npy" } } });
    cpSync(lab.at("validation.npy"), lab.at("several.npy"));
    writeExternalModel(readFileSync(lab.at("model.onnx")), lab.folder, "external.onnx", () => "data/weights.bin");
    linkSync(lab.at("labels.npy"), lab.at("hardlink.npy"));
    symlinkSync("calibration.npy", lab.at("symlink.npy"));
    expectSuccess(await lab.run("analyze", "model.onnx", "--energy", "0.9", "-r", "report.json"));
    before = lab.files();
  });
  afterAll(() => lab.remove());

  const OWN = ["--config", "model.ranklens.json"];
  it.each<[string, string[], string, RegExp]>([
    ["the model", ["model.onnx"], "model.onnx", /is the model itself/],
    ["external data", ["external.onnx", ...OWN], "data/weights.bin", /is a data file of the model/],
    ["the config beside the model", ["model.onnx"], "model.ranklens.json", /is the config/],
    ["the config that is named", ["model.onnx", "-c", "pictures.json"], "pictures.json", /is the config/],
    ["calibration data", ["model.onnx"], "calibration.npy", /is calibration data/],
    ["calibration data, by a link", ["model.onnx"], "symlink.npy", /is calibration data/],
    ["validation data", ["model.onnx"], "./pictures/../validation.npy", /is validation data/],
    ["labels", ["model.onnx"], "labels.npy", /is the labels of the validation data/],
    ["labels, by a hard link", ["model.onnx"], "hardlink.npy", /is the labels of the validation data/],
    ["data of a second input", ["model.onnx", "-c", "several.json"], "several.npy", /is calibration data/],
    ["an image of a folder", ["model.onnx", "-c", "pictures.json"], "pictures/cat/a.png", /is calibration data/],
    ["one deeper in it", ["model.onnx", "-c", "pictures.json"], "pictures/dog/deep/b.png", /is calibration data/],
    ["one in a folder that is linked", ["model.onnx", "-c", "pictures.json"], "elsewhere/ox/a.png", /is calibration/],
    ["a batch of CIFAR", ["model.onnx", "-c", "batches.json"], "batches/data_batch_1.bin", /is calibration data/],
  ])("%s", async (_, args, target, message) => {
    const refusal = [
      message,
      /an input of this run: it is never overwritten, not even with --force\. Choose another name\.$/,
    ];
    for (const written of [
      ["analyze", "--report"],
      ["analyze", "--html"],
      ["compress", "--output"],
    ]) {
      const [command, flag] = written;
      expectRefusal(await lab.run(command, ...args, flag, target, "--force"), ...refusal);
    }
    expectRefusal(await lab.run("compress", ...args, "-o", "small.onnx", "--report", target, "--force"), ...refusal);
    // Where --force is not given, it is not offered either.
    expectRefusal(await lab.run("compress", ...args, "--output", target), ...refusal);
    expect(lab.files()).toEqual(before);
  });

  it("nor by a compression from a report, which says itself where the data is", async () => {
    const from = ["compress", "model.onnx", "--from", "report.json", "--force"];
    expectRefusal(await lab.run(...from, "-o", "labels.npy"), /is the labels of the validation data/);
    expectRefusal(await lab.run(...from, "-o", "small.onnx", "-r", "calibration.npy"), /is calibration data/);
    expectRefusal(await lab.run(...from, "-o", "report.json"), /is the report with the ranks/);
    expectRefusal(await lab.run(...from, "-o", "small.onnx", "--html", "report.json"), /is the report with the ranks/);
    expect(lab.files()).toEqual(before);
  });

  it("but a report may be brought up to date, and what is not read may go", async () => {
    const other = ["--report", "pictures/notes.txt", "--force"];
    expectSuccess(await lab.run("analyze", "model.onnx", "-c", "pictures.json", "--energy", "0.9", ...other));
    expectSuccess(await lab.run("analyze", "model.onnx", "--weights-only", "--report", "labels.npy", "--force"));
    lab.array("labels.npy", "int64", [100], new Array<number>(100).fill(0));
    expectSuccess(await lab.run("analyze", "model.onnx", "--energy", "0.8", "-r", "report.json", "--force"));
    const update = ["--from", "report.json", "--report", "report.json", "--force"];
    expectSuccess(await lab.run("compress", "model.onnx", "-o", "small.onnx", ...update));
    expect(JSON.parse(readFileSync(lab.at("report.json"), "utf8"))).toMatchObject({
      compressed: { path: "small.onnx" },
    });
  });
});
