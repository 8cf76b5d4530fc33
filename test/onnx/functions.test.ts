import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ExpectedError } from "../../src/errors";
import { findLayers } from "../../src/layers";
import { DEEPEST_CALL, MOST_INLINED_NODES } from "../../src/onnx/functions/inliner";
import { openModel, type OpenModel } from "../../src/onnx/reader";
import { sha256OfModel } from "../../src/onnx/sha256";
import { openBytes, runModel, tensor, weight } from "../fixtures/data";
import { functionField, reference, type FunctionSpec } from "../fixtures/functions";
import { joinBytes, modelBytes, node, nodeMessage, numberField, stringField, untyped, value, type ModelSpec, type TestNode } from "../fixtures/model"; // prettier-ignore

const folder = mkdtempSync(path.join(tmpdir(), "ranklens-functions-"));
afterAll(() => rmSync(folder, { recursive: true }));

const FLOAT = 1;
const call = (name: string, inputs: readonly string[], output: string, more: Partial<TestNode> = {}): TestNode => {
  return { ...node(name, inputs, output, {}, { domain: "local" }), ...more };
};
const fn = (name: string, spec: Omit<FunctionSpec, "domain" | "name">): Uint8Array => {
  return functionField({ domain: "local", name, ...spec });
};
const model = (functions: readonly Uint8Array[], more: Partial<ModelSpec>): Uint8Array =>
  modelBytes({
    nodes: [],
    inputs: [value("x", ["n", 4])],
    outputs: [value("y", null)],
    domains: { local: 1 },
    behind: functions,
    ...more,
  });
const written = (open: OpenModel): Uint8Array => open.wire.bytes({ start: 0, end: open.wire.source.size });

/** The model with its functions inlined, after a check that onnxruntime computes the same with both. */
async function inlined(bytes: Uint8Array, feeds = { x: tensor([3, 4], 1) }): Promise<OpenModel> {
  const open = openBytes(bytes).model;
  const expected = await runModel(bytes, feeds);
  expect(expected.size).toBeGreaterThan(0);
  expect(await runModel(written(open), feeds)).toEqual(expected);
  return open;
}

const linear = fn("Linear", {
  inputs: ["x", "w", "b"],
  outputs: ["y"],
  nodes: [{ ...node("MatMul", ["x", "w"], "p"), name: "matmul" }, node("Add", ["p", "b"], "y")],
});
const block = fn("Block", {
  inputs: ["x", "w", "b"],
  outputs: ["out"],
  attributes: ["slope"],
  nodes: [
    call("Linear", ["x", "w", "b"], "h", { name: "linear" }),
    node("LeakyRelu", ["h"], "out", {}, { extra: [reference("alpha", "slope", FLOAT)] }),
  ],
  opsets: { "": 17, local: 1 },
});
const initializers = [weight("w1", [4, 5], 1), weight("b1", [5], 2), weight("w2", [5, 3], 3), weight("b2", [3], 4)];
const blocks = model([linear, block], {
  nodes: [
    call("Block", ["x", "w1", "b1"], "h", { name: "layer1", attributes: { slope: { float: 0.3 } } }),
    call("Block", ["h", "w2", "b2"], "y", { name: "layer2", attributes: { slope: { float: 0.7 } } }),
  ],
  initializers,
});

