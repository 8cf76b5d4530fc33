import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { analyze } from "../../src/analyze";
import { isExpected } from "../../src/errors";
import { inspect } from "../../src/inspect";
import { readFloats } from "../../src/onnx/elements";
import { externalTensors, bytesWithData } from "../../src/onnx/externalTensors";
import { openModel } from "../../src/onnx/reader";
import { sha256OfModel } from "../../src/onnx/sha256";
import type { ModelReport } from "../../src/report";
import { floats, openBytes } from "../fixtures/data";
import { workspace, type Workspace } from "../fixtures/dataFiles";
import {
  attributeField,
  graphBytes,
  messageField,
  modelBytes,
  node,
  numberField,
  stringField,
  tensorField,
  untyped,
  value,
} from "../fixtures/model";
import { cnn, FEATURES, IMAGE, mlp } from "../fixtures/modelNetworks";
import { writeExternalModel, type ExternalModel } from "./externalModel";

let folder = "";
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "ranklens-external-"))));
const scratch: string[] = [];
beforeEach(() => scratch.push(folder));
afterAll(() => scratch.forEach((one) => rmSync(one, { recursive: true, force: true })));

/** What of a report does not depend on where the weights lie. */
function comparable({ layers, accuracy, totals, skipped }: ModelReport): unknown {
  return { layers, accuracy, totals, skipped };
}

const places: [string, (weight: string) => string][] = [
  ["one file", () => "weights.bin"],
  ["a file for each weight, some in folders", (weight) => (weight.includes("b") ? `b/${weight}.bin` : `${weight}.bin`)],
  ["a file with blanks and letters beyond ASCII in its name", () => "Gewichte (größte).bin"],
];

describe.each([
  ["a CNN", cnn(), IMAGE],
  ["an MLP", mlp(), [FEATURES]],
])("%s with external data", (_, bytes, sampleDims) => {
  let space: Workspace;
  let expected: unknown;
  beforeAll(async () => {
    space = await workspace(bytes, sampleDims);
    expected = comparable(await analyze(space.model, { config: space.config }));
  });
  afterAll(() => space.remove());

  it.each(places)("gives the same report as in one piece: %s", async (_name, locate) => {
    const external = writeExternalModel(bytes, folder, "external.onnx", locate);
    expect(external.bytes.length).toBeLessThan(bytes.length);
    const report = await analyze(external.path, { config: space.config });
    expect(comparable(report)).toEqual(expected);
    expect(comparable(await analyze(external.path, { config: space.config, weightsOnly: true }))).toMatchObject({
      skipped: [],
    });
  });

  it("is identified by its weights too", async () => {
    const external = writeExternalModel(bytes, folder, "external.onnx");
    const hash = async (): Promise<string> => {
      const model = openModel(external.path);
      try {
        return await sha256OfModel(model);
      } finally {
        model.close();
      }
    };
    const before = await hash();
    const [[location, content]] = external.files;
    const changed = content.slice();
    changed[20] ^= 1;
    writeFileSync(path.join(folder, location), changed);
    expect(await hash()).not.toBe(before);
    const report = await analyze(external.path, { weightsOnly: true });
    const model = openModel(external.path);
    expect(report.model.bytes).toBe(bytesWithData(model));
    model.close();
    expect(report.model.bytes).toBeGreaterThan(bytes.length - 1000);
  });
});

describe("inspect", () => {
  it("tells the structure without the files that hold the weights", () => {
    const external = writeExternalModel(mlp(), folder, "external.onnx");
    const inline = path.join(folder, "inline.onnx");
    writeFileSync(inline, mlp());
    const expected = inspect(inline);
    for (const location of external.files.keys()) unlinkSync(path.join(folder, location));
    const { model, ...rest } = inspect(external.path);
    expect(rest).toEqual({ inputs: expected.inputs, outputs: expected.outputs, layers: expected.layers, skipped: [] });
    expect(model.parameters).toBe(expected.model.parameters);
  });
});

