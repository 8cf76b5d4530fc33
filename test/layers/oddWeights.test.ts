import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { findEmbeddings } from "../../src/layers/embeddings";
import { parseEquation } from "../../src/layers/equation";
import { ExpectedError } from "../../src/errors";
import { ELEMENT_TYPES } from "../../src/onnx/schema";
import { floats, openBytes, relativeDifference, runOutput, tensor, weight } from "../fixtures/data";
import { functionField } from "../fixtures/functions";
import { constant, modelBytes, node, untyped, value, type TestNode } from "../fixtures/model";
import { rebuilt } from "../fixtures/rebuilt";

const integers = (name: string, ...values: number[]): TestNode =>
  constant(name, [values.length], BigInt64Array.from(values, BigInt));

/** Two factors rounded to 8 bits each. */
const EIGHT_BITS = 0.05;

describe("a weight that is quantized and dequantized becomes two of its kind", () => {
  const x = tensor([20, 6], 1);
  const quantize = (input: string) =>
    node("QuantizeLinear", [input, "scale"], "q", { output_dtype: ELEMENT_TYPES.int8 });
  const product = [node("DequantizeLinear", ["q", "scale"], "v"), node("MatMul", ["x", "v"], "y")];
  const scale = { name: "scale", dims: [], data: Float32Array.of(0.03) };

  it.each<[string, TestNode[], { elementType?: "float16" }]>([
    ["whose type an attribute says", [quantize("w")], {}],
    ["stored as float16 and converted first", [node("Cast", ["w"], "f", { to: ELEMENT_TYPES.float32 }), quantize("f")], { elementType: "float16" }], // prettier-ignore
  ])("%s", async (_, before, stored) => {
    const bytes = modelBytes({
      nodes: [...before, ...product],
      initializers: [{ name: "w", dims: [6, 6], data: floats(36, 2), ...stored }, scale],
      inputs: [value("x", ["n", 6])],
      outputs: [untyped("y")],
      opset: 21,
      irVersion: 10,
    });
    const { decomposed } = await rebuilt(bytes, x);
    const original = await runOutput(bytes, x, "y");
    expect(relativeDifference(await runOutput(decomposed, x, "y"), original)).toBeLessThan(EIGHT_BITS);
  });
});

describe("what is not a layer is named, and nothing else suffers", () => {
  it("a quantized weight that is computed", () => {
    const bytes = modelBytes({
      nodes: [
        node("Concat", ["a", "b"], "w", { axis: 0 }),
        node("QLinearMatMul", ["x", "s", "z", "w", "s", "z", "s", "z"], "y"),
      ],
      initializers: [
        { name: "a", dims: [2, 4], data: new Int8Array(8).fill(3) },
        { name: "b", dims: [2, 4], data: new Int8Array(8).fill(5) },
        { name: "s", dims: [], data: Float32Array.of(0.1) },
        { name: "z", dims: [], data: Int8Array.of(0) },
      ],
      inputs: [value("x", ["n", 4], "int8")],
      outputs: [untyped("y")],
    });
    const { layers, skipped } = findLayers(openBytes(bytes).index);
    expect(layers).toEqual([]);
    expect(skipped).toMatchObject([{ op: "QLinearMatMul", reason: expect.stringMatching(/computed.*by the Concat node_w/) as string }]); // prettier-ignore
  });

  it("heads that each have their own query, key and value are no parts", () => {
    const nodes = [
      node("MatMul", ["x", "w"], "p"),
      integers("heads", -1, 5, 2, 12),
      node("Reshape", ["p", "heads"], "h"),
      { ...node("Split", ["h"], "q", { axis: -1, num_outputs: 3 }), outputs: ["q", "k", "v"] },
      node("Transpose", ["k"], "kt", { perm: [0, 1, 3, 2] }),
      node("MatMul", ["q", "kt"], "scores"),
      node("Softmax", ["scores"], "shares", { axis: -1 }),
      node("MatMul", ["shares", "v"], "y"),
    ];
    const inputs = [value("x", ["n", 5, 8])];
    const { index } = openBytes(modelBytes({ nodes, initializers: [weight("w", [8, 24], 1)], inputs, outputs: [untyped("y")], opset: 18 })); // prettier-ignore
    expect(findLayers(index).layers[0].parts).toEqual([]);
  });

  it("two slices of a table are two tables", () => {
    const slice = (name: string, from: number): TestNode[] => [
      integers(`${name}from`, from),
      integers(`${name}to`, from + 10),
      node("Slice", ["t", `${name}from`, `${name}to`], name),
    ];
    const bytes = modelBytes({
      nodes: [
        ...slice("first", 0),
        ...slice("second", 10),
        node("Gather", ["first", "i"], "a"),
        node("Gather", ["second", "j"], "b"),
        node("Add", ["a", "b"], "y"),
      ],
      initializers: [weight("t", [20, 8], 1)],
      inputs: [value("i", ["n"], "int64"), value("j", ["n"], "int64")],
      outputs: [untyped("y")],
    });
    expect(findEmbeddings(openBytes(bytes).index)).toMatchObject([
      { name: "first", rows: 10, indices: ["i"] },
      { name: "second", rows: 10, indices: ["j"] },
    ]);
  });
});

describe("a file that would take for ever is refused at once", () => {
  it("functions that call one another twice and have no nodes", () => {
    const name = (at: number): string => `f${at}`;
    const calls = (at: number): TestNode[] =>
      [0, 1].map(() => ({ ...node(name(at + 1), [], "", {}, { domain: "local" }), outputs: [] }));
    const functions = Array.from({ length: 40 }, (_, at) =>
      functionField({ domain: "local", name: name(at), inputs: [], outputs: [], nodes: at === 39 ? [] : calls(at) }),
    );
    const bytes = modelBytes({
      nodes: [{ ...node(name(0), [], "", {}, { domain: "local" }), outputs: [] }, node("Relu", ["x"], "y")],
      inputs: [value("x", ["n"])],
      outputs: [untyped("y")],
      domains: { local: 1 },
      behind: functions,
    });
    const started = performance.now();
    expect(() => openBytes(bytes)).toThrow(ExpectedError);
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it("an equation of thousands of labels", () => {
    expect(parseEquation(`${"a".repeat(5000)},bc`)).toBeNull();
  });
});
