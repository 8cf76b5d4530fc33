import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { gramKey } from "../../src/layers/layer";
import { decompositionEdit } from "../../src/lowrank/decompose";
import { Evaluator } from "../../src/lowrank/evaluator";
import { factorizeLayer, layerBasis } from "../../src/lowrank/layerBasis";
import { readConstant } from "../../src/onnx/readConstant";
import { editedModelBytes } from "../../src/onnx/edit";
import { ELEMENT_TYPES } from "../../src/onnx/schema";
import { gramMatrices } from "../../src/runtime/gramGraph";
import { batchesOf, floats, openBytes, relativeDifference, runOutput, tensor, weight } from "../fixtures/data";
import {
  constant,
  messageField,
  modelBytes,
  node,
  tensorField,
  untyped,
  value,
  type ModelSpec,
  type TestNode,
} from "../fixtures/model";
import { rebuilt } from "../fixtures/rebuilt";

const DECOMPOSED = 1e-5;
/** Two factors rounded to halves, each by at most 2⁻¹¹ of a value. */
const HALF = 2 ** -10;
const x = tensor([20, 6], 1);

function model(nodes: readonly TestNode[], more: Partial<ModelSpec> = {}): Uint8Array {
  return modelBytes({ nodes, inputs: [value("x", ["n", 6])], outputs: [untyped("y")], ...more });
}

/** Both rebuilt models compute what the original does; their operators, in order, and their initializers. */
async function expectSameOutput(bytes: Uint8Array, tolerance = DECOMPOSED) {
  const { layers, decomposed, projected } = await rebuilt(bytes, x, [1, 1]);
  const original = await runOutput(bytes, x, "y");
  for (const edited of [decomposed, projected]) {
    expect(relativeDifference(await runOutput(edited, x, "y"), original)).toBeLessThan(tolerance);
  }
  const { graph } = openBytes(decomposed).model;
  return {
    layers,
    ops: graph.nodes.map(({ opType }) => opType),
    initializers: [...graph.initializers.keys()],
    types: [...graph.initializers.values()].map(({ elementType }) => elementType),
  };
}

const shape = (name: string, ...dims: bigint[]): TestNode => constant(name, [dims.length], BigInt64Array.from(dims));