/** One weight of 4×4 whose place is as told. */
function oneWeight(entries: Record<string, string>, dims: readonly number[] = [4, 4]): Uint8Array {
  const fields = Object.entries(entries).map(([key, content]) =>
    messageField(13, new Uint8Array(Buffer.concat([stringField(1, key), stringField(2, content)]))),
  );
  return modelBytes({
    nodes: [node("MatMul", ["x", "w"], "y")],
    inputs: [value("x", ["n", 4])],
    outputs: [untyped("y")],
    extra: [tensorField("w", dims, "float32", [...fields, numberField(14, 1)])],
  });
}

describe("a weight that cannot be read is refused in one line", () => {
  const data = floats(16, 1);
  let outside = "";
  beforeEach(() => {
    outside = mkdtempSync(path.join(tmpdir(), "ranklens-outside-"));
    scratch.push(outside);
    writeFileSync(path.join(outside, "secret.bin"), data);
    writeFileSync(path.join(folder, "w.bin"), data);
    mkdirSync(path.join(folder, "sub"));
    symlinkSync(outside, path.join(folder, "link"));
    symlinkSync(path.join(outside, "secret.bin"), path.join(folder, "linked.bin"));
    symlinkSync("w.bin", path.join(folder, "inner.bin"));
    symlinkSync("loop", path.join(folder, "loop"));
  });

  async function refusal(entries: Record<string, string>, dims?: readonly number[]): Promise<string> {
    const model = path.join(folder, "model.onnx");
    writeFileSync(model, oneWeight(entries, dims));
    expect(inspect(model).layers.length + inspect(model).skipped.length).toBe(1);
    const error: unknown = await analyze(model, { weightsOnly: true }).then(
      () => new Error("nothing was refused"),
      (reason: unknown) => reason,
    );
    if (!isExpected(error)) throw error;
    expect(error.message.includes("\n") || error.message.includes("\u001b")).toBe(false);
    expect(error.message).toMatch(/model\.onnx/);
    return error.message;
  }

  it.each([
    ["../w.bin"],
    ["../../etc/passwd"],
    ["/etc/passwd"],
    ["sub/../../w.bin"],
    ["link/secret.bin"],
    ["linked.bin"],
    [".."],
  ])("outside the model's folder: %s", async (location) => {
    const message = await refusal({ location });
    expect(message).toContain("outside its folder");
    expect(message).toContain(JSON.stringify(location));
  });

  it("even where the way out goes through a link and back", async () => {
    writeFileSync(path.join(path.dirname(outside), "back.bin"), data);
    scratch.push(path.join(path.dirname(outside), "back.bin"));
    // Taken as text, link/../back.bin is in the folder; followed, it is beside the folder that the link points to.
    expect(await refusal({ location: "link/../back.bin" })).toContain("outside its folder");
  });

  it.each([
    ["a missing file", "none.bin", /no such file: put it there/],
    ["a file in a file", "w.bin/x", /no such file/],
    ["a folder", "sub", /not a regular file/],
    ["the model's folder", ".", /not a regular file/],
    ["nothing", "", /not the name of a file/],
    ["a zero byte", "w.bin\0", /not the name of a file/],
    ["a name of several lines", "a\nb\u001b[31m", /"a\\nb\\u001b\[31m"/],
    ["a link to itself", "loop", /cannot be found: ELOOP/],
    ["onnxruntime's marker for addresses in memory", "*/_ORT_MEM_ADDR_/*", /no such file/],
  ])("%s", async (_, location, message) => {
    expect(await refusal({ location })).toMatch(message);
  });

  it("a pipe, without waiting for it", async () => {
    if (spawnSync("mkfifo", [path.join(folder, "pipe")]).status !== 0) return;
    expect(await refusal({ location: "pipe" })).toMatch(/not a regular file/);
  });

  it("a file that is too short: bytes expected and found", async () => {
    truncateSync(path.join(folder, "w.bin"), 40);
    const message = await refusal({ location: "w.bin", offset: "16" });
    expect(message).toMatch(/"w\.bin" has 40 bytes, but tensor "w" ends at byte 80/);
  });

  it.each([
    [{ offset: "-4" }, /offset -4/],
    [{ offset: "four" }, /offset NaN/],
    [{ offset: "1e300" }, /offset 1e\+300/],
    [{ offset: "0.5" }, /offset 0\.5/],
    [{ length: "60" }, /64 bytes, but 60 in "w\.bin"/],
    [{ length: "none" }, /length NaN/],
  ])("%o", async (entries, message) => {
    expect(await refusal({ location: "w.bin", ...entries })).toMatch(message);
  });

  it("a shape of more bytes than there can be", async () => {
    expect(await refusal({ location: "w.bin" }, [2 ** 40, 2 ** 40])).toMatch(/length/);
    expect(await refusal({ location: "w.bin" }, [2 ** 20, 2 ** 20])).toMatch(/"w\.bin" has 64 bytes/);
  });

  it("but not where the link stays inside, or no length is stated", () => {
    for (const location of ["w.bin", "inner.bin", "./w.bin", "sub/../w.bin"]) {
      writeFileSync(path.join(folder, "model.onnx"), oneWeight({ location }));
      const model = openModel(path.join(folder, "model.onnx"));
      expect(readFloats(model.wire, model.graph.initializers.get("w")!)).toEqual(data);
      model.close();
    }
  });
});

