import { describe, expect, it } from "vitest";
import { infer, inferNode, type NodeSpec } from "./graphBuilder";

const INT64_MAX = 2 ** 63;
const cast = (input: string, to: number, output: string): NodeSpec => ({
  op: "Cast",
  inputs: [input],
  outputs: [output],
  attributes: { to },
});

/** x.view(x.size(0), -1, x.size(2) / 4), as PyTorch writes it. */
function computedView(batch: number | string | null) {
  return infer({
    inputs: { x: [batch, 6, 8] },
    constants: { i0: 0, i2: 2, four: 4, front: [0], minus: [-1] },
    nodes: [
      { op: "Shape", inputs: ["x"], outputs: ["s"] },
      { op: "Gather", inputs: ["s", "i0"], outputs: ["n"] },
      { op: "Gather", inputs: ["s", "i2"], outputs: ["w"] },
      { op: "Div", inputs: ["w", "four"], outputs: ["q"] },
      cast("q", 7, "qc"),
      { op: "Unsqueeze", inputs: ["n", "front"], outputs: ["n1"] },
      { op: "Unsqueeze", inputs: ["qc", "front"], outputs: ["q1"] },
      { op: "Concat", inputs: ["n1", "minus", "q1"], outputs: ["target"], attributes: { axis: 0 } },
      { op: "Reshape", inputs: ["x", "target"] },
    ],
  }).get("y");
}

describe("shapes that the graph computes", () => {
  it("keep the other dimensions of a dynamic batch, named or not", () => {
    expect(computedView("batch")).toEqual(["batch", 24, 2]);
    expect(computedView(null)).toEqual([null, 24, 2]);
    expect(computedView(5)).toEqual([5, 24, 2]);
    // "?" and "None" are what exporters write for unknown, not names.
    expect(computedView("?")).toEqual([null, 24, 2]);
  });

  it("take a dimension out of a product again", () => {
    const shapes = infer({
      inputs: { x: ["n", 7, 16] },
      constants: { rows: [-1, 16], heads: [0, 0, 4, -1], i0: [0], seven: [7], rest: [4, -1] },
      nodes: [
        { op: "Reshape", inputs: ["x", "rows"], outputs: ["flat"] },
        { op: "Relu", inputs: ["flat"], outputs: ["act"] },
        { op: "Shape", inputs: ["x"], outputs: ["s"] },
        { op: "Gather", inputs: ["s", "i0"], outputs: ["n"] },
        { op: "Concat", inputs: ["n", "seven", "rest"], outputs: ["target"], attributes: { axis: 0 } },
        { op: "Reshape", inputs: ["act", "target"] },
      ],
    });
    expect(shapes.get("flat")).toEqual(["7*n", 16]);
    expect(shapes.get("y")).toEqual(["n", 7, 4, 4]);
  });

  it("survive a target with one entry that nothing is known of", () => {
    const shapes = infer({
      inputs: { x: ["n", 6, 8], k: [1] },
      constants: { n: [0], eight: [8] },
      nodes: [
        { op: "Concat", inputs: ["n", "k", "eight"], outputs: ["target"], attributes: { axis: 0 } },
        { op: "Reshape", inputs: ["x", "target"] },
      ],
    });
    expect(shapes.get("y")).toEqual(["n", 6, 8]);
  });

  it("go through floats and back, as interpolation by a factor does", () => {
    const shapes = infer({
      inputs: { x: ["n", 3, 9, 10] },
      constants: {
        from: [2],
        to: [4],
        zero: [0],
        factor: { dims: [1], data: [1.5], type: "float32" },
      },
      nodes: [
        { op: "Shape", inputs: ["x"], outputs: ["s"] },
        { op: "Slice", inputs: ["s", "zero", "from"], outputs: ["nc"] },
        { op: "Slice", inputs: ["s", "from", "to"], outputs: ["hw"] },
        cast("hw", 1, "hf"),
        { op: "Mul", inputs: ["hf", "factor"], outputs: ["hs"] },
        { op: "Floor", inputs: ["hs"], outputs: ["hg"] },
        cast("hg", 7, "hi"),
        { op: "Concat", inputs: ["nc", "hi"], outputs: ["sizes"], attributes: { axis: 0 } },
        { op: "Resize", inputs: ["x", "", "", "sizes"] },
      ],
    });
    expect(shapes.get("y")).toEqual(["n", 3, 13, 15]);
  });

  it("follow the pads that PyTorch reverses through a matrix", () => {
    const shapes = infer({
      inputs: { x: ["n", 3, 8, 8] },
      constants: {
        given: [1, 2, 3, 4],
        more: [4],
        pairs: [-1, 2],
        minus: [-1],
        start: [-1],
        end: [-INT64_MAX],
        axis: [0],
      },
      nodes: [
        { op: "ConstantOfShape", inputs: ["more"], outputs: ["zeros"], attributes: { value: { tensor: [0] } } },
        { op: "Concat", inputs: ["given", "zeros"], outputs: ["c"], attributes: { axis: 0 } },
        { op: "Reshape", inputs: ["c", "pairs"], outputs: ["matrix"] },
        { op: "Slice", inputs: ["matrix", "start", "end", "axis", "minus"], outputs: ["reversed"] },
        { op: "Transpose", inputs: ["reversed"], outputs: ["columns"], attributes: { perm: [1, 0] } },
        { op: "Reshape", inputs: ["columns", "minus"], outputs: ["flat"] },
        cast("flat", 7, "pads"),
        { op: "Pad", inputs: ["x", "pads"] },
      ],
    });
    expect(shapes.get("y")).toEqual(["n", 3, 15, 11]);
  });

  it("follow the choice between a given size and −1 that PyTorch makes for expand", () => {
    const shapes = infer({
      inputs: { x: [1, "t", 1], like: ["n", 4] },
      constants: { minus: -1, i0: [0], given: [-1, 6] },
      nodes: [
        { op: "Shape", inputs: ["like"], outputs: ["s"] },
        { op: "Gather", inputs: ["s", "i0"], outputs: ["n"] },
        { op: "Concat", inputs: ["n", "given"], outputs: ["wanted"], attributes: { axis: 0 } },
        { op: "Shape", inputs: ["wanted"], outputs: ["count"] },
        { op: "ConstantOfShape", inputs: ["count"], outputs: ["ones"], attributes: { value: { tensor: [1] } } },
        { op: "Mul", inputs: ["ones", "minus"], outputs: ["marks"] },
        { op: "Equal", inputs: ["wanted", "marks"], outputs: ["open"] },
        { op: "Where", inputs: ["open", "ones", "wanted"], outputs: ["target"] },
        { op: "Expand", inputs: ["x", "target"] },
      ],
    });
    expect(shapes.get("y")).toEqual(["n", "t", 6]);
  });

  it("cut a table of positions to the length of the sequence", () => {
    const shapes = infer({
      inputs: { x: ["n", "t", 8], table: [128, 8] },
      constants: { i1: [1], zero: [0] },
      nodes: [
        { op: "Shape", inputs: ["x"], outputs: ["s"] },
        { op: "Gather", inputs: ["s", "i1"], outputs: ["t"] },
        { op: "Slice", inputs: ["table", "zero", "t", "zero"], outputs: ["positions"] },
        { op: "Add", inputs: ["x", "positions"] },
      ],
    });
    expect(shapes.get("y")).toEqual(["n", "t", 8]);
  });

  it("divide integers towards zero and floats not at all", () => {
    const sizes = (type: "int64" | "float32") =>
      infer({
        constants: { a: { dims: [2], data: [7, -7], type }, b: { dims: [], data: [2], type }, front: [0] },
        inputs: { x: [5, 4] },
        nodes: [
          { op: "Div", inputs: ["a", "b"], outputs: ["q"] },
          { op: "Neg", inputs: ["q"], outputs: ["m"] },
          { op: "Mul", inputs: ["q", "m"], outputs: ["p"] },
          { op: "Neg", inputs: ["p"], outputs: ["size"] },
          cast("size", 7, "i"),
          { op: "ConstantOfShape", inputs: ["i"] },
        ],
      }).get("y");
    expect(sizes("int64")).toEqual([9, 9]);
    expect(sizes("float32")).toEqual([12, 12]);
  });
});

