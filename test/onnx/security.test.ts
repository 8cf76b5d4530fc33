import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync, lstatSync } from "node:fs"; // prettier-ignore
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { analyze } from "../../src/analyze";
import { stageFile } from "../../src/atomicFile";
import { inspect } from "../../src/inspect";
import { externalFields } from "../../src/onnx/encode";
import { readFloats } from "../../src/onnx/elements";
import { openModel, type OpenModel } from "../../src/onnx/reader";
import { stageEditedModel } from "../../src/onnx/writer";
import { writeExternalModel } from "../external/externalModel";
import { attributeField, messageField, modelBytes, node, numberField, tensorField, untyped, value } from "../fixtures/model"; // prettier-ignore
import { functionField } from "../fixtures/functions";
import { mlp } from "../fixtures/modelNetworks";

let folder = "";
let outside = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ranklens-security-"));
  outside = mkdtempSync(path.join(tmpdir(), "ranklens-security-outside-"));
});
afterEach(() => [folder, outside].forEach((each) => rmSync(each, { recursive: true, force: true })));

const external = (location: string): Uint8Array[] => [
  externalFields({ location, offset: 0, length: 64 }),
  numberField(14, 1),
];
const oneWeight = (location: string): Uint8Array =>
  modelBytes({
    nodes: [node("MatMul", ["x", "w"], "y")],
    inputs: [value("x", ["n", 4])],
    outputs: [untyped("y")],
    extra: [tensorField("w", [4, 4], "float32", external(location))],
  });

function withModel<T>(bytes: Uint8Array, use: (model: OpenModel) => T): T {
  const file = path.join(folder, "model.onnx");
  writeFileSync(file, bytes);
  const model = openModel(file);
  try {
    return use(model);
  } finally {
    model.close();
  }
}

describe("external data outside the model's folder is never read", () => {
  it.each([
    "C:\\secret.bin",
    "c:secret.bin",
    "\\\\server\\share\\x",
    "\\secret.bin",
    "..\\secret.bin",
    "sub\\..\\..\\x",
  ])("on any system, by a name that Windows would take for one: %s", (location) => {
    // Here it is an ordinary name, and the file is there.
    writeFileSync(path.join(folder, location), new Uint8Array(64));
    withModel(oneWeight(location), (model) => {
      expect(() => readFloats(model.wire, model.graph.initializers.get("w")!)).toThrow(/outside its folder/);
    });
  });

  it("also for tensors of functions that nothing calls, before onnxruntime sees the model", async () => {
    const tensor = tensorField("", [4, 4], "float32", external("../secret.bin")).subarray(2);
    const nodes = [node("Constant", [], "y", {}, { extra: [attributeField("value", messageField(5, tensor), 4)] })];
    const hidden = functionField({ domain: "local", name: "Hidden", inputs: [], outputs: ["y"], nodes });
    const used = functionField({ domain: "local", name: "Used", inputs: ["x"], outputs: ["y"], nodes: [node("Relu", ["x"], "y")] }); // prettier-ignore
    const bytes = modelBytes({
      nodes: [node("MatMul", ["x", "w"], "a"), node("Used", ["a"], "y", {}, { domain: "local" })],
      initializers: [{ name: "w", dims: [4, 4], data: new Float32Array(16).fill(1) }],
      inputs: [value("x", ["n", 4])],
      outputs: [untyped("y")],
      domains: { local: 1 },
      behind: [hidden, used],
    });
    const file = path.join(folder, "model.onnx");
    writeFileSync(file, bytes);
    await expect(analyze(file, { weightsOnly: true })).rejects.toThrow(/"\.\.\/secret\.bin", which is outside/);
  });

  it.skipIf(process.platform === "win32")("nor a device", () => {
    symlinkSync("/dev/zero", path.join(folder, "zeros"));
    withModel(oneWeight("zeros"), (model) => {
      expect(() => readFloats(model.wire, model.graph.initializers.get("w")!)).toThrow(/outside its folder/);
    });
  });
});

