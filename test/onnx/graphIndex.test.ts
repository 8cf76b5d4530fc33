import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ancestors, descendants, indexGraph } from "../../src/onnx/graphIndex";
import type { Node } from "../../src/onnx/schema";
import { openBytes, uniform } from "../fixtures/data";
import { constant, modelBytes, node, untyped, value, type TestNode } from "../fixtures/model";

const open = (nodes: readonly TestNode[]) =>
  openBytes(modelBytes({ nodes, inputs: [value("x", [2])], outputs: [untyped("y")] })).index;
const outputs = (nodes: Iterable<Node>): string[] => [...nodes].map((it) => it.outputs[0]);

/** x → a → (b, c) → y, and an unused d. */
const diamond = [
  node("Relu", ["x"], "a"),
  node("Neg", ["a"], "b"),
  node("Abs", ["a"], "c"),
  node("Add", ["b", "c"], "y"),
  node("Exp", ["b"], "d"),
];

describe("the order of nodes", () => {
  it("is that of the file where the file is sorted", () => {
    expect(outputs(open(diamond).order)).toEqual(["a", "b", "c", "y", "d"]);
  });

  it("puts every node behind those it reads from, whatever the file's order", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(), (count, seed) => {
        const next = uniform(seed);
        const pick = (limit: number): string => (limit === 0 ? "x" : `v${Math.floor(limit * next())}`);
        const sorted = Array.from({ length: count }, (_, i) => node("Add", [pick(i), pick(i)], `v${i}`));
        const shuffled = sorted
          .map((it) => ({ it, key: next() }))
          .sort((a, b) => a.key - b.key)
          .map(({ it }) => it);
        const order = outputs(open(shuffled).order);
        expect([...order].sort()).toEqual(sorted.map((it) => it.outputs[0]).sort());
        for (const { inputs, outputs: made } of sorted) {
          for (const input of inputs) expect(order.indexOf(input)).toBeLessThan(order.indexOf(made[0]));
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it("counts what subgraphs read", () => {
    const branch = { nodes: [node("Neg", ["late"], "i")], outputs: [untyped("i")] };
    const graphs = { then_branch: branch, else_branch: branch };
    const index = open([node("If", ["x"], "y", {}, { graphs }), node("Relu", ["x"], "late")]);
    expect(outputs(index.order)).toEqual(["late", "y"]);
    expect(outputs(index.consumers.get("late")!)).toEqual(["y"]);
  });

  it("ends on cycles, with every node in it once", () => {
    const cycle = [
      node("Add", ["x", "c"], "a"),
      node("Neg", ["a"], "b"),
      node("Neg", ["b"], "c"),
      node("Neg", ["s"], "s"),
    ];
    const index = open(cycle);
    expect(outputs(index.order).sort()).toEqual(["a", "b", "c", "s"]);
    expect(outputs(descendants(index, [index.graph.nodes[0]])).sort()).toEqual(["a", "b", "c"]);
    expect(outputs(ancestors(index, ["a"], new Set())).sort()).toEqual(["a", "b", "c"]);
  });

  it("copes with a chain of 50,000 nodes in reverse", () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => node("Relu", [i === 0 ? "x" : `v${i - 1}`], `v${i}`));
    const { graph } = open([]);
    const nodes = open([...chain].reverse()).graph.nodes;
    expect(outputs(indexGraph({ ...graph, nodes }).order)).toEqual(chain.map((it) => it.outputs[0]));
  });
});

describe("walks", () => {
  const index = open([constant("k", [1], Float32Array.of(1)), ...diamond]);
  const at = (output: string): Node => index.producers.get(output)!;

  it("find what depends on nodes", () => {
    expect(outputs(descendants(index, [at("b")])).sort()).toEqual(["b", "d", "y"]);
    expect(outputs(descendants(index, [at("a")])).sort()).toEqual(["a", "b", "c", "d", "y"]);
  });

  it("find what values are computed by, back to known ones", () => {
    expect(outputs(ancestors(index, ["y"], new Set())).sort()).toEqual(["a", "b", "c", "y"]);
    expect(outputs(ancestors(index, ["y"], new Set(["b"]))).sort()).toEqual(["a", "c", "y"]);
    expect(outputs(ancestors(index, ["x", "k"], new Set()))).toEqual(["k"]);
  });

  it("know producers, readers and constants", () => {
    expect(outputs(index.consumers.get("b")!)).toEqual(["y", "d"]);
    expect(index.constants.get("k")?.dims).toEqual([1]);
    expect(index.outputs).toEqual(new Set(["y"]));
  });
});
