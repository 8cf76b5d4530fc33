import { describe, expect, it } from "vitest";
import { inspectModel } from "../../src/inspect";
import { memorySource } from "../../src/onnx/byteSource";
import { editedModelBytes } from "../../src/onnx/edit";
import { readNumbers } from "../../src/onnx/numbers";
import { readModel } from "../../src/onnx/reader";
import { readSmallTensor } from "../../src/onnx/tensor";
import { openBytes, runModel, tensor, weight } from "../fixtures/data";
import { attributeField, graphBytes, joinBytes, messageField, modelBytes, node, numberField, stringField, untyped, value, type ModelSpec } from "../fixtures/model"; // prettier-ignore

const layerNames = (bytes: Uint8Array) => inspectModel(readModel(memorySource(bytes))).layers.map(({ name }) => name);

describe("the value of a Constant node", () => {
  const ofKind = (name: string, attribute: object | Uint8Array) =>
    attribute instanceof Uint8Array
      ? node("Constant", [], "c", {}, { extra: [attributeField(name, attribute, name === "value_floats" ? 6 : 8)] })
      : node("Constant", [], "c", attribute as Record<string, number>);
  const floatList = messageField(7, new Uint8Array(Float32Array.of(1.5, -2).buffer));

  it.each([
    ["value_float", { value_float: { float: 0.1 } }, "float32", [], Float32Array.of(0.1)],
    ["value_floats", floatList, "float32", [2], Float32Array.of(1.5, -2)],
    ["value_int", { value_int: -7 }, "int64", [], Float64Array.of(-7)],
    ["value_ints", { value_ints: [3, -1, 2 ** 40] }, "int64", [3], Float64Array.of(3, -1, 2 ** 40)],
  ])(
    "%s is a constant with the elements that onnxruntime has",
    async (name, attribute, elementType, dims, expected) => {
      const bytes = modelBytes({
        nodes: [ofKind(name, attribute), node("Identity", ["c"], "y")],
        outputs: [untyped("y")],
      });
      const { model, index } = openBytes(bytes);
      const found = index.constants.get("c")!;
      expect(found).toMatchObject({ elementType, dims });
      expect(readNumbers(model.wire, found)).toEqual(expected);
      expect(readSmallTensor(model.wire, found)).toEqual([...expected]);
      const y = (await runModel(bytes, {})).get("y")!;
      expect(y.dims).toEqual(dims);
      expect(Array.from(y.data as Float32Array | BigInt64Array, Number)).toEqual([...expected]);
    },
  );

  it("may be text, whose elements are not read", () => {
    const texts = joinBytes([stringField(9, "a"), stringField(9, "b")]);
    for (const [constant, dims] of [
      [ofKind("value_string", { value_string: "a" }), []],
      [ofKind("value_strings", texts), [2]],
    ] as const) {
      const { model, index } = openBytes(modelBytes({ nodes: [constant], outputs: [untyped("c")] }));
      const found = index.constants.get("c")!;
      expect(found).toMatchObject({ elementType: "string", dims });
      expect(readSmallTensor(model.wire, found)).toBeNull();
      expect(() => readNumbers(model.wire, found)).toThrow(/is string, not real numbers/);
    }
  });

  it("shapes a Reshape of a weight", () => {
    const bytes = modelBytes({
      nodes: [node("Constant", [], "to", { value_ints: [4, 2] }), node("Reshape", ["w", "to"], "m"), node("MatMul", ["x", "m"], "y")], // prettier-ignore
      initializers: [weight("w", [2, 4], 1)],
      inputs: [value("x", ["n", 4])],
      outputs: [untyped("y")],
    });
    expect(inspectModel(readModel(memorySource(bytes))).layers).toMatchObject([{ name: "w", rows: 2, columns: 4 }]);
  });
});

const dense = (more: Partial<ModelSpec> = {}): ModelSpec => ({
  nodes: [node("MatMul", ["x", "w"], "y")],
  initializers: [weight("w", [4, 3], 1)],
  inputs: [value("x", ["n", 4])],
  outputs: [untyped("y")],
  ...more,
});

describe("a model is read", () => {
  it.each([
    ["IR version 3 and opset 1", { irVersion: 3, opset: 1 }],
    ["versions of the future", { irVersion: 99, opset: 999 }],
    ["domains of the future", { domains: { "my.domain": 7, "ai.onnx.ml": 99 } }],
    ["no version at all", { irVersion: 0, opset: 0 }],
    ["no name of its graph", { name: "" }],
  ])("with %s", (_, more) => {
    expect(layerNames(modelBytes(dense(more)))).toEqual(["w"]);
  });

  it("without any name, field by field", () => {
    const graph = graphBytes(dense());
    expect(layerNames(messageField(7, graph))).toEqual(["w"]);
    const unnamed = { ...node("MatMul", ["x", "w"], "y"), name: "" };
    expect(layerNames(modelBytes(dense({ nodes: [unnamed] })))).toEqual(["w"]);
    const numbered = { ...node("MatMul", ["x", "0"], "1"), name: "" };
    const initializers = [weight("0", [4, 3], 1)];
    expect(layerNames(modelBytes(dense({ nodes: [numbered], initializers, outputs: [untyped("1")] })))).toEqual(["1"]);
  });

  it("where an initializer comes twice: the last one counts, and both go", async () => {
    const bytes = modelBytes(dense({ initializers: [weight("w", [4, 3], 1), weight("w", [4, 3], 2)] }));
    const { model } = openBytes(bytes);
    const found = readNumbers(model.wire, model.graph.initializers.get("w")!);
    expect(found).toEqual(weight("w", [4, 3], 2).data);
    const identity = { ...tensor([4, 4], 1), data: Float32Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)) };
    expect((await runModel(bytes, { x: identity })).get("y")?.data).toEqual(found);
    const edited = editedModelBytes(model, { keepInitializer: () => false });
    expect(Buffer.from(edited).includes(Buffer.from(weight("w", [4, 3], 1).data.buffer))).toBe(false);
    expect(openBytes(edited).model.graph.initializers.size).toBe(0);
  });

  it("where nodes share a name, and layers do not", () => {
    const nodes = [
      { ...node("MatMul", ["x", "w"], "a"), name: "same" },
      { ...node("MatMul", ["a", "1"], "b"), name: "same" },
      { ...node("MatMul", ["b", "2"], "y"), name: "same" },
    ];
    const initializers = [weight("w", [4, 3], 1), weight("1", [3, 3], 2), weight("2", [3, 3], 3)];
    expect(layerNames(modelBytes(dense({ nodes, initializers })))).toEqual(["w", "same", "same (2)"]);
  });

  it("where a value is made twice, which no runtime takes", () => {
    const nodes = [node("MatMul", ["x", "w"], "y"), node("Relu", ["x"], "y")];
    expect(layerNames(modelBytes(dense({ nodes })))).toEqual(["w"]);
  });

  it("where nodes come before what they read", () => {
    const nodes = [node("Relu", ["a"], "y"), node("MatMul", ["x", "w"], "a")];
    expect(layerNames(modelBytes(dense({ nodes })))).toEqual(["w"]);
  });

  it("with fields that no version of the format has", () => {
    const unknown = [numberField(1000, 5), messageField(1001, new Uint8Array(3))];
    expect(layerNames(modelBytes(dense({ before: unknown, behind: unknown, extra: unknown })))).toEqual(["w"]);
  });
});
