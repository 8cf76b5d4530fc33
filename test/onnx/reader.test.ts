import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterAll, describe, expect, it } from "vitest";
import { ExpectedError } from "../../src/errors";
import { memorySource, type ByteSource } from "../../src/onnx/byteSource";
import { openModel, readModel } from "../../src/onnx/reader";
import { readFloats } from "../../src/onnx/elements";
import { readSmallTensor } from "../../src/onnx/tensor";
import { openBytes } from "../fixtures/data";
import {
  attributeField,
  constant,
  joinBytes,
  messageField,
  modelBytes,
  node,
  numberField,
  stringField,
  tensorField,
  untyped,
  value,
} from "../fixtures/model";

const folder = mkdtempSync(path.join(tmpdir(), "ranklens-reader-"));
afterAll(() => rmSync(folder, { recursive: true }));

const float32 = (...values: number[]): Float32Array => Float32Array.from(values);
const bit32 = (number: number, x: number): Uint8Array =>
  new BinaryWriter().tag(number, WireType.Bit32).float(x).finish();
const packedFloats = (number: number, values: readonly number[]): Uint8Array =>
  messageField(number, new Uint8Array(float32(...values).buffer));
const packedInts = (number: number, values: readonly number[]): Uint8Array => {
  const writer = new BinaryWriter();
  for (const x of values) writer.int64(x);
  return messageField(number, writer.finish());
};

describe("the model around the graph", () => {
  it("is read: versions, producer, metadata, functions", () => {
    const functionField = messageField(25, joinBytes([stringField(1, "Twice"), stringField(10, "my.domain")]));
    const { model } = openBytes(
      modelBytes({
        nodes: [node("Relu", ["x"], "y")],
        inputs: [value("x", ["batch", 3, null])],
        outputs: [value("y", null)],
        name: "the graph",
        irVersion: 9,
        opset: 18,
        domains: { "com.microsoft": 1, "ai.onnx.ml": 3 },
        producer: ["pytorch", "2.6"],
        metadata: { author: "someone", empty: "" },
        behind: [functionField],
      }),
    );
    expect(model.irVersion).toBe(9);
    expect(model.opsets).toEqual(new Map([["", 18], ["com.microsoft", 1], ["ai.onnx.ml", 3]])); // prettier-ignore
    expect([model.producerName, model.producerVersion]).toEqual(["pytorch", "2.6"]);
    expect(model.metadata).toEqual(new Map([["author", "someone"], ["empty", ""]])); // prettier-ignore
    expect(model.functions).toEqual(new Set(["my.domain:Twice"]));
    expect(model.graph.name).toBe("the graph");
    expect(model.graph.inputs).toEqual([{ name: "x", elementType: "float32", shape: ["batch", 3, null] }]);
    expect(model.graph.outputs).toEqual([{ name: "y", elementType: "float32", shape: null }]);
  });

  it("reads the other spelling of the ONNX domain as the ONNX domain", () => {
    const relu = node("Relu", ["x"], "y", {}, { domain: "ai.onnx" });
    const { model } = openBytes(modelBytes({ nodes: [relu], outputs: [untyped("y")], domains: { "ai.onnx": 13 } }));
    expect(model.opsets).toEqual(new Map([["", 13]]));
    expect(model.graph.nodes[0].domain).toBe("");
  });

  it("refuses a file without a graph, with two graphs, and an empty one", () => {
    const one = modelBytes({ nodes: [], outputs: [] });
    expect(() => readModel(memorySource(numberField(1, 8)))).toThrow(/holds no graph/);
    expect(() => readModel(memorySource(joinBytes([one, one])))).toThrow(/more than one graph/);
    expect(() => readModel(memorySource(new Uint8Array(0)))).toThrow(ExpectedError);
  });

  it("is read from a file too; a missing one and a folder are refused", () => {
    const file = path.join(folder, "model.onnx");
    writeFileSync(file, modelBytes({ nodes: [node("Relu", ["x"], "y")], outputs: [untyped("y")] }));
    const model = openModel(file);
    expect(model.path).toBe(file);
    expect(model.graph.nodes.map(({ opType }) => opType)).toEqual(["Relu"]);
    model.close();
    expect(() => openModel(path.join(folder, "none.onnx"))).toThrow(/none\.onnx/);
    expect(() => openModel(folder)).toThrow(ExpectedError);
  });
});

