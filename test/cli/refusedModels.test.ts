import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cnnLab, complaints, expectRefusal, type CnnLab } from "./lab";
import { cnnWith, withoutLayers } from "./models";

const PNG = Uint8Array.from([
  0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 1, 0,
]);

describe("a model that cannot be used is refused in one line, and nothing is written", () => {
  let lab: CnnLab;
  let whole: Buffer;
  beforeAll(async () => {
    lab = await cnnLab();
    whole = readFileSync(lab.at("model.onnx"));
  });
  afterAll(() => lab.remove());

  const commands = [
    ["inspect"],
    ["inspect", "--json"],
    ["analyze", "--report", "report.json"],
    ["analyze", "--weights-only", "--report", "report.json"],
    ["compress", "--output", "small.onnx", "--report", "report.json"],
  ];

  async function refusedByAll(model: string, which: typeof commands, ...parts: (string | RegExp)[]): Promise<void> {
    const before = lab.files();
    for (const command of which) expectRefusal(await lab.run(...command, model), model, ...parts);
    expect(lab.files()).toEqual(before);
  }

  it("where it is missing, whether or not there is a config", async () => {
    await refusedByAll("missing.onnx", commands, /no such file; check the path/);
    mkdirSync(lab.at("empty folder"));
    await refusedByAll("empty folder/missing.onnx", commands, /no such file; check the path/);
    await refusedByAll("no folder/missing.onnx", commands, /no such file; check the path/);
  });

  it("where it is a folder", async () => {
    mkdirSync(lab.at("folder.onnx"));
    await refusedByAll("folder.onnx", commands, /is not a file; name the file itself/);
  });

  it.skipIf(process.platform === "win32")("where it is a named pipe that nobody writes to, or a device", async () => {
    execFileSync("mkfifo", [lab.at("pipe.onnx")]);
    await refusedByAll("pipe.onnx", commands, /is not a file; name the file itself/);
    rmSync(lab.at("pipe.onnx"));
    await refusedByAll("/dev/null", commands, /is not a file; name the file itself/);
  });

  it.each([
    ["a picture", PNG],
    ["text", "The quick brown fox jumps over the lazy dog.\n"],
    ["JSON", '{"calibration": {"source": "images.npy"}}\n'],
    ["a web page", "<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n"],
    ["zeros", new Uint8Array(4096)],
    ["an array", Buffer.from("\u0093NUMPY\u0001\u0000v\u0000{'descr': '<f4'}", "latin1")],
    ["a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1092225\n"],
  ])("where it is %s", async (_, content) => {
    lab.write("odd.onnx", content);
    await refusedByAll("odd.onnx", commands, /is not an ONNX model/);
  });

  it("where it is empty", async () => {
    lab.write("empty.onnx", "");
    await refusedByAll("empty.onnx", commands, /is empty: it is not an ONNX model/);
  });

  it("where it is cut off, anywhere", async () => {
    const cuts = [1, 2, 3, 10, 17, 60, 500, 2000, whole.length / 2, whole.length - 300, whole.length - 30, whole.length - 1]; // prettier-ignore
    for (const cut of cuts) {
      lab.write("cut.onnx", whole.subarray(0, Math.floor(cut)));
      await refusedByAll("cut.onnx", commands.slice(0, 1), /is not an ONNX model/);
    }
    lab.write("cut.onnx", whole.subarray(0, 5000));
    await refusedByAll("cut.onnx", commands, /truncated or damaged: at byte \d+, .* bytes, \d+ are left/);
  });

  it("where nothing in it can be analysed; inspect shows it nevertheless", async () => {
    lab.write("plain.onnx", withoutLayers());
    await refusedByAll("plain.onnx", commands.slice(2), /has no analysable layer \(MatMul, Gemm or Conv/);
    const { status, stdout, stderr } = await lab.run("inspect", "plain.onnx");
    expect({ status, complaints: complaints(stderr) }).toEqual({ status: 0, complaints: [] });
    expect(stdout).toContain("No analysable layer.");
  });

  it("where it gives NaN", async () => {
    for (const weight of ["grouped", "depthwise"]) {
      lab.write("nan.onnx", cnnWith(weight, 5, NaN));
      const which = [commands[2], commands[4]];
      await refusedByAll("nan.onnx", which, /gives NaN in its output "scores" for validation sample 0: check the pre/);
    }
  });
});