describe("functions are inlined", () => {
  it("in one another, under names of their own, with the attributes of each call", async () => {
    const open = await inlined(blocks);
    expect(open.graph.nodes.map(({ name, opType, domain }) => [name, opType, domain])).toEqual([
      ["layer1/linear/matmul", "MatMul", ""],
      ["layer1/linear/node_y", "Add", ""],
      ["layer1/node_out", "LeakyRelu", ""],
      ["layer2/linear/matmul", "MatMul", ""],
      ["layer2/linear/node_y", "Add", ""],
      ["layer2/node_out", "LeakyRelu", ""],
    ]);
    expect(open.graph.nodes[0]).toMatchObject({ inputs: ["x", "w1"], outputs: ["layer1/linear/p"] });
    expect(open.functions.size).toBe(0);
    expect(findLayers(openBytes(blocks).index).layers.map(({ name }) => name)).toEqual(["w1", "w2"]);
  });

  it("and all other bytes stay: weights, imports, metadata, unknown fields", () => {
    const odd = { metadata: { author: "someone" }, before: [numberField(999, 7)], extra: [numberField(998, 6)] };
    const bytes = model([linear], { nodes: [call("Linear", ["x", "w1", "b1"], "y")], initializers, ...odd });
    const plain = modelBytes({
      nodes: [],
      inputs: [value("x", ["n", 4])],
      outputs: [value("y", null)],
      domains: { local: 1 },
      initializers,
      ...odd,
    });
    const { model: open } = openBytes(bytes);
    const rest = Buffer.from(written(open));
    const kept = openBytes(plain).model;
    for (const range of [kept.graph.range, { start: kept.graphField.end, end: plain.length }]) {
      expect(rest.includes(Buffer.from(kept.wire.bytes(range)))).toBe(true);
    }
  });

  it("with default attributes, and without those that nobody gives", async () => {
    const leaky = fn("Leaky", {
      inputs: ["x"],
      outputs: ["y"],
      attributes: ["axis"],
      nodes: [
        node("LeakyRelu", ["x"], "h", {}, { extra: [reference("alpha", "slope", FLOAT)] }),
        node("Softmax", ["h"], "y", {}, { extra: [reference("axis", "axis", 2)] }),
      ],
      defaults: [joinBytes([stringField(1, "slope"), nodeFloat(0.25), numberField(20, FLOAT)])],
    });
    const nodes = [
      call("Leaky", ["x"], "a"),
      call("Leaky", ["x"], "b", { attributes: { slope: { float: 0.5 }, axis: 0 } }),
      node("Add", ["a", "b"], "y"),
    ];
    const open = await inlined(model([leaky], { nodes }));
    const attributes = open.graph.nodes.slice(0, 4).map((each) => Object.fromEntries(each.attributes));
    expect(attributes).toEqual([
      { alpha: { kind: "float", value: 0.25 } },
      {},
      { alpha: { kind: "float", value: 0.5 } },
      { axis: { kind: "int", value: 0 } },
    ]);
  });

  it("with optional inputs and outputs that are absent, and inputs that are handed on", async () => {
    const clip = fn("Between", {
      inputs: ["x", "low", "high"],
      outputs: ["y", "x", "unused"],
      nodes: [
        { opType: "Clip", name: "clip", inputs: ["x", "low", "high"], outputs: ["y"] },
        node("Neg", ["y"], "unused"),
      ],
    });
    const nodes = [
      { ...call("Between", ["x", "", "limit"], "a"), outputs: ["a", "same"] },
      node("Add", ["a", "same"], "y"),
    ];
    const limit = { name: "limit", dims: [], data: Float32Array.of(0.5) };
    const open = openBytes(model([clip], { nodes, initializers: [limit] })).model;
    expect(open.graph.nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs])).toEqual([
      ["Clip", ["x", "", "limit"], ["a"]],
      ["Neg", ["a"], ["node_a/unused"]],
      ["Identity", ["x"], ["same"]],
      ["Add", ["a", "same"], ["y"]],
    ]);
    const x = { ...tensor([1, 4], 1), data: Float32Array.of(-3, 0, 1, 9) };
    expect((await runModel(written(open), { x })).get("y")?.data).toEqual(Float32Array.of(-6, 0, 1.5, 9.5));
  });

  it("in the graphs of If, and with graphs of their own that read what is around them", async () => {
    const branch = (name: string, output: string) => ({
      nodes: [call(name, ["x"], output)],
      outputs: [untyped(output)],
    });
    const twice = fn("Twice", { inputs: ["x"], outputs: ["y"], nodes: [node("Add", ["x", "x"], "y")] });
    const choose = fn("Choose", {
      inputs: ["x", "c"],
      outputs: ["y"],
      nodes: [
        node("Neg", ["x"], "h"),
        node("If", ["c"], "y", {}, {
          graphs: {
            then_branch: { nodes: [node("Abs", ["h"], "t")], outputs: [untyped("t")] },
            else_branch: { nodes: [node("Add", ["h", "x"], "e")], outputs: [untyped("e")] },
          },
        }), // prettier-ignore
      ],
    });
    const graphs = { then_branch: branch("Twice", "t"), else_branch: branch("Twice", "e") };
    const nodes = [
      node("If", ["c"], "a", {}, { graphs }),
      call("Choose", ["a", "c"], "h"),
      call("Choose", ["h", "d"], "y"),
    ];
    const bytes = model([twice, choose], {
      nodes,
      inputs: [value("x", ["n", 4]), value("c", [], "bool"), value("d", [], "bool")],
    });
    for (const [c, d] of [
      [0, 1],
      [1, 0],
      [0, 0],
    ]) {
      // prettier-ignore
      const flag = (on: number) => ({ type: "bool" as const, dims: [], data: Uint8Array.of(on) });
      const open = await inlined(bytes, { x: tensor([3, 4], 1), c: flag(c), d: flag(d) } as never);
      expect(open.graph.nodes.map(({ opType }) => opType)).toEqual(["If", "Neg", "If", "Neg", "If"]);
      expect(open.functions.size).toBe(0);
    }
  });

  it("under names that nothing else has", async () => {
    const nodes = [
      { ...node("Neg", ["x"], "same/p"), name: "" },
      call("Linear", ["same/p", "w", "b"], "a", { name: "same" }),
      call("Linear", ["a", "w", "b"], "c", { name: "same_2" }),
      { ...node("Neg", ["c"], "y"), name: "same/matmul" },
    ];
    const bytes = model([linear], { nodes, initializers: [weight("w", [4, 4], 1), weight("b", [4], 2)] });
    const { graph } = await inlined(bytes);
    expect(graph.nodes.map(({ outputs }) => outputs[0])).toEqual(["same/p", "same_2/p", "a", "same_2_2/p", "c", "y"]);
    // onnxruntime takes no two nodes of one name, though a function may have them.
    const same = (input: string, output: string) => ({ ...node("Neg", [input], output), name: "same" });
    const twins = fn("Twins", { inputs: ["x"], outputs: ["y"], nodes: [same("x", "h"), same("h", "y")] });
    const taken = [{ ...node("Neg", ["x"], "d"), name: "e/same" }, call("Twins", ["d"], "y", { name: "e" })];
    const { nodes: unique } = openBytes(model([twins], { nodes: taken })).model.graph;
    expect(unique.map(({ name }) => name)).toEqual(["e/same", "e/same_2", "e/same_3"]);
  });

  it("that have one name and differ by their overload", async () => {
    const overloads = ["a", "b"].map((overload, i) =>
      fn("F", { overload, inputs: ["x"], outputs: ["y"], nodes: [node(i === 0 ? "Neg" : "Abs", ["x"], "y")] }),
    );
    const of = (overload: string): Partial<TestNode> => ({ extra: [stringField(8, overload)] });
    const nodes = [call("F", ["x"], "h", of("a")), call("F", ["h"], "y", of("b"))];
    const { graph } = await inlined(model(overloads, { irVersion: 10, nodes }));
    expect(graph.nodes.map(({ opType }) => opType)).toEqual(["Neg", "Abs"]);
  });

  it("with the operators of domains that the model itself does not import", () => {
    const gelu = fn("G", {
      inputs: ["x"],
      outputs: ["y"],
      nodes: [node("Gelu", ["x"], "y", {}, { domain: "com.microsoft" })],
      opsets: { "": 17, "com.microsoft": 1 },
    });
    const open = openBytes(model([gelu], { nodes: [call("G", ["x"], "y")] })).model;
    expect(open.opsets.get("com.microsoft")).toBe(1);
    expect(open.graph.nodes).toMatchObject([{ opType: "Gelu", domain: "com.microsoft" }]);
  });
});