describe("nodes", () => {
  it("keep their inputs (absent ones too), outputs, name and domain", () => {
    const clip = { opType: "Clip", name: "clip", inputs: ["x", "", "max"], outputs: ["y", "z"], domain: "a.b" };
    const { model } = openBytes(modelBytes({ nodes: [node("Relu", ["w"], "x"), clip], outputs: [untyped("y")] }));
    expect(model.graph.nodes[1]).toMatchObject({ ...clip, index: 1 });
    expect(model.wire.bytes(model.graph.nodes[0].field)[0]).toBe(0x0a);
  });

  it("keep attributes of every kind", () => {
    const body = { nodes: [node("Add", ["a", "outer"], "b")], inputs: [value("a", [])], outputs: [value("b", [])] };
    const attributes = { int: -5, float: { float: 0.5 }, string: "SAME_UPPER", ints: [3, -1, 2 ** 40] };
    const extra = [
      attributeField("floats", joinBytes([bit32(7, 1.5), bit32(7, -2)]), 6),
      attributeField("packedFloats", packedFloats(7, [1.5, -2]), 6),
      attributeField("packedInts", packedInts(8, [7, -8]), 7),
      attributeField("strings", joinBytes([stringField(9, "a"), stringField(9, "ü")]), 8),
      attributeField("largest", numberField(3, 2n ** 63n - 1n), 2),
      // What proto3 leaves out: only the type says which zero was meant.
      attributeField("zero", new Uint8Array(0), 2),
      attributeField("zeroFloat", new Uint8Array(0), 1),
      attributeField("none", new Uint8Array(0), 3),
      attributeField("emptyInts", new Uint8Array(0), 7),
      attributeField("untyped", numberField(3, 4), null),
      attributeField("sparse", messageField(22, new Uint8Array(0)), 11),
    ];
    const tensors = { tensor: { name: "t", dims: [2], data: float32(1, 2) } };
    const whole = node("Anything", ["x"], "y", attributes, { graphs: { graph: body }, tensors, extra });
    const { model } = openBytes(modelBytes({ nodes: [whole], outputs: [untyped("y")] }));
    const read = model.graph.nodes[0].attributes;
    expect(read.get("int")).toEqual({ kind: "int", value: -5 });
    expect(read.get("float")).toEqual({ kind: "float", value: 0.5 });
    expect(read.get("string")).toEqual({ kind: "string", value: "SAME_UPPER" });
    expect(read.get("ints")).toEqual({ kind: "ints", values: [3, -1, 2 ** 40] });
    expect(read.get("floats")).toEqual({ kind: "floats", values: [1.5, -2] });
    expect(read.get("packedFloats")).toEqual({ kind: "floats", values: [1.5, -2] });
    expect(read.get("packedInts")).toEqual({ kind: "ints", values: [7, -8] });
    expect(read.get("strings")).toEqual({ kind: "strings", values: ["a", "ü"] });
    expect(read.get("largest")).toEqual({ kind: "int", value: 2 ** 63 });
    expect(read.get("zero")).toEqual({ kind: "int", value: 0 });
    expect(read.get("zeroFloat")).toEqual({ kind: "float", value: 0 });
    expect(read.get("none")).toEqual({ kind: "string", value: "" });
    expect(read.get("emptyInts")).toEqual({ kind: "ints", values: [] });
    expect(read.get("untyped")).toEqual({ kind: "int", value: 4 });
    expect(read.get("sparse")).toMatchObject({ kind: "sparse", tensor: { dims: [], payload: { kind: "none" } } });
    expect(read.get("tensor")).toMatchObject({ kind: "tensor", tensor: { dims: [2], elementType: "float32" } });
    expect(read.get("graph")).toMatchObject({ kind: "graph", graph: { nodes: [{ opType: "Add" }] } });
    expect(model.graph.nodes[0].captured).toEqual(["outer"]);
  });
});

