import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { inferShapes } from "../../../src/onnx/shapes/inferShapes";
import { shapeRules, valueRules } from "../../../src/onnx/shapes/registry";
import type { AttributeValue } from "../../../src/onnx/schema";
import { GraphBuilder, infer, inferNode, type Elements, type NodeSpec } from "./graphBuilder";

/** Chains may be long, so a cost that grows with the square of the length shows as a timeout. */
const LONG = 50_000;

describe("odd graphs", () => {
  const chain = Array.from({ length: LONG }, (_, i): NodeSpec => ({
    op: "Relu",
    inputs: [`v${String(i)}`],
    outputs: [`v${String(i + 1)}`],
  }));

  it("are followed in any order of their nodes", () => {
    expect(infer({ inputs: { v0: ["n", 3] }, nodes: chain.toReversed() }).get(`v${String(LONG)}`)).toEqual(["n", 3]);
  });

  it("may be cyclic: what is on a cycle or behind it is what the file says", () => {
    const shapes = infer({
      inputs: { x: [2] },
      nodes: [
        { op: "Add", inputs: ["x", "b"], outputs: ["a"] },
        { op: "Relu", inputs: ["a"], outputs: ["b"] },
        { op: "Relu", inputs: ["b"], outputs: ["c"] },
        { op: "Relu", inputs: ["x"], outputs: ["d"] },
        { op: "Relu", inputs: ["self"], outputs: ["self"] },
      ],
      declared: { b: [2] },
    });
    expect(Object.fromEntries(shapes)).toEqual({ x: [2], a: null, b: [2], c: null, d: [2], self: null });
  });

  it("may define a constant twice: the last one counts, as in onnxruntime", () => {
    const constant = (value: number): NodeSpec => ({
      op: "Constant",
      inputs: [],
      outputs: ["k"],
      attributes: { value_ints: [value] },
    });
    const nodes = [constant(3), { op: "ConstantOfShape", inputs: ["k"] }, constant(5)];
    expect(infer({ nodes }).get("y")).toEqual([5]);
  });

  it("may read names that nothing defines", () => {
    expect(infer({ inputs: { x: [2] }, nodes: [{ op: "Add", inputs: ["x", "nowhere"] }] }).get("y")).toBeNull();
  });

  it("wait for what their subgraphs capture", () => {
    const nodes = [
      { op: "If", inputs: ["c"], outputs: ["z"], captured: ["y"] },
      { op: "Relu", inputs: ["x"] },
    ];
    expect(infer({ inputs: { x: [2], c: [] }, nodes }).get("y")).toEqual([2]);
  });
});

describe("sizes out of bounds", () => {
  it("make no list of that length", () => {
    const huge = 2 ** 52;
    expect(inferNode("ConstantOfShape", [{ elements: [huge, 4] }])).toEqual([[huge, 4]]);
    expect(inferNode("Range", [{ elements: 0 }, { elements: huge }, { elements: 1 }])).toEqual([[huge]]);
    expect(inferNode("Reshape", [null, [huge]])).toEqual([null]);
    expect(inferNode("Reshape", [[huge, huge], { elements: [-1] }])).toEqual([[null]]);
    expect(inferNode("Tile", [[huge], { elements: [huge] }])).toEqual([[null]]);
    expect(inferNode("Expand", [[1], [huge]])).toEqual([null]);
    expect(inferNode("Flatten", [[huge, huge, huge, 0]], { axis: 3 })).toEqual([[null, 0]]);
  });

  it("are not taken from the file", () => {
    expect(infer({ inputs: { x: [-1, 1.5, 2 ** 60, 3] }, nodes: [] }).get("x")).toEqual([null, null, null, 3]);
    expect(infer({ inputs: { x: new Array<number>(100).fill(1) }, nodes: [] }).get("x")).toBeNull();
    expect(infer({ inputs: { x: ["\u0000" + "0", "\u0001" + "2", "s".repeat(1000)] }, nodes: [] }).get("x")).toEqual([
      null,
      null,
      null,
    ]);
  });

  it("never ask for the elements of a large tensor", () => {
    const { graph } = new GraphBuilder({
      constants: { big: { dims: [513], data: [] }, bigger: { dims: [2 ** 40, 2 ** 40], data: [] } },
      nodes: [
        { op: "Reshape", inputs: ["bigger", "big"] },
        { op: "Add", inputs: ["big", "bigger"], outputs: ["z"] },
      ],
    });
    const asked: string[] = [];
    inferShapes(graph, (tensor) => (asked.push(tensor.name), null), 17);
    expect(asked).toEqual([]);
  });

  it("do not make lists of axes or ranks from the file costly", () => {
    const long = [...new Array<number>(200_000).keys()];
    expect(inferNode("Unsqueeze", [[2]], { axes: long }, { opset: 11 })).toEqual([null]);
    expect(inferNode("Transpose", [null], { perm: long })).toEqual([null]);
    expect(inferNode("MaxPool", [null], { kernel_shape: long })).toEqual([null]);
    const ones = new Array<number>(100_000).fill(1);
    const nodes = Array.from({ length: 1000 }, (): NodeSpec => ({ op: "Add", inputs: ["k", "k"] }));
    expect(infer({ constants: { k: { dims: ones, data: [1] } }, nodes }).get("y")).toBeNull();
  });

  it("do not multiply memory: long vectors at many nodes are given up at a limit", () => {
    const nodes = Array.from({ length: 20_000 }, (_, i): NodeSpec => ({
      op: "Identity",
      inputs: [i === 0 ? "k" : `v${String(i - 1)}`],
      outputs: [`v${String(i)}`],
    }));
    const shapes = infer({ constants: { k: new Array<number>(512).fill(1) }, nodes });
    expect(shapes.get("v19999")).toEqual([512]);
  });
});