describe("functions stay as they are", () => {
  it("where nothing calls them: not a byte changes", () => {
    const bytes = model([linear], { nodes: [node("Relu", ["x"], "y")] });
    const open = openBytes(bytes).model;
    expect(written(open)).toEqual(bytes);
    expect(open.functions).toEqual(new Set(["local:Linear"]));
  });

  it("where they are written for another version of an operator set: listed, with the reason", () => {
    const old = fn("Old", {
      inputs: ["x", "w"],
      outputs: ["y"],
      nodes: [node("MatMul", ["x", "w"], "y")],
      opsets: { "": 12 },
    });
    const outer = fn("Outer", {
      inputs: ["x", "w"],
      outputs: ["y"],
      nodes: [call("Old", ["x", "w"], "h"), node("Relu", ["h"], "y")],
    });
    const nodes = [call("Outer", ["x", "w1"], "y", { name: "module" })];
    const bytes = model([old, outer, linear], { nodes, initializers });
    const { model: open, index } = openBytes(bytes);
    expect(open.graph.nodes.map(({ opType }) => opType)).toEqual(["Old", "Relu"]);
    // Nothing calls Linear.
    expect(open.functions).toEqual(new Set(["local:Old", "local:Linear"]));
    expect(findLayers(index).skipped).toEqual([
      {
        name: "module/node_h",
        op: "Old",
        reason: "it calls a function of the model, written for version 12 of ai.onnx; the model has 17",
      },
    ]);
  });
});