describe("initializers", () => {
  const values = [1, -0.5, 3e-8, 4, 5, 6];
  it.each([
    ["raw_data", [messageField(9, new Uint8Array(float32(...values).buffer))]],
    ["packed float_data", [packedFloats(4, values)]],
    ["float_data, one by one", values.map((x) => bit32(4, x))],
    ["float_data, in two packs", [packedFloats(4, values.slice(0, 2)), packedFloats(4, values.slice(2))]],
  ])("hold float32 in %s", (_, payload) => {
    const field = tensorField("w", [2, 3], "float32", payload);
    const { model } = openBytes(modelBytes({ nodes: [], outputs: [], extra: [field] }));
    const found = model.graph.initializers.get("w")!;
    expect(found).toMatchObject({ name: "w", dims: [2, 3], elementType: "float32" });
    expect(readFloats(model.wire, found)).toEqual(float32(...values));
    expect(model.wire.bytes(found.field)).toEqual(field);
  });

  it.each([
    ["raw_data", [messageField(9, new Uint8Array(BigInt64Array.from([2n, -1n]).buffer))]],
    ["packed int64_data", [packedInts(7, [2, -1])]],
    ["int64_data, one by one", [numberField(7, 2), numberField(7, -1)]],
  ])("hold int64 in %s", (_, payload) => {
    const field = tensorField("shape", [2], "int64", payload);
    const { model } = openBytes(modelBytes({ nodes: [], outputs: [], extra: [field] }));
    expect(readSmallTensor(model.wire, model.graph.initializers.get("shape")!)).toEqual([2, -1]);
  });

  it("are scalars and empty tensors too; packed dims are read", () => {
    const packedDims = messageField(
      5,
      joinBytes([packedInts(1, [1, 2]), numberField(2, 1), stringField(8, "p"), packedFloats(4, [1, 2])]),
    );
    const extra = [
      tensorField("scalar", [], "float32", [packedFloats(4, [7])]),
      tensorField("empty", [0, 3], "float32", []),
      packedDims,
    ];
    const { model } = openBytes(modelBytes({ nodes: [], outputs: [], extra }));
    const { initializers } = model.graph;
    expect(readFloats(model.wire, initializers.get("scalar")!)).toEqual(float32(7));
    expect(readFloats(model.wire, initializers.get("empty")!)).toEqual(float32());
    expect(initializers.get("p")).toMatchObject({ dims: [1, 2] });
  });

  it.each([
    [
      "fewer values than the shape",
      [messageField(9, new Uint8Array(20))],
      /\[2, 3\], which is 6 elements, but holds 5/,
    ],
    ["more values than the shape", [packedFloats(4, [...values, 7])], /more data than its shape allows/],
    ["half a value", [messageField(9, new Uint8Array(22))], /but holds 5.5/],
    ["no data", [], /but holds 0/],
    [
      "data in another file",
      [messageField(13, joinBytes([stringField(1, "location"), stringField(2, "weights.bin")])), numberField(14, 1)],
      /keeps weights in "weights\.bin"/,
    ],
  ])("with %s are refused when read", (_, payload, message) => {
    const field = tensorField("w", [2, 3], "float32", payload);
    const { model } = openBytes(modelBytes({ nodes: [], outputs: [], extra: [field] }));
    expect(() => readFloats(model.wire, model.graph.initializers.get("w")!)).toThrow(message);
    expect(() => readFloats(model.wire, model.graph.initializers.get("w")!)).toThrow(ExpectedError);
  });

  it("may be inputs as well, and are then not fed; constants of nodes stand beside them", () => {
    const { index, model } = openBytes(
      modelBytes({
        irVersion: 3,
        opset: 8,
        nodes: [constant("c", [2], float32(3, 4)), node("Add", ["x", "w"], "s"), node("Add", ["s", "c"], "y")],
        initializers: [{ name: "w", dims: [2], data: float32(1, 2) }],
        inputs: [value("x", [null, 2]), value("w", [2])],
        outputs: [value("y", [null, 2])],
      }),
    );
    expect(index.dataInputs.map(({ name }) => name)).toEqual(["x"]);
    expect([...index.constants.keys()].sort()).toEqual(["c", "w"]);
    expect(readFloats(model.wire, index.constants.get("c")!)).toEqual(float32(3, 4));
  });
});

it("reads a model with a weight of 50 MB by less than 1 MB", () => {
  const large = { name: "w", dims: [12_500_000], data: new Float32Array(12_500_000) };
  const nodes = Array.from({ length: 200 }, (_, i) => node("Relu", [`v${i}`], `v${i + 1}`));
  const bytes = modelBytes({ nodes, initializers: [large], inputs: [value("v0", [1])], outputs: [untyped("v200")] });
  let read = 0;
  const memory = memorySource(bytes);
  const source: ByteSource = {
    ...memory,
    read(start, end) {
      read += end - start;
      return memory.read(start, end);
    },
  };
  const model = readModel(source);
  expect(model.graph.nodes).toHaveLength(200);
  expect(model.graph.initializers.get("w")?.dims).toEqual([12_500_000]);
  expect(bytes.length).toBeGreaterThan(50e6);
  expect(read).toBeLessThan(1e6);
});
