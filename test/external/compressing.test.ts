import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { analyze } from "../../src/analyze";
import { compress } from "../../src/compress";
import { findLayers } from "../../src/layers";
import { decompositionEdit } from "../../src/lowrank/decompose";
import { indexGraph } from "../../src/onnx/graphIndex";
import { openModel } from "../../src/onnx/reader";
import { isExternal } from "../../src/onnx/externalData";
import { bytesWithData, externalTensors } from "../../src/onnx/externalTensors";
import { stageEditedModel } from "../../src/onnx/writer";
import { writeReport } from "../../src/reportFile";
import { createSession } from "../../src/runtime/session";
import { floats, relativeDifference, runOutput, tensor, weight } from "../fixtures/data";
import { workspace, type Workspace } from "../fixtures/dataFiles";
import { constant, modelBytes, node, untyped, value } from "../fixtures/model";
import { cnn, IMAGE } from "../fixtures/modelNetworks";
import { writeExternalModel, type ExternalModel } from "./externalModel";

const ENERGY = { energy: 0.8 };
const SCORES = 1e-6;

let space: Workspace;
let external: ExternalModel;
/** Another folder than the model's. */
let elsewhere = "";
let inlineScores: Float32Array;

async function scoresOf(file: string): Promise<Float32Array> {
  const session = await createSession(file, file);
  try {
    const outputs = await session.run(new Map([["x", space.validation]]));
    return outputs.get("y")!.data as Float32Array;
  } finally {
    await session.release();
  }
}

beforeAll(async () => {
  space = await workspace(cnn(), IMAGE);
  external = writeExternalModel(cnn(), space.folder, "external.onnx", (name) =>
    name.includes("res") ? "data/res.bin" : "other.bin",
  );
  const inline = path.join(space.folder, "inline_smaller.onnx");
  await compress(space.model, { config: space.config, output: inline, ...ENERGY });
  inlineScores = await scoresOf(inline);
});
afterAll(() => space.remove());
beforeEach(() => (elsewhere = mkdtempSync(path.join(tmpdir(), "ranklens-elsewhere-"))));
afterEach(() => rmSync(elsewhere, { recursive: true }));