describe("every rule", () => {
  const size = fc.oneof(
    fc.integer({ min: -2, max: 9 }),
    fc.constantFrom("n", "m", null, 2 ** 53, 2 ** 31, 0, 1),
    fc.integer(),
  );
  const shape = fc.oneof(
    { weight: 1, arbitrary: fc.constant(null) },
    { weight: 5, arbitrary: fc.array(size, { maxLength: 5 }) },
  );
  const number = fc.oneof(
    fc.integer({ min: -6, max: 6 }),
    fc.constantFrom(2 ** 63, -(2 ** 63), 2 ** 31 - 1, 0.5, NaN, Infinity, 2 ** 53),
  );
  const elements: fc.Arbitrary<Elements> = fc.oneof(
    number,
    fc.array(number, { maxLength: 6 }),
    fc.record({
      dims: fc.constantFrom([2, 2], [0], [4, 0], [4], [1, 4], []),
      data: fc.array(number, { minLength: 0, maxLength: 4 }),
      type: fc.constantFrom("int64" as const, "float32" as const, "bool" as const, "string" as const),
    }),
  );
  const names = [
    ..."axis axes perm shape keepdims strides pads dilations kernel_shape auto_pad group output_shape".split(" "),
    ..."output_padding ceil_mode value to split num_outputs starts ends blocksize equation direction".split(" "),
    ..."hidden_size layout start end allowzero noop_with_empty_axes batch_dims k scales transA transB mode".split(" "),
    ..."value_ints value_floats value_int value_float keep_aspect_ratio_policy output_height pooled_shape".split(" "),
  ];
  const attribute: fc.Arbitrary<AttributeValue | { tensor: Elements }> = fc.oneof(
    number.map((value) => ({ kind: "int" as const, value })),
    fc.array(number, { maxLength: 6 }).map((values) => ({ kind: "ints" as const, values })),
    fc.array(number, { maxLength: 6 }).map((values) => ({ kind: "floats" as const, values })),
    number.map((value) => ({ kind: "float" as const, value })),
    fc
      .constantFrom("SAME_UPPER", "VALID", "ij,jk->ik", "...i->i...", "i..j", "a->", "->", "bidirectional", "")
      .map((value) => ({ kind: "string" as const, value })),
    elements.map((tensor) => ({ tensor })),
    fc.constant({ kind: "other" as const }),
  );
  const domains = [...new Set([...shapeRules.keys(), ...valueRules.keys()])];
  const operators = domains.flatMap((domain) =>
    [...new Set([...(shapeRules.get(domain)?.keys() ?? []), ...(valueRules.get(domain)?.keys() ?? [])])].map(
      (op) => [op, domain] as const,
    ),
  );

  it.each(operators)("%s of domain '%s' answers malformed nodes with sizes or unknowns", (op, domain) => {
    const operand = fc.oneof(fc.record({ shape }), fc.record({ elements }), fc.constant("absent" as const));
    fc.assert(
      fc.property(
        fc.array(operand, { maxLength: 6 }),
        fc.dictionary(fc.constantFrom(...names), attribute, { maxKeys: 5 }),
        fc.integer({ min: 0, max: 24 }),
        fc.integer({ min: 0, max: 4 }),
        (operands, attributes, opset, outputCount) => {
          const shapes = infer({
            inputs: Object.fromEntries(
              operands.flatMap((item, i) =>
                item !== "absent" && "shape" in item ? [[`i${String(i)}`, item.shape]] : [],
              ),
            ),
            constants: Object.fromEntries(
              operands.flatMap((item, i) =>
                item !== "absent" && "elements" in item ? [[`i${String(i)}`, item.elements]] : [],
              ),
            ),
            nodes: [
              {
                op,
                domain,
                inputs: operands.map((item, i) => (item === "absent" ? "" : `i${String(i)}`)),
                outputs: Array.from({ length: outputCount }, (_, i) => `o${String(i)}`),
                attributes,
              },
              // What was computed must be usable as a shape, too.
              { op: "ConstantOfShape", inputs: ["o0"], outputs: ["after"] },
            ],
            opset,
          });
          for (const dims of shapes.values()) {
            for (const dim of dims ?? []) {
              expect(dim === null || typeof dim === "string" || (Number.isSafeInteger(dim) && dim >= 0)).toBe(true);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

it("turns a rule that throws into an unknown shape, and reports it", () => {
  const { graph } = new GraphBuilder({
    inputs: { x: [2] },
    constants: { s: [2] },
    nodes: [{ op: "Reshape", inputs: ["x", "s"] }],
  });
  const failed: string[] = [];
  const broken = () => {
    throw new Error("cannot read");
  };
  const shapes = inferShapes(graph, broken, 17, { onRuleFailure: (node) => failed.push(node.opType) });
  expect(shapes.get("y")).toBeNull();
  expect(failed).not.toEqual([]);
  expect(inferShapes(graph, broken, 17).get("y")).toBeNull();
});