describe("a weight behind other nodes is a layer", () => {
  it("behind a Transpose, which goes with the weight", async () => {
    const bytes = model([node("Transpose", ["w"], "wt"), node("MatMul", ["x", "wt"], "y")], {
      initializers: [weight("w", [4, 6], 2)],
    });
    const { layers, ops, initializers } = await expectSameOutput(bytes);
    expect(layers).toMatchObject([{ name: "w", weightName: "w", view: { rows: 4, columns: 6 } }]);
    expect(ops).toEqual(["MatMul", "MatMul"]);
    expect(initializers).toEqual(["w.low_rank_B", "w.low_rank_A"]);
  });

  it("behind Identity, Reshape, Transpose and Cast in one chain, and a Constant node before it", async () => {
    const data = floats(24, 3);
    const bytes = model([
      constant("w", [3, 2, 4], data),
      node("Identity", ["w"], "a"),
      shape("s", 0n, -1n),
      node("Reshape", ["a", "s"], "b"),
      shape("t", 6n, 4n),
      node("Reshape", ["b", "t"], "c"),
      node("Cast", ["c"], "d", { to: ELEMENT_TYPES.float32 }),
      node("MatMul", ["x", "d"], "y"),
    ]);
    const { layers, ops } = await expectSameOutput(bytes);
    expect(layers).toMatchObject([{ name: "node_y", weightName: "w" }]);
    expect(ops).toEqual(["MatMul", "MatMul"]);
  });

  it.each(["float16", "float64"] as const)("stored as %s and converted", async (type) => {
    const raw =
      type === "float64"
        ? new Uint8Array(Float64Array.from(floats(24, 4)).buffer)
        : new Uint8Array(Uint16Array.from({ length: 24 }, (_, i) => 0x3000 + ((i * 977) % 3000)).buffer);
    const bytes = model(
      [
        node("Cast", ["w"], "f", { to: ELEMENT_TYPES.float32 }),
        node("Transpose", ["f"], "ft"),
        node("Gemm", ["x", "ft"], "y"),
      ],
      { extra: [tensorField("w", [4, 6], type, [messageField(9, raw)])] },
    );
    const { layers, ops, types } = await expectSameOutput(bytes, type === "float16" ? HALF : DECOMPOSED);
    expect(layers).toMatchObject([{ name: "w", weight: { elementType: "float32", dims: [6, 4] } }]);
    // The factors are stored as the weight was, and converted as it was.
    expect(ops).toEqual(["Cast", "Cast", "MatMul", "MatMul"]);
    expect(types).toEqual([type, type]);
  });

  it("of a Conv", async () => {
    const bytes = model(
      [
        shape("image", -1n, 2n, 3n),
        node("Reshape", ["x", "image"], "i"),
        shape("kernel", 4n, 2n, 2n),
        node("Reshape", ["w", "kernel"], "k"),
        node("Conv", ["i", "k"], "c"),
        node("Flatten", ["c"], "y"),
      ],
      { initializers: [weight("w", [4, 4], 5)] },
    );
    const { layers, ops } = await expectSameOutput(bytes);
    expect(layers).toMatchObject([{ name: "w", view: { rows: 4, columns: 4 } }]);
    expect(ops).toEqual(["Constant", "Reshape", "Conv", "Conv", "Flatten"]);
  });

  it("one entry where two chains make the same of one weight", async () => {
    const bytes = model(
      [
        node("Transpose", ["w"], "first"),
        node("Identity", ["w"], "copy"),
        node("Transpose", ["copy"], "second", { perm: [1, 0] }),
        node("MatMul", ["x", "first"], "a"),
        node("Tanh", ["a"], "b"),
        node("MatMul", ["b", "second"], "y"),
      ],
      { initializers: [weight("w", [6, 6], 6)] },
    );
    const { layers, ops, initializers } = await expectSameOutput(bytes);
    expect(layers.map(({ name, uses }) => [name, uses.length])).toEqual([["w", 2]]);
    expect(ops).toEqual(["MatMul", "MatMul", "Tanh", "MatMul", "MatMul"]);
    expect(initializers).toHaveLength(2);
  });

  it("which stays, with its nodes, where something else reads them", async () => {
    const bytes = model(
      [
        node("Transpose", ["w"], "wt"),
        node("MatMul", ["x", "wt"], "a"),
        node("ReduceMax", ["wt"], "most", { keepdims: 0 }),
        node("Add", ["a", "most"], "y"),
      ],
      { initializers: [weight("w", [4, 6], 7)] },
    );
    const { ops, initializers } = await expectSameOutput(bytes);
    expect(ops).toEqual(["Transpose", "MatMul", "MatMul", "ReduceMax", "Add"]);
    expect(initializers).toContain("w");
  });

  it("whose bias may be the weight itself", async () => {
    const bytes = model([node("Gemm", ["x", "w", "w"], "y")], {
      initializers: [weight("w", [6, 6], 8)],
      inputs: [value("x", [6, 6])],
    });
    const { initializers } = await expectSameOutput6(bytes);
    expect(initializers).toContain("w");
  });

  it("three to a tensor, each of which is a slice of it", async () => {
    const ends = (name: string, from: number, to: number): TestNode[] => [
      shape(`${name}_from`, BigInt(from)),
      shape(`${name}_to`, BigInt(to)),
      node("Slice", ["packed", `${name}_from`, `${name}_to`, "axis"], name),
    ];
    const bytes = model(
      [
        shape("axis", 1n),
        ...ends("q", 0, 6),
        ...ends("k", 6, -6),
        ...ends("v", -6, 99),
        node("MatMul", ["x", "q"], "xq"),
        node("MatMul", ["x", "k"], "xk"),
        node("MatMul", ["x", "v"], "xv"),
        node("Mul", ["xq", "xk"], "weights"),
        node("Mul", ["weights", "xv"], "y"),
      ],
      { initializers: [weight("packed", [6, 18], 10)] },
    );
    const { layers, initializers } = await expectSameOutput(bytes);
    expect(layers.map(({ name, weightName }) => [name, weightName])).toEqual([
      ["node_xq", "q"],
      ["node_xk", "k"],
      ["node_xv", "v"],
    ]);
    const factors = ["q", "k", "v"].flatMap((name) => [`${name}.low_rank_B`, `${name}.low_rank_A`]);
    expect(initializers).toEqual(factors);
  });

  it.each([11, 17])("behind Squeeze, Unsqueeze and Flatten, in opset %d", async (opset) => {
    const [axes, inputs] = opset < 13 ? [{ axes: [-1] }, []] : [{}, ["last"]];
    const bytes = model(
      [
        ...(opset < 13 ? [] : [shape("last", -1n)]),
        node("Squeeze", ["w"], "a"),
        node("Unsqueeze", ["a", ...inputs], "b", axes),
        node("Squeeze", ["b", ...inputs], "c", axes),
        node("Flatten", ["c"], "d", { axis: 1 }),
        node("Transpose", ["d"], "e"),
        node("MatMul", ["x", "e"], "y"),
      ],
      { opset, initializers: [weight("w", [1, 4, 2, 1, 3], 11)] },
    );
    const { layers, ops } = await expectSameOutput(bytes);
    expect(layers).toMatchObject([{ name: "w", view: { rows: 4, columns: 6 } }]);
    expect(ops.slice(-2)).toEqual(["MatMul", "MatMul"]);
  });

  it("and is evaluated like any other", async () => {
    const bytes = model(
      [
        node("Cast", ["w"], "f", { to: ELEMENT_TYPES.float32 }),
        node("Transpose", ["f"], "ft"),
        node("MatMul", ["x", "ft"], "a"),
        node("Relu", ["a"], "b"),
        node("MatMul", ["b", "v"], "y"),
      ],
      {
        initializers: [weight("v", [6, 3], 3)],
        extra: [tensorField("w", [6, 6], "float64", [messageField(9, new Uint8Array(new Float64Array(36).fill(2).buffer))])], // prettier-ignore
      },
    );
    const { model: opened, index } = openBytes(bytes);
    const [layer] = findLayers(index).layers;
    const targets = new Int32Array(20).fill(1);
    const context = {
      model: opened,
      index,
      batches: batchesOf(x, 7),
      outputName: "y",
      reference: {
        kind: "answers" as const,
        perSample: 1,
        targets,
        right: new Uint8Array(targets.length),
        margins: new Float64Array(targets.length),
      },
      macShare: () => 1,
      signal: undefined,
      onWork: () => undefined,
      cacheBytes: Infinity,
    };
    const evaluator = new Evaluator(context);
    try {
      await evaluator.start(layer);
      const replacement = floats(36, 9);
      const direct = model(
        [node("MatMul", ["x", "w"], "a"), node("Relu", ["a"], "b"), node("MatMul", ["b", "v"], "y")],
        {
          initializers: [{ name: "w", dims: [6, 6], data: replacement }, weight("v", [6, 3], 3)],
        },
      );
      const scores = await runOutput(direct, x, "y");
      const rows = Array.from({ length: 20 }, (_, i) => [...scores.subarray(3 * i, 3 * i + 3)]);
      const expected = rows.filter((row) => row.indexOf(Math.max(...row)) === 1).length;
      expect(await evaluator.result(replacement)).toBe(expected);
      expect(expected).toBeGreaterThan(0);
      expect(expected).toBeLessThan(20);
    } finally {
      await evaluator.close();
    }
  });
});

