import { expect, it, describe } from "vitest";
import { findLayers } from "../../src/layers";
import type { NewAttribute, NewInitializer, NewValue } from "../../src/onnx/encode";
import { editedModelBytes } from "../../src/onnx/edit";
import { inferShapes } from "../../src/onnx/shapes/inferShapes";
import { elementCount } from "../../src/onnx/tensor";
import { floats, openBytes, relativeDifference, runModel, runOutput, tensor, weight } from "../fixtures/data";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { rebuilt } from "../fixtures/rebuilt";

const DECOMPOSED = 1e-5;
const batch = 2;
const positions = 5;
const d = 12;
const heads = 2;

interface Inputs {
  /** Of query, key and value. */
  readonly sizes?: readonly number[];
  readonly attributes?: Readonly<Record<string, NewAttribute>>;
  readonly mask?: Omit<NewInitializer, "name">;
  readonly past?: boolean;
  readonly added?: boolean;
}

const ints = (dims: readonly number[], entries: readonly number[]) => ({ dims, data: Int32Array.from(entries) });

/** onnxruntime 1.30's processor refuses rotary positions, and does not survive an Attention without its bias. */
const cases: [string, Inputs][] = [
  ["with its weight and bias alone", {}],
  ["of other sizes of query, key and value", { sizes: [8, 8, 20] }],
  ["that looks back only, with its own scale", { attributes: { unidirectional: 1, scale: { float: 0.2 } } }],
  ["with a mask by ends", { mask: ints([batch], [3, 5]) }],
  ["with a mask by positions", { mask: ints([batch, positions], [1, 1, 1, 1, 0, 1, 1, 0, 0, 0]) }],
  ["with a past", { past: true, attributes: { unidirectional: 1 } }],
  ["with what is added to its scores", { added: true }],
];

function attentionModel({ sizes, attributes, mask, past, added }: Inputs): Uint8Array {
  const [q, k, v] = sizes ?? [d, d, d];
  const initializers: NewInitializer[] = [weight("w", [d, q + k + v], 1)];
  const given = (name: string, is: boolean | undefined, dims: readonly number[], seed: number): string => {
    if (is) initializers.push({ name, dims, data: floats(elementCount(dims), seed) });
    return is ? name : "";
  };
  const inputs = [
    "x",
    "w",
    given("b", true, [q + k + v], 2),
    mask ? "mask" : "",
    given("past", past, [2, batch, heads, 3, k / heads], 3),
    given("added", added, [batch, heads, positions, positions], 4),
  ];
  if (mask) initializers.push({ name: "mask", ...mask });
  while (inputs.at(-1) === "") inputs.pop();
  const outputs = past ? ["y", "present"] : ["y"];
  const own = { num_heads: heads, ...(sizes ? { qkv_hidden_sizes: sizes } : {}), ...attributes };
  const layer = { ...node("Attention", inputs, "y", own, { domain: "com.microsoft" }), outputs };
  const io: NewValue[] = [value("x", [null, null, d])];
  const domains = { "com.microsoft": 1 };
  return modelBytes({ nodes: [layer], initializers, inputs: io, outputs: outputs.map(untyped), domains });
}

describe("onnxruntime's Attention", () => {
  it.each(cases)("%s computes the same as two layers, and with its own weight", async (_, inputs) => {
    const bytes = attentionModel(inputs);
    const x = tensor([batch, positions, d], 5);
    const { layers, decomposed, projected, factors } = await rebuilt(bytes, x);
    const rows = (inputs.sizes ?? [d, d, d]).reduce((sum, size) => sum + size, 0);
    expect(layers).toMatchObject([{ name: "w", op: "Attention", kept: null, view: { rows, columns: d } }]);
    expect(factors[0].rank).toBe(d);
    const original = await runModel(bytes, { x });
    const { model } = openBytes(bytes);
    const declared = { ...model.graph, inputs: [{ name: "x", elementType: x.type, shape: x.dims }] };
    expect(inferShapes(declared, () => null, 17).get("y")).toEqual(original.get("y")!.dims);
    const [two, same] = [await runModel(decomposed, { x }), await runModel(projected, { x })];
    expect([...two.keys()]).toEqual([...original.keys()]);
    for (const [name, { data }] of original) {
      expect(relativeDifference(two.get(name)!.data as Float32Array, data as Float32Array)).toBeLessThan(DECOMPOSED);
      expect(same.get(name)!.data).toEqual(data);
    }
    const { graph } = openBytes(decomposed).model;
    expect(graph.nodes.map(({ opType }) => opType)).toEqual(["MatMul", "Attention"]);
    expect(graph.initializers.has("w")).toBe(false);
  });

  it("sees the values at each position of its input", async () => {
    const { model, index } = openBytes(attentionModel({}));
    const x = tensor([batch, positions, d], 5);
    const [use] = findLayers(index).layers[0].uses;
    const { nodes, initializers } = use.features("x", "features", 3);
    const edit = { addNodes: nodes, addInitializers: initializers, outputs: [untyped("features")] };
    const found = await runOutput(editedModelBytes(model, edit), x, "features");
    const rows = batch * positions;
    expect(Array.from(found)).toEqual(Array.from(found, (_, at) => x.data[(at % rows) * d + Math.floor(at / rows)]));
    expect(elementCount(x.dims) / use.counted.perRow).toBe(rows);
  });
});

it("fused operators without weights of their own are not listed; tables that are looked up are, as such", () => {
  const bytes = modelBytes({
    nodes: [
      { ...node("EmbedLayerNormalization", ["ids", "", "words", "places", "", "w1", "w1"], "e", {}, { domain: "com.microsoft" }) }, // prettier-ignore
      node("SkipLayerNormalization", ["e", "matrix", "w1", "w1"], "s", {}, { domain: "com.microsoft" }),
      node("MultiHeadAttention", ["s", "s", "s"], "m", { num_heads: 2 }, { domain: "com.microsoft" }),
      node("FastGelu", ["m"], "f", {}, { domain: "com.microsoft" }),
      node("Inverse", ["matrix"], "i", {}, { domain: "com.microsoft" }),
      node("MatMul", ["f", "matrix"], "y"),
    ],
    initializers: [weight("words", [9, 4], 1), weight("places", [9, 4], 2), weight("w1", [4], 3), weight("matrix", [4, 4], 4)], // prettier-ignore
    inputs: [value("ids", [1, null], "int32")],
    outputs: [untyped("y"), untyped("i")],
    domains: { "com.microsoft": 1 },
  });
  const { layers, skipped } = findLayers(openBytes(bytes).index);
  expect(layers.map(({ name }) => name)).toEqual(["matrix"]);
  expect(skipped.map(({ op, reason }) => `${op}: ${reason}`)).toEqual([
    "EmbedLayerNormalization: an embedding table is looked up, not multiplied",
    "Inverse: the operator com.microsoft.Inverse is not supported yet",
  ]);
});
