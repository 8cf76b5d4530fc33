import { describe, expect, it } from "vitest";
import type { NewValue } from "../../src/onnx/encode";
import { dataDependentNodes, partBehind, partBetween, partModel, type Part } from "../../src/onnx/subgraph";
import type { TensorValue } from "../../src/runtime/session";
import { openBytes, runModel, tensor, weight } from "../fixtures/data";
import { constant, modelBytes, node, untyped, value, type ModelSpec } from "../fixtures/model";

const io: Pick<ModelSpec, "inputs" | "outputs"> = { inputs: [value("x", ["n", 4])], outputs: [untyped("y")] };

/** x → p → two branches → sum → y, with the input itself as a shortcut; d hangs beside it. */
const diamond = modelBytes({
  ...io,
  nodes: [
    node("MatMul", ["x", "w1"], "p"),
    node("MatMul", ["p", "w2"], "left"),
    node("Tanh", ["p"], "right"),
    node("Add", ["left", "right"], "sum"),
    node("Exp", ["left"], "d"),
    node("Add", ["sum", "x"], "y"),
  ],
  initializers: [weight("w1", [4, 4], 1), weight("w2", [4, 4], 2)],
});

/** The If's branches read p and a weight of the graph around them; its condition comes from the data. */
const withIf = modelBytes({
  ...io,
  nodes: [
    node("MatMul", ["x", "w1"], "p"),
    node("MatMul", ["p", "w2"], "q"),
    node("ReduceMax", ["q"], "largest", { keepdims: 0 }),
    node("Greater", ["largest", "zero"], "positive"),
    node("If", ["positive"], "chosen", {}, {
      graphs: {
        then_branch: { nodes: [node("MatMul", ["p", "w3"], "then")], outputs: [untyped("then")] },
        else_branch: { nodes: [node("Add", ["q", "scale"], "else")], outputs: [untyped("else")] },
      },
    }), // prettier-ignore
    node("Add", ["chosen", "q"], "y"),
  ],
  initializers: [
    weight("w1", [4, 4], 1),
    weight("w2", [4, 4], 2),
    weight("w3", [4, 4], 3),
    weight("scale", [4], 4),
    { name: "zero", dims: [], data: Float32Array.of(0) },
  ],
});

/** A factor and a shape that nodes compute from constants, and one computed from the data's shape. */
const withConstants = modelBytes({
  ...io,
  nodes: [
    constant("half", [], Float32Array.of(0.5)),
    node("Exp", ["half"], "e"),
    node("Mul", ["e", "w2"], "scaled"),
    node("MatMul", ["x", "w1"], "p"),
    node("Shape", ["p"], "shape"),
    node("MatMul", ["p", "scaled"], "q"),
    node("Reshape", ["q", "shape"], "r"),
    node("Add", ["r", "e"], "y"),
  ],
  initializers: [weight("w1", [4, 4], 1), weight("w2", [4, 4], 2)],
});

const x = tensor([3, 4], 9);

function open(bytes: Uint8Array) {
  const { model, index } = openBytes(bytes);
  return { model, index, dependent: dataDependentNodes(index) };
}

const declared = (values: ReadonlyMap<string, TensorValue>, names: readonly string[]): NewValue[] =>
  names.map((name) => ({ name, elementType: values.get(name)!.type, shape: null }));
const outputs = (part: Part): string[] => [...part.nodes].map((it) => it.outputs[0]).sort();
const only = (values: ReadonlyMap<string, TensorValue>, names: readonly string[]): Record<string, TensorValue> =>
  Object.fromEntries(names.map((name) => [name, values.get(name)!]));

/** Cuts behind the node of `output`, runs what is in front and then the rest. */
async function runInParts(bytes: Uint8Array, output: string): Promise<TensorValue> {
  const { model, index, dependent } = open(bytes);
  const suffix = partBehind(index, [index.producers.get(output)!], "y", dependent)!;
  const known = new Map<string, TensorValue>([["x", x]]);
  const missing = suffix.boundary.filter((name) => name !== "x");
  if (missing.length > 0) {
    const prefix = partBetween(index, missing, new Set(), dependent);
    expect(prefix.boundary).toEqual(["x"]);
    const inputs = declared(known, prefix.boundary);
    const part = partModel(model, prefix, { inputs, outputs: missing });
    for (const [name, found] of await runModel(part, only(known, prefix.boundary))) known.set(name, found);
  }
  const inputs = declared(known, suffix.boundary);
  const part = partModel(model, suffix, { inputs, outputs: ["y"] });
  expect(part.length).toBeLessThan(bytes.length + 200);
  return (await runModel(part, only(known, suffix.boundary))).get("y")!;
}

describe.each([
  ["a diamond", diamond, ["p", "left", "right", "sum", "y"]],
  ["a graph with If", withIf, ["p", "q", "largest", "positive", "chosen", "y"]],
  ["constants computed by nodes", withConstants, ["p", "q", "r", "y"]],
])("%s", (_, bytes, cuts) => {
  it.each(cuts)("cut before %s gives what the whole gives", async (cut) => {
    const whole = (await runModel(bytes, { x })).get("y")!;
    expect(await runInParts(bytes, cut)).toEqual(whole);
  });
});

describe("parts", () => {
  it("hold what lies between a layer and the output, and nothing beside it", () => {
    const { index, dependent } = open(diamond);
    const behindLeft = partBehind(index, [index.producers.get("left")!], "y", dependent)!;
    expect(outputs(behindLeft)).toEqual(["left", "sum", "y"]);
    expect([...behindLeft.boundary].sort()).toEqual(["p", "right", "x"]);
    expect(outputs(partBehind(index, [index.producers.get("p")!], "y", dependent)!)).toEqual(["left", "p", "right", "sum", "y"]); // prettier-ignore
    expect(partBehind(index, [index.producers.get("d")!], "y", dependent)).toBeNull();
  });

  it("begin at the first of several nodes", () => {
    const { index, dependent } = open(diamond);
    const both = ["left", "p"].map((name) => index.producers.get(name)!);
    expect(partBehind(index, both, "y", dependent)!.boundary).toEqual(["x"]);
  });

  it("go back no further than known values", () => {
    const { index, dependent } = open(diamond);
    const part = partBetween(index, ["sum"], new Set(["left", "p"]), dependent);
    expect(outputs(part)).toEqual(["right", "sum"]);
    expect([...part.boundary].sort()).toEqual(["left", "p"]);
  });

  it("compute constants themselves", () => {
    const { index, dependent } = open(withConstants);
    const part = partBehind(index, [index.producers.get("q")!], "y", dependent)!;
    expect(outputs(part)).toEqual(["e", "half", "q", "r", "scaled", "y"]);
    expect([...part.boundary].sort()).toEqual(["p", "shape"]);
  });

  it("carry only the initializers that they read", () => {
    const { model, index, dependent } = open(withIf);
    const chosen = partBehind(index, [index.producers.get("chosen")!], "y", dependent)!;
    expect([...chosen.boundary].sort()).toEqual(["p", "positive", "q"]);
    const inputs = chosen.boundary.map((name) => value(name, null, name === "positive" ? "bool" : "float32"));
    const part = openBytes(partModel(model, chosen, { inputs, outputs: ["y"] })).model;
    expect([...part.graph.initializers.keys()].sort()).toEqual(["scale", "w3"]);
  });
});
