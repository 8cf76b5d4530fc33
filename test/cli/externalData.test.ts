import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { writeExternalModel } from "../external/externalModel";
import { cnnLab, expectRefusal, expectSuccess, type CnnLab } from "./lab";

/** The places as the model names them; "data/weights.bin" is where the data is first. */
describe("external data that cannot be read is refused in one line, and nothing is written", () => {
  let lab: CnnLab;
  let bytes: Buffer;
  beforeAll(async () => {
    lab = await cnnLab();
    bytes = readFileSync(lab.at("model.onnx"));
    mkdirSync(lab.at("outside"));
  });
  beforeEach(() => {
    mkdirSync(lab.at("here"));
    cpSync(lab.at("model.ranklens.json"), lab.at("here/model.ranklens.json"));
    for (const name of ["calibration.npy", "validation.npy", "labels.npy"]) cpSync(lab.at(name), lab.at("here", name));
  });
  afterEach(() => rmSync(lab.at("here"), { recursive: true }));
  afterAll(() => lab.remove());

  async function refused(...parts: (string | RegExp)[]): Promise<void> {
    const before = lab.files();
    for (const args of [
      ["analyze", "-r", "report.json"],
      ["analyze", "--weights-only"],
      ["compress", "-o", "small.onnx"],
    ]) {
      expectRefusal(await lab.run(...args, "here/model.onnx"), /here\/model\.onnx/, ...parts);
    }
    expect(lab.files()).toEqual(before);
    expectSuccess(await lab.run("inspect", "here/model.onnx"));
  }
  const write = (location: string): void =>
    void writeExternalModel(bytes, lab.at("here"), "model.onnx", () => location);
  const OUTSIDE = /which is outside its folder \S+: such a file is never read\. Put the weights beside the model\.$/;

  it("missing", async () => {
    write("data/weights.bin");
    rmSync(lab.at("here/data/weights.bin"));
    await refused(/keeps weights in "data\/weights\.bin", and \S+\/here has no such file: put it there\.$/);
  });

  it("short", async () => {
    write("data/weights.bin");
    truncateSync(lab.at("here/data/weights.bin"), 5000);
    await refused(/"data\/weights\.bin" has 5000 bytes, but tensor "\w+" ends at byte \d+ of it: it is truncated, or belongs to another model\.$/); // prettier-ignore
  });

  it("outside the folder, through a link to the file", async () => {
    write("data/weights.bin");
    renameSync(lab.at("here/data/weights.bin"), lab.at("outside/weights.bin"));
    symlinkSync(lab.at("outside/weights.bin"), lab.at("here/data/weights.bin"));
    await refused(OUTSIDE);
  });

  it("outside the folder, through a link to a folder", async () => {
    write("data/weights.bin");
    cpSync(lab.at("here/data"), lab.at("outside"), { recursive: true, force: true });
    rmSync(lab.at("here/data"), { recursive: true });
    symlinkSync("../outside", lab.at("here/data"));
    await refused(OUTSIDE);
  });

  it("outside the folder, by ..", async () => {
    write("../outside/weights.bin");
    await refused(OUTSIDE, '"../outside/weights.bin"');
  });

  it("outside the folder, by an absolute path", async () => {
    const location = path.join(lab.at("outside"), "weights.bin");
    // Written where a path joined to the model's folder leads: the content does not matter.
    write(location);
    await refused(OUTSIDE, JSON.stringify(location));
  });

  it("but through links that stay inside it is", async () => {
    write("data/weights.bin");
    renameSync(lab.at("here/data"), lab.at("here/real"));
    symlinkSync("real", lab.at("here/data"));
    expectSuccess(await lab.run("analyze", "here/model.onnx", "--energy", "0.9"));
  });
});
