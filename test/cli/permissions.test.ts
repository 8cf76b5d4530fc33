import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { writeExternalModel } from "../external/externalModel";
import { writeImages } from "../fixtures/images";
import { npyBytes } from "../fixtures/npy";
import { zipBytes } from "../fixtures/zip";
import { CALIBRATION, cnnLab, expectRefusal, expectSuccess, type CnnLab } from "./lab";
import { IMAGE, images } from "./models";
import { handOver, permissionsHold, runUnprivileged } from "./unprivileged";

const tested = permissionsHold();
if (!tested) console.warn("NOT TESTED: permissions, as no user whom they hold back can run the command line here.");

describe.skipIf(!tested)("what this user may not do is refused in one line, and nothing is written", () => {
  let lab: CnnLab;
  let before: Record<string, string>;
  beforeAll(async () => {
    lab = await cnnLab();
    expectSuccess(await lab.run("analyze", "model.onnx", "-r", "report.json"));
    for (const folder of ["out", "inner", "pictures"]) mkdirSync(lab.at(folder));
    writeExternalModel(readFileSync(lab.at("model.onnx")), lab.folder, "external.onnx", () => "inner/weights.bin");
    await writeImages(lab.at("pictures"), { "cat/a.png": [8, 8, "#ff0000"], "dog/b.png": [8, 8, "#0000ff"] });
    const own = npyBytes("float32", [CALIBRATION, ...IMAGE], images(CALIBRATION, IMAGE, 1));
    lab.write("packed.npz", zipBytes([{ name: "x.npy", data: own }]));
    lab.write("batch.bin", new Uint8Array(3073));
    lab.write("images.idx", Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7));
    handOver(lab, "out", "inner", "pictures");
    before = lab.files();
  });
  beforeEach(() => expect(lab.files()).toEqual(before));
  afterAll(() => lab.remove());

  /** Runs commands while something has other permissions. */
  async function refused(locked: string, mode: number, commands: readonly string[][], ...parts: (string | RegExp)[]) {
    chmodSync(lab.at(locked), mode);
    try {
      for (const command of commands) expectRefusal(await runUnprivileged(lab, ...command), ...parts);
    } finally {
      chmodSync(lab.at(locked), 0o755);
    }
  }
  const analyze = ["analyze", "model.onnx", "-r", "out/report.json"];
  const compress = ["compress", "model.onnx", "-o", "out/small.onnx"];

  it("and this user can work where nothing is in the way", async () => {
    expectSuccess(await runUnprivileged(lab, "analyze", "model.onnx", "--energy", "0.9"));
  });

  it("to read the model", async () => {
    const commands = [["inspect", "model.onnx"], analyze, compress, ["analyze", "model.onnx", "--weights-only"]];
    await refused(
      "model.onnx",
      0o200,
      commands,
      /model\.onnx may not be read \(permission denied\); change its permissions$/,
    );
  });

  it.each(["inner/weights.bin", "inner"])("to read the model's external data: %s", async (locked) => {
    await refused(locked, 0, [["analyze", "external.onnx", "--weights-only"], ["compress", "external.onnx", "-o", "out/small.onnx"]], /external\.onnx keeps weights in "inner\/weights\.bin", which may not be read \(permission denied\)|inner\/weights\.bin may not be read \(permission denied\)/); // prettier-ignore
    expectSuccess(await runUnprivileged(lab, "inspect", "external.onnx"));
  });

  it("to read the config or a report", async () => {
    await refused("model.ranklens.json", 0o200, [analyze, compress], /model\.ranklens\.json may not be read/);
    await refused("report.json", 0o200, [[...compress, "--from", "report.json"]], /report\.json may not be read/);
  });

  it.each([
    ["calibration.npy", "calibration.npy"],
    ["labels.npy", "calibration.npy"],
    ["packed.npz", "packed.npz"],
    ["batch.bin", "batch.bin"],
    ["images.idx", "images.idx"],
    ["pictures", "pictures"],
    ["pictures/cat", "pictures"],
  ])("to read data: %s", async (locked, source) => {
    const config = { calibration: { source }, validation: { source: "validation.npy", labels: "labels.npy" } };
    const name = lab.json("config.json", config);
    before = lab.files();
    await refused(locked, 0, [[...analyze, "-c", name], [...compress, "-c", name]], `${lab.at(locked)} may not be read (permission denied)`); // prettier-ignore
  });

  it("to read an image of a folder: it counts as unreadable", async () => {
    const name = lab.json("pictures.json", { calibration: { source: "pictures" } });
    before = lab.files();
    await refused("pictures/cat/a.png", 0, [[...analyze, "-c", name]], /pictures: .* images cannot be read .*permission denied/); // prettier-ignore
  });

  it("to write into the folder, before any work is done", async () => {
    const energy = ["--energy", "0.9"];
    for (const [locked, mode] of [
      ["out", 0o555],
      ["out", 0],
    ] as const) {
      await refused(locked, mode, [compress, [...compress, "--force"]], /out\/small\.onnx could not be written: permission denied/); // prettier-ignore
      await refused(locked, mode, [analyze, [...analyze, ...energy, "--force"], [...compress.slice(0, 2), "-o", "small.onnx", "-r", "out/report.json"]], /out\/report\.json could not be written: permission denied/); // prettier-ignore
    }
    mkdirSync(lab.at("out/deeper"), { recursive: true });
    await refused("out", 0, [["analyze", "model.onnx", "--html", "out/deeper/page.html"]], /out\/deeper\/page\.html could not be written: permission denied/); // prettier-ignore
  });
});
