import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { gramKey } from "../../src/layers/layer";
import { weightMatrices } from "../../src/layers/weights";
import { decompositionEdit, projectionEdit } from "../../src/lowrank/decompose";
import { factorizeLayer, layerBasis, projectLayer } from "../../src/lowrank/layerBasis";
import { transposeMultiply } from "../../src/numerics/matrix";
import { editedModelBytes } from "../../src/onnx/edit";
import { readConstant } from "../../src/onnx/readConstant";
import { gramMatrices, type GramMatrices } from "../../src/runtime/gramGraph";
import {
  batchesOf,
  floats,
  openBytes,
  relativeDifference,
  runModel,
  runOutput,
  tensor,
  weight,
} from "../fixtures/data";
import { constant, modelBytes, node, untyped, value, type ModelSpec, type TestNode } from "../fixtures/model";

const FLOAT32 = 1e-6;
const DECOMPOSED = 1e-5;
const x = tensor([20, 6], 1);
const io: Pick<ModelSpec, "inputs" | "outputs"> = { inputs: [value("x", ["n", 6])], outputs: [untyped("y")] };

function open(bytes: Uint8Array) {
  const opened = openBytes(bytes);
  const { layers } = findLayers(opened.index);
  return { ...opened, layers };
}

async function gramsOf(
  { model, layers }: ReturnType<typeof open>,
  size = 20,
  rows = Infinity,
): Promise<Map<string, GramMatrices>> {
  const options = { dimsOf: () => [1, 1], rowsOf: () => rows, signal: undefined, onBatch: () => undefined };
  return gramMatrices(model, layers, batchesOf(x, size), options);
}

/** The whole model with its only layer at the given ranks, as W′ and as factors. */
async function atRanks(bytes: Uint8Array, kS: number, kT: number) {
  const opened = open(bytes);
  const [layer] = opened.layers;
  const grams = await gramsOf(opened);
  const weights = readConstant(opened.model.wire, layer.weight);
  const basis = layerBasis(layer, weights, grams.get(gramKey(layer))!);
  const { factors } = factorizeLayer(basis, kS, kT);
  const matrices = projectLayer(basis, kS, kT);
  return {
    decomposed: editedModelBytes(opened.model, decompositionEdit(opened, [{ layer, factors }])),
    projected: editedModelBytes(opened.model, projectionEdit(opened.index, [{ layer, matrices }])),
  };
}

const gramOf = (data: ArrayLike<number>, rows: number): Float64Array => {
  const matrix = { rows, columns: data.length / rows, data: Float64Array.from(data) };
  return transposeMultiply(matrix, matrix).data;
};

describe("a weight of two nodes", () => {
  const bytes = modelBytes({
    ...io,
    nodes: [
      node("MatMul", ["x", "w"], "a"),
      node("Tanh", ["a"], "b"),
      node("MatMul", ["b", "w"], "c"),
      node("Add", ["a", "c"], "y"),
    ],
    initializers: [weight("w", [6, 6], 2)],
  });
  const opened = open(bytes);
  const [layer] = opened.layers;

  it("has the sum of both Gram matrices, whatever the batches", async () => {
    const b = await runOutput(editedModelBytes(opened.model, { outputs: [untyped("b")] }), x, "b");
    const expected = gramOf([...(x.data as Float32Array), ...b], 40);
    for (const size of [20, 7, 1]) {
      const [gram] = (await gramsOf(opened, size)).get(gramKey(layer))!;
      expect(relativeDifference(gram.matrix.data, expected)).toBeLessThan(FLOAT32);
    }
  });

  it("has the rows of both uses where they are fewer than features", async () => {
    const b = await runOutput(editedModelBytes(opened.model, { outputs: [untyped("b")] }), x, "b");
    const expected = gramOf([...(x.data as Float32Array), ...b], 40);
    for (const size of [20, 7, 1]) {
      const [{ kind, matrix }] = (await gramsOf(opened, size, 1)).get(gramKey(layer))!;
      expect([kind, matrix.rows, matrix.columns]).toEqual(["rows", 40, 6]);
      expect(relativeDifference(transposeMultiply(matrix, matrix).data, expected)).toBeLessThan(FLOAT32);
    }
  });

  it("counts an input twice that it reads twice", async () => {
    const twice = open(
      modelBytes({
        ...io,
        nodes: [node("MatMul", ["x", "w"], "a"), node("MatMul", ["x", "w"], "b"), node("Sub", ["a", "b"], "y")],
        initializers: [weight("w", [6, 6], 2)],
      }),
    );
    const [gram] = (await gramsOf(twice)).get(gramKey(twice.layers[0]))!;
    const once = gramOf(x.data as Float32Array, 20);
    expect(relativeDifference(gram.matrix.data, once.map((entry) => 2 * entry))).toBeLessThan(FLOAT32); // prettier-ignore
  });

  it("is replaced in both at once", async () => {
    const { decomposed, projected } = await atRanks(bytes, 3, 2);
    const after = openBytes(decomposed);
    expect(after.model.graph.nodes.map(({ opType }) => opType)).toEqual(["MatMul", "MatMul", "Tanh", "MatMul", "MatMul", "Add"]); // prettier-ignore
    expect([...after.model.graph.initializers.values()].map(({ dims }) => dims)).toEqual([[6, 2], [2, 6]]); // prettier-ignore
    const found = await runOutput(decomposed, x, "y");
    expect(relativeDifference(found, await runOutput(projected, x, "y"))).toBeLessThan(DECOMPOSED);
    expect(relativeDifference(found, await runOutput(bytes, x, "y"))).toBeGreaterThan(0.01);
  });
});