describe("external tensors", () => {
  const external = (name: string): Uint8Array =>
    tensorField(name, [1], "float32", [
      messageField(13, new Uint8Array(Buffer.concat([stringField(1, "location"), stringField(2, `${name}.bin`)]))),
      numberField(14, 1),
    ]);
  /** The message behind the tag and the length, here one byte each. */
  const tensor = (name: string): Uint8Array => external(name).subarray(2);

  it("are found wherever they may be: attributes, subgraphs, sparse tensors, functions", () => {
    const deepest = { nodes: [], outputs: [], extra: [external("in_subgraph")] };
    const body = {
      nodes: [node("If", ["c"], "q", {}, { graphs: { then_branch: deepest, else_branch: deepest } })],
      outputs: [],
    };
    const bytes = modelBytes({
      nodes: [
        node("Constant", [], "a", {}, { extra: [attributeField("value", messageField(5, tensor("in_attribute")), 4)] }),
        node("Custom", [], "b", {}, { extra: [attributeField("list", messageField(10, tensor("in_list")), 9)] }),
        node("Constant", [], "s", {}, { extra: [attributeField("sparse_value", messageField(22, messageField(1, tensor("in_sparse"))), 11)] }), // prettier-ignore
        node("Loop", ["", "", "x"], "c", {}, { graphs: { body } }),
      ],
      outputs: [],
      extra: [external("in_graph"), messageField(15, messageField(2, tensor("sparse_indices")))],
      behind: [
        messageField(
          25,
          messageField(7, new Uint8Array(attributeField("value", messageField(5, tensor("in_function")), 4))),
        ),
      ],
    });
    expect(graphBytes(deepest).length).toBeGreaterThan(0);
    const names = externalTensors(openBytes(bytes).model).map(({ name }) => name);
    expect(names).toEqual(["in_attribute", "in_list", "in_sparse", "in_subgraph", "in_subgraph", "in_graph", "sparse_indices", "in_function"]); // prettier-ignore
  });

  it("are none in a model of one piece", () => {
    expect(externalTensors(openBytes(cnn()).model)).toEqual([]);
    expect(bytesWithData(openBytes(cnn()).model)).toBe(cnn().length);
  });
});

it("files are what the fixtures say they are", () => {
  const external: ExternalModel = writeExternalModel(mlp(), folder, "external.onnx");
  expect(readFileSync(external.path)).toEqual(Buffer.from(external.bytes));
});