describe("what the file declares", () => {
  const mystery: NodeSpec = { op: "Mystery", inputs: ["x"], outputs: ["m"] };

  it("fills what inference leaves open, and goes on from there", () => {
    const shapes = infer({
      inputs: { x: ["n", 4] },
      nodes: [mystery, { op: "Relu", inputs: ["m"] }],
      declared: { m: ["n", 9] },
    });
    expect(shapes.get("y")).toEqual(["n", 9]);
  });

  it("gives way to inferred sizes, but sharpens symbols", () => {
    const shapes = infer({
      inputs: { x: ["n", 4] },
      nodes: [
        { op: "Relu", inputs: ["x"], outputs: ["a"] },
        { op: "Transpose", inputs: ["x"], outputs: ["b"] },
        { op: "Relu", inputs: ["x"], outputs: ["c"] },
      ],
      declared: { a: [3, 5], b: [4, "n", 1] },
      outputs: { c: [-1, null] },
    });
    expect([shapes.get("a"), shapes.get("b"), shapes.get("c")]).toEqual([
      [3, 4],
      [4, "n"],
      ["n", 4],
    ]);
  });

  it("names a dimension without hiding that two are the same", () => {
    const shapes = infer({
      inputs: { x: [null, 4] },
      constants: { i0: [0], minus: [-1] },
      nodes: [
        { op: "Relu", inputs: ["x"], outputs: ["r"] },
        { op: "Shape", inputs: ["x"], outputs: ["s"] },
        { op: "Gather", inputs: ["s", "i0"], outputs: ["n"] },
        { op: "Concat", inputs: ["n", "minus"], outputs: ["target"], attributes: { axis: 0 } },
        { op: "Reshape", inputs: ["r", "target"] },
      ],
      declared: { r: ["Relu_dim_0", 4] },
    });
    expect(shapes.get("r")).toEqual(["Relu_dim_0", 4]);
    expect(shapes.get("y")).toEqual([null, 4]);
  });
});

it("takes an initializer's dimensions over those of an input of the same name", () => {
  const shapes = infer({ inputs: { w: [9, 9] }, constants: { w: [1, 2] }, nodes: [{ op: "Relu", inputs: ["w"] }] });
  expect(shapes.get("y")).toEqual([2]);
});

it("keeps half precision out of size arithmetic", () => {
  expect(inferNode("ConstantOfShape", [{ elements: { dims: [1], data: [3], type: "float16" } }])).toEqual([[null]]);
});