describe("functions are refused", () => {
  const calls = (name: string, ...callees: string[]) =>
    fn(name, {
      inputs: ["x"],
      outputs: ["y"],
      nodes: callees.map((callee, i) =>
        callee === "" ? node("Neg", ["x"], "y") : call(callee, ["x"], i === 0 ? "y" : `h${i}`),
      ),
    });
  const chain = (length: number, times: number): Uint8Array =>
    model(
      Array.from({ length }, (_, i) => calls(`F${i}`, ...new Array<string>(times).fill(i + 1 < length ? `F${i + 1}` : ""))), // prettier-ignore
      { nodes: [call("F0", ["x"], "y")] },
    );

  it.each([
    ["that call themselves", [calls("F0", "F0")], /its function local:F0 calls itself/],
    ["that call one another in a circle", [calls("F0", "F1"), calls("F1", "F0")], /its function local:F0 calls itself/],
  ])("%s", (_, functions, message) => {
    const open = () => openBytes(model(functions, { nodes: [call("F0", ["x"], "y")] }));
    expect(open).toThrow(message);
    expect(open).toThrow(ExpectedError);
  });

  it("that nest too deep, or stand for too many nodes", () => {
    expect(openBytes(chain(DEEPEST_CALL, 1)).model.graph.nodes).toHaveLength(1);
    expect(() => openBytes(chain(DEEPEST_CALL + 1, 1))).toThrow(/more than 64 calls in one another/);
    const start = performance.now();
    const open = () => openBytes(chain(Math.ceil(Math.log2(MOST_INLINED_NODES)) + 1, 2));
    expect(open).toThrow(/more than (100000 nodes|134217728 bytes)/);
    expect(performance.now() - start).toBeLessThan(30_000);
  });

  it("whose names would fill the memory", () => {
    const long = "x".repeat(1e5);
    const functions = Array.from({ length: 12 }, (_, i) => calls(`F${i}`, ...new Array<string>(2).fill(i < 11 ? `F${i + 1}` : ""))); // prettier-ignore
    const open = () => openBytes(model(functions, { nodes: [call("F0", ["x"], "y", { name: long })] }));
    expect(open).toThrow(/more than 134217728 bytes of structure/);
  });
});

it("a model with functions is identified by its file, and has its size", async () => {
  const file = path.join(folder, "blocks.onnx");
  writeFileSync(file, blocks);
  const open = openModel(file);
  try {
    expect(open.graph.nodes).toHaveLength(6);
    expect(open.bytes).toBe(blocks.length);
    expect(open.path).toBe(file);
    expect(open.folder).toBe(folder);
    expect(await sha256OfModel(open)).toBe(createHash("sha256").update(readFileSync(file)).digest("hex"));
  } finally {
    open.close();
  }
});

function nodeFloat(value: number): Uint8Array {
  // The value of a float attribute: field 2 of AttributeProto.
  const message = nodeMessage(node("A", [], "a", { f: { float: value } }));
  const at = Buffer.from(message).indexOf(Buffer.from(Float32Array.of(value).buffer));
  return message.subarray(at - 1, at + 4);
}