describe("what is written goes nowhere else", () => {
  const kept = "not to be touched";
  const stage = (force: boolean) =>
    withModel(new Uint8Array(readFileSync(path.join(folder, "from", "external.onnx"))), () => {
      const model = openModel(path.join(folder, "from", "external.onnx"));
      try {
        stageEditedModel(model, {}, path.join(folder, "out.onnx"), { force }).commit();
      } finally {
        model.close();
      }
    });
  beforeEach(() => {
    mkdirSync(path.join(folder, "from"));
    writeExternalModel(mlp(), path.join(folder, "from"), "external.onnx");
    writeFileSync(path.join(outside, "kept"), kept);
  });

  it.each([
    ["a file", "kept"],
    ["nothing", "missing"],
  ])("where TARGET.data is a link to %s outside: refused, or the link itself gives way", (_, name) => {
    const link = path.join(folder, "out.onnx.data");
    symlinkSync(path.join(outside, name), link);
    expect(() => stage(false)).toThrow(/out\.onnx(\.data)? (exists already|could not be written)/);
    expect(readlinkSync(link)).toBe(path.join(outside, name));
    stage(true);
    expect(lstatSync(link).isFile()).toBe(true);
    expect(readdirSync(outside)).toEqual(["kept"]);
    expect(readFileSync(path.join(outside, "kept"), "utf8")).toBe(kept);
  });

  it("where TARGET.data is a pipe: refused without waiting for it, or it gives way", () => {
    if (spawnSync("mkfifo", [path.join(folder, "out.onnx.data")]).status !== 0) return;
    expect(() => stage(false)).toThrow(/exists already/);
    stage(true);
    expect(lstatSync(path.join(folder, "out.onnx.data")).isFile()).toBe(true);
  });

  it("where links with the names of temporary files wait for it", () => {
    const link = path.join(folder, `.out.txt.${process.pid}.ranklens-tmp`);
    symlinkSync(path.join(outside, "kept"), link);
    stageFile(path.join(folder, "out.txt"), [new Uint8Array(3)], { force: false }).commit();
    expect(readFileSync(path.join(outside, "kept"), "utf8")).toBe(kept);
    expect(lstatSync(path.join(folder, "out.txt")).isFile()).toBe(true);
  });
});

it("nothing that a model names is followed or run: addresses, scripts, libraries of operators", () => {
  const marker = path.join(outside, "ran");
  const library = path.join(folder, "ops.so");
  writeFileSync(library, "not a library");
  const attacks = [`$(touch ${marker})`, `; touch ${marker}`, `<script src="http://127.0.0.1:9/x"></script>`, library];
  const bytes = modelBytes({
    nodes: attacks.map((attack, i) => node(attack, ["x", `w${i}`], `y${i}`, { library: attack }, { domain: attack })),
    initializers: attacks.map((_, i) => ({ name: `w${i}`, dims: [2, 2], data: new Float32Array(4) })),
    inputs: [value("x", ["n", 2])],
    outputs: [untyped("y0")],
    metadata: Object.fromEntries(attacks.map((attack) => [attack, attack])),
    producer: [attacks[0], attacks[1]],
  });
  const file = path.join(folder, "model.onnx");
  writeFileSync(file, bytes);
  expect(inspect(file).skipped).toHaveLength(attacks.length);
  expect(readdirSync(outside)).toEqual([]);
});

describe("SECURITY.md", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const text = readFileSync(path.join(root, "SECURITY.md"), "utf8");

  it("names a test for every threat, and each is there", () => {
    const rows = text.split("\n").filter((line) => line.startsWith("| ") && !/^\| (threat|-)/.test(line));
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      const named = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, name]) => name);
      expect(named, row).not.toEqual([]);
      for (const name of named) expect(readFileSync(path.join(root, name), "utf8"), name).toMatch(/\b(it|test)(\.\w+)*\(/); // prettier-ignore
    }
  });

  it("names limits as the code has them", async () => {
    const { MOST_DENSE_ELEMENTS } = await import("../../src/onnx/sparse");
    const { DEEPEST_CALL, MOST_INLINED_BYTES, MOST_INLINED_NODES } = await import("../../src/onnx/functions/inliner");
    expect([MOST_DENSE_ELEMENTS, DEEPEST_CALL, MOST_INLINED_NODES, MOST_INLINED_BYTES]).toEqual([
      2 ** 28,
      64,
      100_000,
      128 * 2 ** 20,
    ]);
    for (const words of ["2²⁸ elements", "64 calls", "100,000 nodes", "128 MiB"]) expect(text).toContain(words);
  });

  it("is linked from the README and from ARCHITECTURE.md", () => {
    for (const page of ["README.md", "ARCHITECTURE.md"]) {
      expect(readFileSync(path.join(root, page), "utf8").includes("(SECURITY.md)"), page).toBe(true);
    }
  });
});
