import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import type { WeightPart } from "../../src/layers/layer";
import { openBytes, weight } from "../fixtures/data";
import { constant, modelBytes, node, untyped, value, type TestNode } from "../fixtures/model";

const shape = (name: string, ...dims: bigint[]): TestNode => constant(name, [dims.length], BigInt64Array.from(dims));

/** x·w (24 outputs, of 8 features), and what follows. */
function partsOf(nodes: readonly TestNode[], output: string): readonly WeightPart[] {
  const { index } = openBytes(
    modelBytes({
      nodes: [node("MatMul", ["x", "w"], "p"), ...nodes],
      initializers: [weight("w", [8, 24], 1), weight("b", [24], 2)],
      inputs: [value("x", ["n", "s", 8])],
      outputs: [untyped(output)],
    }),
  );
  return findLayers(index).layers[0].parts;
}

function attention(q: string, k: string, v: string): TestNode[] {
  return [
    node("Transpose", [k], "kt", { perm: [0, 2, 1] }),
    node("MatMul", [q, "kt"], "scores"),
    node("Softmax", ["scores"], "shares", { axis: -1 }),
    node("MatMul", ["shares", v], "y"),
  ];
}

function split(input: string, ...sizes: bigint[]): TestNode[] {
  const stated = sizes.length > 0;
  const parts = node("Split", [input, ...(stated ? ["sizes"] : [])], "q", { axis: -1 });
  return [...(stated ? [shape("sizes", ...sizes)] : []), { ...parts, outputs: ["q", "k", "v"] }];
}

const THIRDS = [
  { name: "Q", start: 0, end: 8 },
  { name: "K", start: 8, end: 16 },
  { name: "V", start: 16, end: 24 },
];

describe("a packed projection of an attention has the parts Q, K and V", () => {
  it("behind a bias and a Split", () => {
    expect(partsOf([node("Add", ["b", "p"], "a"), ...split("a", 8n, 8n, 8n), ...attention("q", "k", "v")], "y")).toEqual(THIRDS); // prettier-ignore
  });

  it("where the Split states no sizes", () => {
    expect(partsOf([...split("p"), ...attention("q", "k", "v")], "y")).toEqual(THIRDS);
  });

  it("with fewer keys and values than queries", () => {
    expect(partsOf([...split("p", 16n, 4n, 4n), ...attention("q", "k", "v")], "y")).toEqual([
      { name: "Q", start: 0, end: 16 },
      { name: "K", start: 16, end: 20 },
      { name: "V", start: 20, end: 24 },
    ]);
  });

  it("made an axis of three by a Reshape", () => {
    const pick = (name: string, at: bigint): TestNode[] => [
      constant(`at${name}`, [], BigInt64Array.of(at)),
      node("Gather", ["turned", `at${name}`], name, { axis: 0 }),
    ];
    const nodes = [
      shape("target", 0n, 0n, 3n, 2n, 4n),
      node("Reshape", ["p", "target"], "r"),
      node("Transpose", ["r"], "turned", { perm: [2, 0, 3, 1, 4] }),
      ...pick("q", 0n),
      ...pick("k", 1n),
      ...pick("v", 2n),
      ...attention("q", "k", "v"),
    ];
    expect(partsOf(nodes, "y")).toEqual(THIRDS);
  });
});

describe("no parts has", () => {
  it.each<[string, TestNode[]]>([
    ["a projection that is not split", [node("Relu", ["p"], "y")]],
    ["a gated unit: no Softmax", [...split("p"), node("Sigmoid", ["q"], "g"), node("Mul", ["g", "k"], "h"), node("Add", ["h", "v"], "y")]], // prettier-ignore
    ["a split along the batch", [{ ...node("Split", ["p"], "q", { axis: 0 }), outputs: ["q", "k", "v"] }, ...attention("q", "k", "v")]], // prettier-ignore
    ["a split of other sizes", [...split("p", 4n, 8n, 12n), ...attention("q", "k", "v")]],
    ["a projection behind an activation", [node("Relu", ["p"], "a"), ...split("a"), ...attention("q", "k", "v")]],
  ])("%s", (_, nodes) => {
    expect(partsOf(nodes, "y")).toEqual([]);
  });
});
