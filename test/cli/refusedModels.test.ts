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

  // Both in one: the beginning of a file, and a tail that would be binary in a real one.
  const file = (begin: string, tail = 100): Buffer =>
    Buffer.concat([Buffer.from(begin, "latin1"), Buffer.alloc(tail, 7)]);
  const sized = (json: string): Buffer => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, Buffer.from(json), Buffer.alloc(64)]);
  };
  it.each<[string, string, Uint8Array | string, RegExp]>([
    [
      "a PyTorch checkpoint",
      "net.onnx",
      file("PK\x03\x04" + "\0".repeat(26) + "archive/data.pkl"),
      /is a PyTorch or pickle file.*torch\.onnx\.export/,
    ],
    ["another one by its name", "net.pth", file("PK\x03\x04"), /is a PyTorch or pickle file.*torch\.onnx\.export/],
    [
      "an old PyTorch checkpoint",
      "old.onnx",
      file("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9"),
      /is a PyTorch or pickle file/,
    ],
    [
      "safetensors",
      "net.onnx",
      sized('{"__metadata__":{}}'),
      /is a safetensors file: weights without a graph.*export the model/,
    ],
    ["a TensorFlow Lite model", "net.onnx", file("\x1c\0\0\0TFL3"), /is a TensorFlow Lite model.*tf2onnx.*--tflite/],
    [
      "an ORT model",
      "net.ort",
      file("\x1c\0\0\0ORTM"),
      /onnxruntime's own ORT format.*\.onnx file that it was made from/,
    ],
    ["a Keras model", "net.h5", file("\x89HDF\r\n\x1a\n"), /is a Keras or HDF5 file.*model\.export/],
    ["a newer Keras model", "net.keras", file("PK\x03\x04"), /is a Keras or HDF5 file.*model\.export/],
    [
      "a SavedModel",
      "saved_model.pb",
      file("\x08\x01\x12\x03\x0a\x01\x07", 0),
      /is a TensorFlow model.*--saved-model FOLDER/,
    ],
    ["a GraphDef", "frozen.pb", file("\x0a\x03abc", 0), /is a TensorFlow model.*tf2onnx/],
    ["a Core ML model", "net.mlmodel", file("\x08\x04\x12\x00", 0), /is a Core ML model/],
    ["GGUF", "net.onnx", file("GGUF\x03"), /is a GGUF file/],
    ["packed with gzip", "net.onnx.gz", file("\x1f\x8b\x08"), /is packed with gzip.*gunzip/],
    ["packed with zstd", "net.onnx", file("\x28\xb5\x2f\xfd"), /is a compressed file.*Unpack it/],
    ["a zip archive", "net.onnx", file("PK\x03\x04"), /is a zip archive.*Unpack it/],
    ["a tar archive", "net.onnx", file(`model.onnx${"\0".repeat(247)}ustar\x0000`), /is a tar archive.*tar -xf/],
    ["a TensorRT engine", "net.onnx", file("ftrt\xff\xff"), /is a TensorRT engine.*the \.onnx file/],
    ["external data", "net.onnx.data", new Uint8Array(Float32Array.of(-1, 0.5).buffer), /is the external data of a model.*Name the \.onnx file/], // prettier-ignore
    ["an array", "net.onnx", file("\x93NUMPY\x01\0v\0{'descr': '<f4'}"), /is a NumPy array.*in the config/],
    ["text", "net.onnx", "The quick brown fox jumps over the lazy dog, naïvely.\n", /is text.*binary: check the path/],
    ["text that is cut in a character", "net.onnx", `a${"é".repeat(5000)}`, /is text/],
    ["JSON", "net.onnx", '{"calibration": {"source": "images.npy"}}\n', /is text/],
    [
      "a web page",
      "net.onnx",
      "\n<!DOCTYPE html>\n<html><title>404</title></html>\n",
      /is a web page, as downloads that fail leave it.*Download/,
    ],
    [
      "a Git LFS pointer",
      "net.onnx",
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1092225\n",
      /is a Git LFS pointer.*"git lfs pull"/,
    ],
    ["zeros", "net.onnx", new Uint8Array(9000), /is nothing but zeros at its beginning.*Copy it again/],
    ["empty", "net.onnx", "", /is empty, not an ONNX model\. Write or copy it again/],
  ])("where it is %s, it is said what it is and what to do", async (_, name, content, message) => {
    lab.write(name, content);
    await refusedByAll(name, commands.slice(0, 1), message, /, not an ONNX model\. .+\.$/);
    await refusedByAll(name, commands.slice(3, 4), message);
    rmSync(lab.at(name));
  });

  it.each([
    ["a picture", PNG],
    ["a few bytes", Uint8Array.of(0x80)],
    ["a graph of nothing but a version", Uint8Array.of(8, 8)],
  ])("where it is %s, at which byte that shows", async (_, content) => {
    lab.write("odd.onnx", content);
    await refusedByAll(
      "odd.onnx",
      commands,
      /is not an ONNX file, or damaged: (at byte \d+ there is no part of a model|it holds no graph)\.$/,
    );
  });

  it("where it is cut off, anywhere", async () => {
    const cuts = [1, 2, 3, 10, 17, 60, 500, 2000, whole.length / 2, whole.length - 300, whole.length - 30, whole.length - 1]; // prettier-ignore
    for (const cut of cuts) {
      lab.write("cut.onnx", whole.subarray(0, Math.floor(cut)));
      await refusedByAll("cut.onnx", commands.slice(0, 1), /is not an ONNX file, or damaged: /);
    }
    lab.write("cut.onnx", whole.subarray(0, 5000));
    await refusedByAll(
      "cut.onnx",
      commands,
      /is not an ONNX file, or damaged: at byte \d+ a part of \d+ bytes begins, and \d+ are left\.$/,
    );
  });

  it("where nothing in it can be analysed; inspect shows it nevertheless", async () => {
    lab.write("plain.onnx", withoutLayers());
    await refusedByAll(
      "plain.onnx",
      commands.slice(2),
      /has no analysable layer \(Conv, MatMul, Gemm or another product/,
    );
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