describe("a model with external data, compressed", () => {
  it("into its own folder, refers to the same data, which is not touched", async () => {
    const output = path.join(space.folder, "smaller.onnx");
    const before = new Map([...external.files.keys()].map((name) => [name, statSync(path.join(space.folder, name))]));
    const names = readdirSync(space.folder);
    const { compressed, model } = await compress(external.path, { config: space.config, output, ...ENERGY });
    expect(readdirSync(space.folder).sort()).toEqual([...names, "smaller.onnx"].sort());
    for (const [name, { mtimeMs, ino }] of before) {
      expect(statSync(path.join(space.folder, name))).toMatchObject({ mtimeMs, ino });
      expect(readFileSync(path.join(space.folder, name))).toEqual(Buffer.from(external.files.get(name)!));
    }
    const written = openModel(output);
    const original = openModel(external.path);
    const kept = externalTensors(written);
    expect(kept.length).toBeGreaterThan(3);
    const places = new Map(externalTensors(original).map((one) => [one.name, one.payload]));
    for (const { name, payload } of kept) expect(payload).toEqual(places.get(name));
    // What is unchanged is unchanged in the bytes of the model too.
    for (const { name, field } of kept) {
      const { field: from } = original.graph.initializers.get(name)!;
      expect(written.wire.bytes(field)).toEqual(original.wire.bytes(from));
    }
    expect(compressed!.bytes).toEqual({ before: model.bytes, after: bytesWithData(written) });
    expect(compressed!.bytes.after).toBeLessThan(compressed!.bytes.before);
    written.close();
    original.close();
    expect(relativeDifference(await scoresOf(output), inlineScores)).toBeLessThan(SCORES);
  });

  it("into another folder, takes what it needs along in one file", async () => {
    const output = path.join(elsewhere, "smaller.onnx");
    const report = await compress(external.path, { config: space.config, output, ...ENERGY });
    expect(readdirSync(elsewhere).sort()).toEqual(["smaller.onnx", "smaller.onnx.data"]);
    const written = openModel(output);
    const original = openModel(external.path);
    const kept = externalTensors(written);
    const data = readFileSync(path.join(elsewhere, "smaller.onnx.data"));
    let unchanged = 0;
    for (const { name, payload } of kept) {
      expect(payload.location).toBe("smaller.onnx.data");
      expect(payload.offset % 64).toBe(0);
      const from = original.graph.initializers.get(name);
      if (!from || !isExternal(from)) continue;
      const { location, offset, length } = from.payload;
      expect(data.subarray(payload.offset, payload.offset + payload.length!)).toEqual(
        Buffer.from(external.files.get(location)!.subarray(offset, offset + length!)),
      );
      unchanged++;
    }
    expect(unchanged).toBeGreaterThan(3);
    expect(report.compressed!.bytes.after).toBe(bytesWithData(written));
    written.close();
    original.close();
    // It stands on its own.
    expect(relativeDifference(await scoresOf(output), inlineScores)).toBeLessThan(SCORES);
  });

  it("from a report, which knows the data by its bytes", async () => {
    const report = await analyze(external.path, { config: space.config, ...ENERGY });
    const file = path.join(elsewhere, "report.json");
    writeReport(report, file, { force: false });
    const output = path.join(elsewhere, "smaller.onnx");
    await compress(external.path, { from: file, output });
    expect(relativeDifference(await scoresOf(output), inlineScores)).toBeLessThan(SCORES);
    const [[location, content]] = external.files;
    const changed = content.slice();
    changed[20] ^= 1;
    writeFileSync(path.join(space.folder, location), changed);
    try {
      await expect(compress(external.path, { from: file, output, force: true })).rejects.toThrow(/of another model/);
    } finally {
      writeFileSync(path.join(space.folder, location), content);
    }
  });

  it("overwrites neither file without being asked to, and both together where it is", async () => {
    const output = path.join(elsewhere, "smaller.onnx");
    writeFileSync(`${output}.data`, "someone else's");
    const options = { config: space.config, output, ...ENERGY };
    await expect(compress(external.path, options)).rejects.toThrow(/smaller\.onnx\.data exists already/);
    expect(readdirSync(elsewhere)).toEqual(["smaller.onnx.data"]);
    await compress(external.path, { ...options, force: true });
    expect(readdirSync(elsewhere).sort()).toEqual(["smaller.onnx", "smaller.onnx.data"]);
    const first = readFileSync(output);
    await compress(external.path, { ...options, energy: 0.3, force: true });
    expect(readdirSync(elsewhere).sort()).toEqual(["smaller.onnx", "smaller.onnx.data"]);
    expect(readFileSync(output)).not.toEqual(first);
    await scoresOf(output);
  });

  it("never takes the place of the data that it reads, not even with force", async () => {
    const options = { config: space.config, force: true, ...ENERGY };
    const other = path.join(space.folder, "other.bin");
    await expect(compress(external.path, { ...options, output: other })).rejects.toThrow(/is a data file of the model/);
    linkSync(other, path.join(elsewhere, "smaller.onnx.data"));
    await expect(compress(external.path, { ...options, output: path.join(elsewhere, "smaller.onnx") })).rejects.toThrow(
      /smaller\.onnx\.data is a data file of the model/,
    );
    expect(readFileSync(other)).toEqual(Buffer.from(external.files.get("other.bin")!));
  });

  it("leaves nothing where the data becomes unreadable while it is copied", () => {
    const model = openModel(external.path);
    const broken = path.join(space.folder, "data", "res.bin");
    const content = readFileSync(broken);
    try {
      writeFileSync(broken, content.subarray(0, 100));
      expect(() => stageEditedModel(model, {}, path.join(elsewhere, "a.onnx"), { force: false })).toThrow(
        /a\.onnx could not be written: res\.bin became shorter/,
      );
      expect(readdirSync(elsewhere)).toEqual([]);
    } finally {
      writeFileSync(broken, content);
      model.close();
    }
  });

  it("leaves nothing where it is discarded, and the old pair where the new one cannot get its names", () => {
    const model = openModel(external.path);
    const output = path.join(elsewhere, "a.onnx");
    stageEditedModel(model, {}, output, { force: false }).discard();
    expect(readdirSync(elsewhere)).toEqual([]);
    const staged = stageEditedModel(model, {}, output, { force: true });
    expect(readdirSync(elsewhere)).toHaveLength(1);
    writeFileSync(output, "old model");
    // A folder in the place of the data cannot be overwritten.
    mkdirSync(`${output}.data`);
    expect(() => staged.commit()).toThrow(/a\.onnx\.data is a folder/);
    expect(readdirSync(elsewhere).sort()).toEqual(["a.onnx", "a.onnx.data"]);
    expect(readFileSync(output, "utf8")).toBe("old model");
    model.close();
  });

  it("is in its own folder also under another name of that folder", async () => {
    symlinkSync(space.folder, path.join(elsewhere, "same"));
    const output = path.join(elsewhere, "same", "linked.onnx");
    await compress(external.path, { config: space.config, output, ...ENERGY });
    expect(existsSync(`${output}.data`)).toBe(false);
    expect(relativeDifference(await scoresOf(path.join(space.folder, "linked.onnx")), inlineScores)).toBeLessThan(
      SCORES,
    );
  });
});

