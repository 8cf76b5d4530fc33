import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { gramKey } from "../../src/layers/layer";
import { floats, openBytes, weight } from "../fixtures/data";
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
import { sparseInitializer } from "../fixtures/sparseTensor";

function find(nodes: readonly TestNode[], more: Partial<ModelSpec> = {}) {
  const spec = { nodes, inputs: [value("x", ["n", 4])], outputs: [untyped("y")], ...more };
  return findLayers(openBytes(modelBytes(spec)).index);
}

/** The only skipped node of a graph without layers, and its reason. */
function skipped(nodes: readonly TestNode[], more: Partial<ModelSpec> = {}): string {
  const found = find(nodes, more);
  expect(found.layers).toEqual([]);
  expect(found.skipped).toHaveLength(1);
  const [{ name, op, reason }] = found.skipped;
  expect(name).not.toBe("");
  expect(op).toBe(nodes[nodes.length - 1].opType);
  return reason;
}

const matrix = (...dims: number[]): Partial<ModelSpec> => ({ initializers: [weight("w", dims, 1)] });

describe("layers", () => {
  it("come in the order in which data reaches them", () => {
    const found = find([node("MatMul", ["a", "v"], "y"), node("MatMul", ["x", "w"], "a")], {
      initializers: [weight("v", [4, 3], 1), weight("w", [4, 4], 2)],
    });
    expect(found.layers.map(({ name }) => name)).toEqual(["w", "v"]);
    expect(found.skipped).toEqual([]);
  });

  it("that see other patches of one input do not share a Gram matrix, though no attribute tells them apart", () => {
    const nodes = [node("Conv", ["x", "wide"], "a"), node("Conv", ["x", "square"], "y")];
    const initializers = [weight("wide", [8, 3, 1, 4], 1), weight("square", [8, 3, 2, 2], 2)];
    const { layers } = find(nodes, { initializers, inputs: [value("x", ["n", 3, 8, 8])] });
    expect(new Set(layers.map(gramKey)).size).toBe(2);
  });

  it("have their weight's name, or the node's where an exporter made the weight's name up", () => {
    const layers = find(
      [
        node("MatMul", ["x", "fc.weight"], "a"),
        node("MatMul", ["a", "onnx::MatMul_263"], "b"),
        node("MatMul", ["b", "17"], "c"),
        constant("made_by_node", [4, 4], floats(16, 1)),
        node("MatMul", ["c", "made_by_node"], "d"),
        { ...node("MatMul", ["d", "18"], "e"), name: "" },
      ],
      { initializers: ["fc.weight", "onnx::MatMul_263", "17", "18"].map((name, i) => weight(name, [4, 4], i)) },
    ).layers;
    expect(layers.map(({ name }) => name)).toEqual(["fc.weight", "node_b", "node_c", "node_d", "e"]);
    expect(layers.map(({ weightName }) => weightName)).toEqual(["fc.weight", "onnx::MatMul_263", "17", "made_by_node", "18"]); // prettier-ignore
  });

  it("have names of their own even where nodes have not", () => {
    const nodes = ["1", "2", "3"].map((w, i) => ({ ...node("MatMul", ["x", w], `y${i}`), name: "same" }));
    const initializers = ["1", "2", "3"].map((name, i) => weight(name, [4, 4], i));
    expect(find(nodes, { initializers }).layers.map(({ name }) => name)).toEqual(["same", "same (2)", "same (3)"]);
  });

  it("that share a weight are one entry with all uses", () => {
    const found = find(
      [node("MatMul", ["x", "w"], "a"), node("Relu", ["a"], "b"), node("MatMul", ["b", "w"], "y")],
      matrix(4, 4),
    );
    expect(found.layers).toHaveLength(1);
    expect(found.layers[0].uses.map(({ input, output }) => [input, output])).toEqual([["x", "a"], ["b", "y"]]); // prettier-ignore
  });

  it("that share a weight but read it in different ways are all listed as skipped", () => {
    const found = find(
      [
        node("MatMul", ["x", "w"], "a"),
        node("MatMul", ["a", "w"], "b"),
        node("Gemm", ["b", "w"], "c", { transB: 1 }),
        node("MatMul", ["c", "w"], "y"),
      ],
      matrix(4, 4),
    );
    expect(found.layers).toEqual([]);
    expect(found.skipped.map(({ name }) => name).sort()).toEqual(["node_a", "node_b", "node_c", "node_y"]);
    for (const { reason } of found.skipped) expect(reason).toMatch(/shares its weight with .*reads it in another way/);
  });

  it("may have alpha 2 in one use and 1 in another only as skipped ones", () => {
    const nodes = [node("Gemm", ["x", "w"], "a", { alpha: { float: 2 } }), node("Gemm", ["a", "w"], "y")];
    expect(find(nodes, matrix(4, 4)).skipped).toHaveLength(2);
  });
});

