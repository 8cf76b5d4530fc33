import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { editedModel, editedModelBytes, type GraphEdit } from "../../src/onnx/edit";
import { segmentLength } from "../../src/onnx/segments";
import type { Node } from "../../src/onnx/schema";
import { readFloats } from "../../src/onnx/elements";
import { stageEditedModel } from "../../src/onnx/writer";
import { openBytes, runOutput, tensor, weight } from "../fixtures/data";
import { constant, messageField, modelBytes, node, numberField, stringField, untyped, value } from "../fixtures/model";

const folder = mkdtempSync(path.join(tmpdir(), "ranklens-edit-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Fields that no version of onnx.proto has: a later one may. */
const unknownFields = [numberField(99, 5), messageField(100, Uint8Array.from([1, 2, 3])), numberField(101, -1)];
const INT64_MAX = 2n ** 63n - 1n;

/** x·w → slice to the end → Add b. */
const bytes = modelBytes({
  nodes: [
    node("MatMul", ["x", "w"], "p", {}, { extra: unknownFields }),
    constant("ends", [1], BigInt64Array.from([INT64_MAX])),
    node("Slice", ["p", "starts", "ends", "axes"], "s"),
    node("Unused", ["s"], "", {}, { extra: [messageField(5, untilTheEnd())], domain: "nowhere" }),
    node("Add", ["s", "b"], "y"),
  ],
  initializers: [
    weight("w", [3, 4], 1),
    { name: "starts", dims: [1], data: BigInt64Array.of(1n) },
    { name: "axes", dims: [1], data: BigInt64Array.of(1n) },
    weight("b", [3], 2),
  ],
  inputs: [value("x", ["n", 3]), value("w", [3, 4])],
  outputs: [value("y", ["n", 3])],
  before: unknownFields,
  behind: unknownFields,
  extra: unknownFields,
});

/** AttributeProto of INT64_MAX, which JSON-minded readers round. */
function untilTheEnd(): Uint8Array {
  return Buffer.concat([stringField(1, "ends"), numberField(3, INT64_MAX), numberField(20, 2)]);
}

const { model, index } = openBytes(bytes);
const nodeNamed = (output: string): Node => index.producers.get(output)!;
const edited = (edit: GraphEdit): Uint8Array => editedModelBytes(model, edit);
const contains = (whole: Uint8Array, part: Uint8Array): boolean => Buffer.from(whole).includes(Buffer.from(part));

describe("an edit", () => {
  it("that changes nothing gives back the same bytes", () => {
    expect(edited({})).toEqual(bytes);
    expect(edited({ keepNodes: new Set(model.graph.nodes), keepInitializer: () => true })).toEqual(bytes);
  });

  it("keeps every byte that it does not name: INT64_MAX and unknown fields too", () => {
    const { model: after } = openBytes(
      edited({ replaceNodes: new Map([[nodeNamed("y"), []]]), outputs: [untyped("s")] }),
    );
    expect(after.graph.nodes.map(({ opType }) => opType)).toEqual(["MatMul", "Constant", "Slice", "Unused"]);
    for (const [i, kept] of after.graph.nodes.entries()) {
      expect(after.wire.bytes(kept.field)).toEqual(model.wire.bytes(model.graph.nodes[i].field));
    }
    for (const [name, kept] of after.graph.initializers) {
      expect(after.wire.bytes(kept.field)).toEqual(model.wire.bytes(model.graph.initializers.get(name)!.field));
    }
    const all = after.wire.bytes({ start: 0, end: after.bytes });
    expect(contains(all, numberField(3, INT64_MAX))).toBe(true);
    const { start, end } = after.graphField;
    expect(after.wire.bytes({ start: 0, end: start })).toEqual(bytes.slice(0, model.graphField.start));
    expect(after.wire.bytes({ start: end, end: after.bytes })).toEqual(bytes.slice(model.graphField.end));
    expect(contains(after.wire.bytes(after.graph.range), Buffer.concat(unknownFields))).toBe(true);
  });

  it("removes nodes and initializers, and the inputs that declare removed initializers", () => {
    const keepNodes = new Set(model.graph.nodes.filter(({ opType }) => opType !== "Unused"));
    const { model: after } = openBytes(edited({ keepNodes, keepInitializer: (name) => name !== "w" }));
    expect(after.graph.nodes.map(({ opType }) => opType)).toEqual(["MatMul", "Constant", "Slice", "Add"]);
    expect([...after.graph.initializers.keys()]).toEqual(["starts", "axes", "b"]);
    expect(after.graph.inputs.map(({ name }) => name)).toEqual(["x"]);
  });

  it("replaces a node by several in its place, and an initializer by one of the same name", async () => {
    const doubled = { name: "b", dims: [3], data: new Float32Array(3) };
    const replaceNodes = new Map([
      [nodeNamed("y"), [node("Add", ["s", "b"], "t"), node("Add", ["t", "t"], "y")]],
      [model.graph.nodes[3], []],
    ]);
    const result = edited({ replaceNodes, addInitializers: [doubled] });
    const { model: after } = openBytes(result);
    expect(after.graph.nodes.map(({ outputs }) => outputs[0])).toEqual(["p", "ends", "s", "t", "y"]);
    expect(after.graph.initializers.size).toBe(4);
    expect(readFloats(after.wire, after.graph.initializers.get("b")!)).toEqual(new Float32Array(3));

    const x = tensor([2, 3], 3);
    const w = readFloats(model.wire, model.graph.initializers.get("w")!);
    const expected = [0, 1].flatMap((row) =>
      [1, 2, 3].map(
        (column) => 2 * [0, 1, 2].reduce((sum, k) => sum + Number(x.data[row * 3 + k]) * w[k * 4 + column], 0),
      ),
    );
    const found = await runOutput(result, x, "y");
    found.forEach((y, i) => expect(y).toBeCloseTo(expected[i], 5));
  });

  it("adds nodes, initializers and outputs", async () => {
    const result = edited({
      replaceNodes: new Map([[model.graph.nodes[3], []]]),
      addNodes: [node("Mul", ["y", "two"], "twice")],
      addInitializers: [{ name: "two", dims: [], data: Float32Array.of(2) }],
      addOutputs: [untyped("twice"), untyped("p")],
    });
    const x = tensor([2, 3], 4);
    const y = await runOutput(result, x, "y");
    expect(await runOutput(result, x, "twice")).toEqual(y.map((v) => 2 * v));
    expect(await runOutput(result, x, "p")).toHaveLength(8);
  });

  it("writes inputs and outputs anew", () => {
    const inputs = [value("s", [null, 3], "float32")];
    const { model: after } = openBytes(edited({ inputs, outputs: [value("y", null)] }));
    expect(after.graph.inputs).toEqual(inputs);
    expect(after.graph.outputs).toEqual([{ name: "y", elementType: "float32", shape: null }]);
  });
});

it("names large runs of bytes without reading them, and writes the same as in memory", () => {
  const edit: GraphEdit = { addInitializers: [weight("more", [2, 2], 5)], keepInitializer: (name) => name !== "b" };
  const segments = editedModel(model, edit);
  expect(segments.reduce((sum, segment) => sum + segmentLength(segment), 0)).toBe(edited(edit).length);
  const target = path.join(folder, "edited.onnx");
  stageEditedModel(model, edit, target, { force: false }).commit();
  expect(new Uint8Array(readFileSync(target))).toEqual(edited(edit));
});