it("external tensors in Constant nodes and subgraphs travel as well", async () => {
  const x = tensor([5, 6], 3);
  const branch = (name: string, seed: number) => ({
    nodes: [node("Mul", ["a", name], `${name}_out`)],
    initializers: [
      { name, dims: [4], data: floats(4, seed), external: { location: "w", offset: 16 * seed, length: 16 } },
    ],
    outputs: [untyped(`${name}_out`)],
  });
  const shared = { location: "w", offset: 0, length: 96 };
  const graph = (isExternal: boolean) => {
    const strip = <T extends { external?: unknown }>(one: T): T => (isExternal ? one : { ...one, external: undefined });
    const [left, right] = [branch("p", 6), branch("q", 7)].map((body) => ({
      ...body,
      initializers: body.initializers.map(strip),
    }));
    return modelBytes({
      nodes: [
        { ...constant("w", [6, 4], floats(24, 5)), tensors: { value: strip({ name: "", dims: [6, 4], data: floats(24, 5), external: shared }) } }, // prettier-ignore
        node("MatMul", ["x", "w"], "a0"),
        node("Relu", ["a0"], "a"),
        node("ReduceSum", ["a"], "sum", { keepdims: 0 }),
        node("Cast", ["sum"], "c", { to: 9 }),
        node("If", ["c"], "b", {}, { graphs: { then_branch: left, else_branch: right } }),
        node("MatMul", ["b", "v"], "y"),
      ],
      initializers: [weight("v", [4, 3], 8)],
      inputs: [value("x", ["n", 6])],
      outputs: [untyped("y")],
    });
  };
  const data = Buffer.alloc(128);
  Buffer.from(floats(24, 5).buffer).copy(data, 0);
  Buffer.from(floats(4, 6).buffer).copy(data, 96);
  Buffer.from(floats(4, 7).buffer).copy(data, 112);
  const from = path.join(elsewhere, "from");
  mkdirSync(from);
  writeFileSync(path.join(from, "w"), data);
  writeFileSync(path.join(from, "model.onnx"), graph(true));
  const model = openModel(path.join(from, "model.onnx"));
  const [layer] = findLayers(indexGraph(model.graph)).layers.slice(-1);
  expect(layer.name).toBe("v");
  const rank = 3;
  const identity = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
  const vt = new Float64Array(12);
  weight("v", [4, 3], 8).data.forEach((entry, at) => (vt[(at % 3) * 4 + Math.floor(at / 3)] = Number(entry)));
  const edit = decompositionEdit({ model, index: indexGraph(model.graph) }, [
    { layer, factors: { rank, a: identity, b: vt } },
  ]);
  const staged = stageEditedModel(model, edit, path.join(elsewhere, "out.onnx"), { force: false });
  staged.commit();
  model.close();
  rmSync(from, { recursive: true });
  expect(readdirSync(elsewhere).sort()).toEqual(["out.onnx", "out.onnx.data"]);
  const session = await createSession(path.join(elsewhere, "out.onnx"), "out");
  const found = (await session.run(new Map([["x", x]]))).get("y")!.data as Float32Array;
  await session.release();
  expect(relativeDifference(found, await runOutput(graph(false), x, "y"))).toBeLessThan(SCORES);
});