describe("what is not analysed is listed with the reason", () => {
  const at = (op: string, inputs: string[], attributes = {}, domain?: string): TestNode[] => [
    node(op, inputs, "y", attributes, domain === undefined ? {} : { domain }),
  ];

  it.each([
    ["a depthwise Conv", at("Conv", ["x", "w"], { group: 4 }), [4, 1, 3, 3], /depthwise/],
    ["a MatMul with a vector", at("MatMul", ["x", "w"]), [4], /shape \[4\]; a matrix is needed/],
    ["a MatMul with a vector for each group", at("MatMul", ["x", "w"]), [2, 4, 1], /one input or output per group/],
    [
      "a Conv whose outputs do not divide",
      at("Conv", ["x", "w"], { group: 2 }),
      [3, 1, 3, 3],
      /cannot be divided into 2/,
    ],
    ["a Gemm with alpha 0", at("Gemm", ["x", "w"], { alpha: { float: 0 } }), [4, 4], /alpha is 0/],
    ["a product of constants", at("MatMul", ["w", "w"]), [4, 4], /both its operands are constants/],
    ["a depthwise ConvTranspose", at("ConvTranspose", ["x", "w"], { group: 4 }), [4, 2, 3, 3], /depthwise/],
    [
      "a ConvTranspose whose inputs do not divide",
      at("ConvTranspose", ["x", "w"], { group: 3 }),
      [4, 2, 3, 3],
      /cannot be divided into 3/,
    ],
    ["an LSTM of more directions than it says", at("LSTM", ["x", "w", "w"]), [2, 8, 4], /shape \[2, 8, 4\].*"forward"/],
    ["an embedding", at("Gather", ["w", "x"]), [10, 4], /looked up/],
    [
      "a com.microsoft operator",
      at("SparseToDenseMatMul", ["x", "w"], {}, "com.microsoft"),
      [4, 4],
      /com\.microsoft\.SparseToDenseMatMul is not supported yet/,
    ],
    [
      "a FusedMatMul that exchanges axes of the batch",
      at("FusedMatMul", ["x", "w"], { transBatchA: 1 }, "com.microsoft"),
      [4, 4],
      /its transBatchA exchanges axes of the batch/,
    ],
    ["a MatMul of another domain", at("MatMul", ["x", "w"], {}, "my.domain"), [4, 4], /my\.domain\.MatMul/],
    ["a MatMul with an empty weight", at("MatMul", ["x", "w"]), [4, 0], /shape \[4, 0\]/],
  ])("%s", (_, nodes, dims, reason) => {
    expect(skipped(nodes, matrix(...dims))).toMatch(reason);
  });

  it("a MatMul of a vector with several matrices", () => {
    const inputs = { inputs: [value("x", [4])] };
    expect(skipped(at("MatMul", ["x", "w"]), { ...matrix(3, 4, 5), ...inputs })).toMatch(/^a vector is multiplied by/);
    expect(find(at("MatMul", ["x", "w"]), { ...matrix(1, 4, 5), ...inputs }).layers).toHaveLength(1);
  });

  it.each<[string, number[], RegExp]>([
    ["ab,bc->ac!", [4, 4], /cannot be read/],
    ["ab,bc->ac->a", [4, 4], /cannot be read/],
    ["abc", [4, 4], /there are 1 operands, not two/],
    ["ab,b...->a...", [4, 4], /its weight has an ellipsis/],
    ["ab,b->a", [4, 4], /its weight of shape \[4, 4\] has 1 labels/],
    ["ab,bb->a", [4, 4], /the label b occurs twice in one term/],
    ["aab,bc->ac", [4, 4], /the label a occurs twice in one term/],
    ["ab,bc->a", [4, 4], /the label c of one operand is summed over/],
    ["ab,bc->bc", [4, 4], /the label a of one operand is summed over/],
    ["...b,bc->c", [4, 4], /the label \.\.\. of one operand is summed over/],
    ["ab,cd->abcd", [4, 4], /no label of both operands is summed over/],
    ["ab,bc->ac", [1, 4], /its weight has one place only along the label b/],
    ["abc,cb->ab", [4, 4], /one input or output per group/],
  ])("an Einsum of equation %s", (equation, dims, reason) => {
    expect(skipped(at("Einsum", ["x", "w"], { equation }), matrix(...dims))).toMatch(reason);
  });

  it.each(["int8", "int32", "bool"] as const)("a %s weight", (type) => {
    const extra = [tensorField("w", [4, 4], type, [messageField(9, new Uint8Array(32))])];
    expect(skipped(at("MatMul", ["x", "w"]), { extra })).toMatch(
      new RegExp(`its weight is ${type}; only floating-point and dequantized`),
    );
  });

  it("a sparse weight that would take gigabytes", () => {
    const extra = [sparseInitializer("w", [2 ** 20, 2 ** 10], [1], [5])];
    const reason = /its weight is a sparse tensor of 1073741824 elements; at most 268435456 are read/;
    expect(skipped(at("MatMul", ["x", "w"]), { extra })).toMatch(reason);
    expect(skipped(at("Conv", ["x", "w"]), { extra })).toMatch(reason);
  });

  it("layers in subgraphs, with weights of their own and of the graph around them", () => {
    const own = {
      nodes: [node("MatMul", ["x", "v"], "i")],
      initializers: [weight("v", [4, 4], 2)],
      outputs: [untyped("i")],
    };
    const outer = { nodes: [node("MatMul", ["x", "w"], "j")], outputs: [untyped("j")] };
    const graphs = { then_branch: own, else_branch: outer };
    const nodes = [node("If", ["c"], "y", {}, { graphs })];
    const { layers, skipped: listed } = find(nodes, matrix(4, 4));
    expect(layers).toEqual([]);
    expect(listed.map(({ name }) => name)).toEqual(["node_i", "node_j"]);
    for (const { reason } of listed) expect(reason).toMatch(/inside the If "node_y"/);
  });

  it("but not element-wise constants, shapes, scales and operators without constants", () => {
    const nodes = [
      node("Add", ["x", "w"], "a"),
      node("Mul", ["w", "a"], "b"),
      node("Reshape", ["b", "shape"], "c"),
      node("MatMul", ["c", "c"], "d"),
      node("BatchNormalization", ["d", "v", "v", "v", "v"], "e"),
      node("Concat", ["e", "w"], "y", { axis: 0 }),
    ];
    const initializers = [
      weight("w", [4, 4], 1),
      { name: "v", dims: [4], data: floats(4, 1) },
      { name: "shape", dims: [2], data: BigInt64Array.from([4n, 4n]) },
    ];
    expect(find(nodes, { initializers })).toEqual({ layers: [], skipped: [] });
  });
});