/** As {@link expectSameOutput}, for a model of six samples. */
async function expectSameOutput6(bytes: Uint8Array) {
  const six = tensor([6, 6], 1);
  const opened = openBytes(bytes);
  const [layer] = findLayers(opened.index).layers;
  const options = { dimsOf: () => [1, 1], rowsOf: () => Infinity, signal: undefined, onBatch: () => undefined };
  const grams = await gramMatrices(opened.model, [layer], batchesOf(six, 6), options);
  const basis = layerBasis(layer, readConstant(opened.model.wire, layer.weight), grams.get(gramKey(layer))!);
  const { factors } = factorizeLayer(basis, 6, 6);
  const decomposed = editedModelBytes(opened.model, decompositionEdit(opened, [{ layer, factors }]));
  const original = await runOutput(bytes, six, "y");
  expect(relativeDifference(await runOutput(decomposed, six, "y"), original)).toBeLessThan(DECOMPOSED);
  return { initializers: [...openBytes(decomposed).model.graph.initializers.keys()] };
}

describe("a weight that is made in another way stays listed, with the reason", () => {
  const initializers = [weight("w", [6, 6], 2), { name: "scale", dims: [], data: Float32Array.of(0.5) }];
  const cases: [string, TestNode[], RegExp][] = [
    ["a product", [node("Mul", ["w", "scale"], "v")], /computed from constants, by the Mul node_v/],
    [
      "a product behind a Transpose",
      [node("Mul", ["w", "scale"], "p"), node("Transpose", ["p"], "v")],
      /computed from constants, by the Mul node_p/,
    ],
    [
      "a Reshape to the shape of the data",
      [node("Shape", ["x"], "s"), node("Reshape", ["w", "s"], "v")],
      /made by the Reshape node_v, to a shape that is not constant/,
    ],
    ["a Cast to int8", [node("Cast", ["w"], "v", { to: 3 })], /made by the Cast node_v, from float32 to int8/],
    ["a vector", [shape("s", 36n), node("Reshape", ["w", "s"], "v")], /shape \[36\]; a matrix is needed/],
  ];
  it.each(cases)("%s", (_, nodes, reason) => {
    const { layers, skipped } = findLayers(
      openBytes(model([...nodes, node("MatMul", ["x", "v"], "y")], { initializers })).index,
    );
    expect(layers).toEqual([]);
    expect(skipped).toMatchObject([{ name: "node_y", op: "MatMul" }]);
    expect(skipped[0].reason).toMatch(reason);
  });

  it("two layers that make different matrices of one weight", () => {
    const nodes = [node("Transpose", ["w"], "wt"), node("MatMul", ["x", "wt"], "a"), node("MatMul", ["a", "w"], "y")];
    const { layers, skipped } = findLayers(openBytes(model(nodes, { initializers })).index);
    expect(layers).toEqual([]);
    expect(skipped.map(({ name }) => name).sort()).toEqual(["node_a", "node_y"]);
    for (const { reason } of skipped) expect(reason).toMatch(/shares its weight with .* which reads it in another way/);
  });
});

