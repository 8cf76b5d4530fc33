import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, copyFileSync, writeFileSync } from "node:fs"; // prettier-ignore
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterAll, describe, expect, it } from "vitest";
import { externalFiles, stageEditedModel } from "../../src/onnx/writer";
import { openModel } from "../../src/onnx/reader";
import { cnnSpec } from "../cli/models";
import { functionField } from "../fixtures/functions";
import { graphBytes, joinBytes, messageField, modelBytes, node, numberField, untyped, value } from "../fixtures/model";
import * as networks from "../fixtures/modelNetworks";
import { sparseInitializer } from "../fixtures/sparseTensor";
import { writeExternalModel } from "../external/externalModel";

const scratch = mkdtempSync(path.join(tmpdir(), "ranklens-round-trip-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const folders = ["../../../shared/zoo", "../../../shared/reference/models", "../../examples/shapes"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
const files = folders.flatMap((folder) => {
  if (!existsSync(folder)) console.warn(`NOT TESTED: copies of real ONNX files, as there is no folder ${folder}.`);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  // What is no model cannot be copied as one.
  return names.filter((name) => name.endsWith(".onnx") && name !== "ort-corrupt.onnx").map((name) => path.join(folder, name)); // prettier-ignore
});

/** The model as the writer writes it where nothing is to be changed, in its own folder. */
function copyOf(file: string): Buffer {
  const target = `${file}.copy`;
  const model = openModel(file);
  try {
    stageEditedModel(model, {}, target, { force: false }).commit();
  } finally {
    model.close();
  }
  return readFileSync(target);
}

describe("an edit that changes nothing writes the same bytes", () => {
  it.each(files.map((file) => [path.basename(file), file]))("%s", (name, file) => {
    const folder = path.join(scratch, name);
    mkdirSync(folder);
    copyFileSync(file, path.join(folder, name));
    const model = openModel(file);
    for (const { path: data } of externalFiles(model)) copyFileSync(data, path.join(folder, path.basename(data)));
    model.close();
    expect(copyOf(path.join(folder, name)).equals(readFileSync(file))).toBe(true);
  });

  const plain = { nodes: [node("Relu", ["x"], "y")], inputs: [value("x", [1])], outputs: [untyped("y")] };
  const unused = functionField({ domain: "local", name: "F", inputs: ["a"], outputs: ["b"], nodes: plain.nodes });
  /** A length of one byte more than it needs: protobuf allows it, and some writers leave room for lengths. */
  const padded = (number: number, body: Uint8Array): Uint8Array => {
    const tag = new BinaryWriter().tag(number, WireType.LengthDelimited).finish();
    return joinBytes([tag, Uint8Array.of((body.length & 0x7f) | 0x80, (body.length >> 7) | 0x80, 0), body]);
  };
  it.each<[string, Uint8Array]>([
    ["a CNN", networks.cnn()],
    ["a CNN of the command line's tests", modelBytes(cnnSpec())],
    ["an MLP", networks.mlp()],
    ["functions that nothing calls", modelBytes({ ...plain, behind: [unused] })],
    ["a sparse initializer", modelBytes({ ...plain, extra: [sparseInitializer("w", [4], [1], [2])] })],
    ["unknown fields", modelBytes({ ...plain, before: [numberField(777, 1)], extra: [numberField(778, 1)], behind: [numberField(779, 1)] })], // prettier-ignore
    ["a padded length of its graph", joinBytes([numberField(1, 8), padded(7, graphBytes(plain)), numberField(5, 3)])],
    ["an empty graph", messageField(7, new Uint8Array(0))],
  ])("%s", (name, bytes) => {
    const file = path.join(scratch, `${name}.onnx`);
    writeFileSync(file, bytes);
    expect(copyOf(file).equals(bytes)).toBe(true);
  });

  it("external data, which stays where it is", () => {
    const folder = path.join(scratch, "external");
    mkdirSync(folder);
    const external = writeExternalModel(networks.cnn(), folder, "model.onnx");
    expect(copyOf(external.path).equals(external.bytes)).toBe(true);
    expect(readdirSync(folder).sort()).toEqual([...external.files.keys(), "model.onnx", "model.onnx.copy"].sort());
  });

  it("a model whose functions were inlined, which then has none", () => {
    const called = { ...plain, nodes: [node("F", ["x"], "y", {}, { domain: "local" })] };
    const file = path.join(scratch, "functions.onnx");
    writeFileSync(file, modelBytes({ ...called, behind: [unused] }));
    const inlined = copyOf(file);
    const again = path.join(scratch, "inlined.onnx");
    writeFileSync(again, inlined);
    expect(copyOf(again).equals(inlined)).toBe(true);
    const model = openModel(again);
    expect([model.functions.size, model.graph.nodes.map(({ opType }) => opType)]).toEqual([0, ["Relu"]]);
    model.close();
  });
});