describe("a weight that something else reads as well", () => {
  const others: [string, TestNode[], string][] = [
    ["a Gather", [node("Gather", ["w", "zero"], "row"), node("Add", ["a", "row"], "y")], "y"],
    ["a body of an If", [ifNode(), node("Add", ["a", "chosen"], "y")], "y"],
    ["the graph's output", [node("Relu", ["a"], "y")], "w"],
  ];

  it.each(others)("stays: %s", async (_, nodes, output) => {
    const bytes = modelBytes({
      ...io,
      nodes: [node("MatMul", ["x", "w"], "a"), ...nodes],
      initializers: [weight("w", [6, 6], 3), { name: "zero", dims: [], data: BigInt64Array.of(0n) }, flag],
      outputs: [...new Set(["y", output])].map(untyped),
    });
    expect(open(bytes).layers).toHaveLength(1);
    const { decomposed, projected } = await atRanks(bytes, 6, 6);
    for (const edited of [decomposed, projected]) {
      expect(openBytes(edited).model.graph.initializers.has("w")).toBe(true);
      const [found, original] = [await runModel(edited, { x }), await runModel(bytes, { x })];
      for (const [name, { data }] of original) {
        expect(relativeDifference(found.get(name)!.data as Float32Array, data as Float32Array)).toBeLessThan(
          DECOMPOSED,
        );
      }
    }
  });

  const flag = { name: "flag", dims: [], data: Float32Array.of(1) };
  function ifNode(): TestNode {
    const branch = { nodes: [node("ReduceMax", ["w"], "m", { keepdims: 0 })], outputs: [untyped("m")] };
    return node("If", ["isPositive"], "chosen", {}, { graphs: { then_branch: branch, else_branch: branch } });
  }
  others[1][1].unshift(node("Cast", ["flag"], "isPositive", { to: 9 }));
});

describe("a weight in a Constant node", () => {
  const data = floats(24, 4);
  const bytes = modelBytes({
    ...io,
    nodes: [constant("w", [6, 4], data), node("MatMul", ["x", "w"], "a"), node("Relu", ["a"], "y")],
  });

  it("is analysed like an initializer, and its node goes with it", async () => {
    const opened = open(bytes);
    const [layer] = opened.layers;
    expect(weightMatrices(layer.view, readConstant(opened.model.wire, layer.weight))[0].data[1]).toBe(data[4]);
    const { decomposed, projected } = await atRanks(bytes, 6, 4);
    expect(openBytes(decomposed).model.graph.nodes.map(({ opType }) => opType)).toEqual(["MatMul", "MatMul", "Relu"]);
    const original = await runOutput(bytes, x, "y");
    expect(relativeDifference(await runOutput(decomposed, x, "y"), original)).toBeLessThan(DECOMPOSED);
    expect(relativeDifference(await runOutput(projected, x, "y"), original)).toBeLessThan(DECOMPOSED);
  });
});

it("a model of IR version 3, whose initializers are inputs as well, still runs when decomposed", async () => {
  const bytes = modelBytes({
    irVersion: 3,
    opset: 7,
    nodes: [node("Gemm", ["x", "w", "b"], "y", { transB: 1 })],
    initializers: [weight("w", [5, 6], 5), { name: "b", dims: [5], data: floats(5, 6) }],
    inputs: [value("x", ["n", 6]), value("w", [5, 6]), value("b", [5])],
    outputs: [value("y", ["n", 5])],
  });
  const { decomposed, projected } = await atRanks(bytes, 6, 5);
  expect(openBytes(decomposed).model.graph.inputs.map(({ name }) => name)).toEqual([
    "x",
    "b",
    "w.low_rank_B",
    "w.low_rank_A",
  ]);
  const original = await runOutput(bytes, x, "y");
  expect(relativeDifference(await runOutput(decomposed, x, "y"), original)).toBeLessThan(DECOMPOSED);
  expect(relativeDifference(await runOutput(projected, x, "y"), original)).toBeLessThan(DECOMPOSED);
});