describe("layers in subgraphs are listed", () => {
  const body = (nodes: TestNode[], output: string) => ({ nodes, outputs: [untyped(output)] });
  const find = (nodes: TestNode[], more: Partial<ModelSpec> = {}) =>
    findLayers(openBytes(model(nodes, { initializers: [weight("w", [6, 6], 2)], ...more })).index);

  it("with all that is around them, however deep", () => {
    const inner = body([node("Transpose", ["w"], "wt"), node("MatMul", ["x", "wt"], "i")], "i");
    const outer = body([node("If", ["c"], "o", {}, { graphs: { then_branch: inner, else_branch: inner } })], "o");
    const { layers, skipped } = find([
      node("If", ["c"], "y", {}, { graphs: { then_branch: outer, else_branch: inner } }),
    ]);
    expect(layers).toEqual([]);
    expect(skipped.map(({ name, op }) => `${op} ${name}`)).toEqual(Array(3).fill("MatMul node_i"));
    const reasons = skipped.map(({ reason }) => reason).sort();
    expect(reasons[0]).toBe('it is inside the If "node_o", inside the If "node_y"; layers in subgraphs are not analysed yet'); // prettier-ignore
    expect(reasons[2]).toBe('it is inside the If "node_y"; layers in subgraphs are not analysed yet');
  });

  it("also where their weight is computed, or made by nodes of the graph around them", () => {
    const computed = body([node("MatMul", ["x", "v"], "i")], "i");
    const own = body([node("Mul", ["w", "w"], "n"), node("MatMul", ["x", "n"], "j")], "j");
    const { skipped } = find([
      node("Mul", ["w", "w"], "v"),
      node("If", ["c"], "y", {}, { graphs: { then_branch: computed, else_branch: own } }),
    ]);
    expect(skipped.map(({ name }) => name)).toEqual(["node_i", "node_j"]);
  });

  it("but not products of two values that depend on the data, as in a Loop", () => {
    const turn = {
      inputs: [value("turn", [], "int64"), value("go", [], null), value("state", [6, 6])],
      nodes: [node("MatMul", ["x", "state"], "i"), node("MatMul", ["outer", "state"], "j")],
      outputs: [untyped("go"), untyped("i")],
    };
    const { skipped } = find([
      node("Relu", ["x"], "outer"),
      node("Loop", ["", "", "x"], "y", {}, { graphs: { body: turn } }),
    ]);
    expect(skipped).toEqual([]);
  });

  it("with a name, even where the node and its outputs have none", () => {
    const nameless = body([{ ...node("MatMul", ["x", "w"], "i"), name: "" }], "i");
    const { skipped } = find([
      { ...node("If", ["c"], "y", {}, { graphs: { then_branch: nameless, else_branch: nameless } }), name: "" },
    ]);
    expect(skipped.map(({ name }) => name)).toEqual(["i", "i"]);
    expect(skipped[0].reason).toContain('the If "y"');
  });
});
