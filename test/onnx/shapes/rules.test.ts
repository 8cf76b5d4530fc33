import { describe, expect, it } from "vitest";
import type { Shape } from "../../../src/onnx/schema";
import { inferNode, type Attribute, type Elements } from "./graphBuilder";

const of = (elements: Elements) => ({ elements });
type Operand = Parameters<typeof inferNode>[1][number];
type Case = [op: string, operands: Operand[], attributes: Record<string, Attribute>, y: Shape, opset?: number];

const INT64_MAX = 2 ** 63;

const families: Record<string, Case[]> = {
  convolution: [
    [
      "Conv",
      [
        [1, 3, 32, 32],
        [16, 3, 3, 3],
      ],
      { pads: [1, 1, 1, 1] },
      [1, 16, 32, 32],
    ],
    [
      "Conv",
      [
        ["batch", 3, 32, 32],
        [16, 3, 3, 3],
      ],
      { strides: [2, 2], pads: [1, 1, 1, 1] },
      ["batch", 16, 16, 16],
    ],
    [
      "Conv",
      [
        [1, 8, 20],
        [4, 2, 5],
      ],
      { group: 4, dilations: [2] },
      [1, 4, 12],
    ],
    [
      "Conv",
      [
        [1, 1, 7, 7, 7],
        [2, 1, 3, 3, 3],
      ],
      { auto_pad: "SAME_UPPER", strides: [2, 2, 2] },
      [1, 2, 4, 4, 4],
    ],
    [
      "Conv",
      [
        [1, 1, 7],
        [2, 1, 3],
      ],
      { auto_pad: "VALID", pads: [1, 1] },
      [1, 2, 5],
    ],
    [
      "Conv",
      [
        [1, 1, "w"],
        [2, 1, 3],
      ],
      { pads: [1, 1] },
      [1, 2, "w"],
    ],
    [
      "Conv",
      [
        [1, 1, "w"],
        [2, 1, 3],
      ],
      {},
      [1, 2, null],
    ],
    ["Conv", ["unknown", [2, 1, 3, 3]], {}, [null, 2, null, null]],
    [
      "Conv",
      [
        [1, 1, 2],
        [2, 1, 3],
      ],
      {},
      [1, 2, null],
    ],
    [
      "Conv",
      [
        [1, 1, 7],
        [2, 1, 3, 3],
      ],
      {},
      null,
    ],
    [
      "Conv",
      [
        [1, 1, 7],
        [2, 1, 3],
      ],
      { strides: [0] },
      null,
    ],
    [
      "Conv",
      [
        [1, 1, 7],
        [2, 1, 3],
      ],
      { pads: [1] },
      null,
    ],
    ["QLinearConv", [[1, 1, 7], [], [], [2, 1, 3]], {}, [1, 2, 5]],
    [
      "ConvTranspose",
      [
        [1, 4, 5, 5],
        [4, 3, 3, 3],
      ],
      { strides: [2, 2] },
      [1, 3, 11, 11],
    ],
    [
      "ConvTranspose",
      [
        [1, 4, 5],
        [4, 3, 3],
      ],
      { strides: [2], group: 2, output_padding: [1], pads: [1, 1] },
      [1, 6, 10],
    ],
    [
      "ConvTranspose",
      [
        [1, 4, 5],
        [4, 3, 3],
      ],
      { strides: [2], output_shape: [10] },
      [1, 3, 10],
    ],
    [
      "ConvTranspose",
      [
        [1, 4, 5],
        [4, 3, 3],
      ],
      { strides: [2], auto_pad: "SAME_LOWER" },
      [1, 3, 10],
    ],
    // onnxruntime does not pad by negative amounts to reach size·stride.
    [
      "ConvTranspose",
      [
        [1, 4, 8],
        [4, 3, 2],
      ],
      { strides: [4], auto_pad: "SAME_UPPER" },
      [1, 3, 30],
    ],
    ["MaxPool", [["n", 3, 7, 7]], { kernel_shape: [2, 2], strides: [2, 2] }, ["n", 3, 3, 3]],
    ["MaxPool", [[1, 3, 7, 7]], { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }, [1, 3, 4, 4]],
    // A last window that would begin in the end padding does not count.
    ["AveragePool", [[1, 1, 4]], { kernel_shape: [3], strides: [5], pads: [1, 1], ceil_mode: 1 }, [1, 1, 1]],
    ["MaxPool", [[1, 1, 9]], { kernel_shape: [3], dilations: [2], auto_pad: "SAME_UPPER" }, [1, 1, null]],
    ["MaxPool", [[1, 1, 9]], {}, null],
    ["LpPool", [[1, 1, 9]], { kernel_shape: [3] }, [1, 1, 7]],
    ["GlobalAveragePool", [["n", 64, 7, 7]], {}, ["n", 64, 1, 1]],
  ],
  products: [
    ["Gemm", [[2, 3], [3, 4], [4]], {}, [2, 4]],
    [
      "Gemm",
      [
        [3, 2],
        [4, 3],
      ],
      { transA: 1, transB: 1 },
      [2, 4],
    ],
    ["Gemm", ["unknown", [3, 4]], {}, [null, 4]],
    [
      "MatMul",
      [
        ["b", 1, 5, 3],
        [7, 3, 2],
      ],
      {},
      ["b", 7, 5, 2],
    ],
    ["MatMul", [[3], [3]], {}, []],
    ["MatMul", [[3], [5, 3, 2]], {}, [5, 2]],
    ["MatMul", [[5, 2, 3], [3]], {}, [5, 2]],
    [
      "MatMul",
      [
        [2, 3],
        [4, 5],
      ],
      {},
      null,
    ],
    ["MatMul", [[2, 3], []], {}, null],
    [
      "Einsum",
      [
        ["b", "i", "d"],
        ["b", "j", "d"],
      ],
      { equation: "bid,bjd->bij" },
      ["b", "i", "j"],
    ],
    [
      "Einsum",
      [
        [2, 3, 4],
        [4, 5],
      ],
      { equation: "...ij, jk" },
      [2, 3, 5],
    ],
    ["Einsum", [[3, 3]], { equation: "ii->i" }, [3]],
    ["Einsum", [[3, 3]], { equation: "ij->q" }, null],
    ["Einsum", [[2, 3, 4, 5]], { equation: "a...b->b...a" }, [5, 3, 4, 2]],
  ],
  elementwise: [
    ["Relu", [["n", 3]], {}, ["n", 3]],
    [
      "Add",
      [
        [8, 1, 6, 1],
        [7, 1, 5],
      ],
      {},
      [8, 7, 6, 5],
    ],
    ["Add", [["n", 3], [3]], {}, ["n", 3]],
    ["Add", [["n"], [5]], {}, [5]],
    ["Add", [["n"], ["m"]], {}, [null]],
    ["Add", [[2], [3]], {}, [null]],
    [
      "Add",
      [
        [2, 3, 4, 5],
        [3, 4],
      ],
      { broadcast: 1, axis: 1 },
      [2, 3, 4, 5],
      6,
    ],
    ["Where", [[4, 1], [1, 5], []], {}, [4, 5]],
    [
      "Sum",
      [
        [4, 1],
        [1, 5],
        [3, 1, 1],
      ],
      {},
      [3, 4, 5],
    ],
    [
      "PRelu",
      [
        [1, 3, 4, 4],
        [3, 1, 1],
      ],
      {},
      [1, 3, 4, 4],
    ],
  ],
  reshaping: [
    ["Reshape", [[2, 3, 4], of([0, -1])], {}, [2, 12]],
    ["Reshape", [["n", 3, 4], of([-1, 12])], {}, ["n", 12]],
    ["Reshape", [["n", 3, 4], of([0, 2, -1])], {}, ["n", 2, 6]],
    ["Reshape", [[null, 3, 4], of([0, -1])], {}, [null, 12]],
    ["Reshape", [["n", "m", 4], of([-1, 4])], {}, ["m*n", 4]],
    ["Reshape", [[0, 3], of([3, 0])], { allowzero: 1 }, [3, 0]],
    ["Reshape", [[2, 3, 4], [3]], {}, [null, null, null]],
    ["Reshape", [[2, 3], of([4, -1])], {}, [4, null]],
    ["Reshape", [[2, 3], of([-2, 3])], {}, null],
    ["Reshape", [[2, 3, 4]], { shape: [6, -1] }, [6, 4], 1],
    ["Flatten", [["n", 3, 4]], {}, ["n", 12]],
    ["Flatten", [[2, 3, 4]], { axis: 0 }, [1, 24]],
    ["Flatten", [[2, 3, 4]], { axis: 3 }, [24, 1]],
    ["Flatten", ["unknown"], {}, [null, null]],
    ["Transpose", [["n", 3, 4]], { perm: [2, 0, 1] }, [4, "n", 3]],
    ["Transpose", [[2, 3, 4]], {}, [4, 3, 2]],
    ["Transpose", [[2, 3, 4]], { perm: [0, 0, 1] }, null],
    ["Squeeze", [["n", 1, 4, 1], of([1, -1])], {}, ["n", 4]],
    ["Squeeze", [["n", 1, 4]], { axes: [1] }, ["n", 4], 11],
    ["Squeeze", [[1, 4, 1]], {}, [4]],
    ["Squeeze", [["n", 4, 1]], {}, null],
    ["Squeeze", [[2, 4], of([0])], {}, null],
    ["Unsqueeze", [["n", 4], of([0, -1])], {}, [1, "n", 4, 1]],
    ["Unsqueeze", [[4]], { axes: [1] }, [4, 1], 11],
    ["Expand", [[3, 1], of([2, 1, 6])], {}, [2, 3, 6]],
    ["Expand", [[3, 1], [3]], {}, [null, 3, null]],
    ["Tile", [[2, "n"], of([3, 1])], {}, [6, "n"]],
    ["DepthToSpace", [["n", 8, 2, 3]], { blocksize: 2 }, ["n", 2, 4, 6]],
    ["SpaceToDepth", [[1, 2, 4, 6]], { blocksize: 2 }, [1, 8, 2, 3]],
    ["DepthToSpace", [[1, 8, 2, 3]], { blocksize: 0 }, null],
  ],
  slicing: [
    ["Slice", [["n", 10], of([2]), of([INT64_MAX]), of([1])], {}, ["n", 8]],
    ["Slice", [["n", 10], of([0]), of([INT64_MAX]), of([0])], {}, ["n", 10]],
    ["Slice", [["n", 10]], { starts: [1, -3], ends: [4, -1], axes: [0, 1] }, [null, 2], 9],
    ["Slice", [[10], of([-1]), of([-INT64_MAX]), of([0]), of([-3])], {}, [4]],
    ["Slice", [[10], [1], [1], of([0])], {}, [null]],
    ["Slice", [[10, 4], [1], [1], of([0])], {}, [null, 4]],
    // onnxruntime and the specification differ on going backwards to INT64_MAX.
    ["Slice", [[10], of([3]), of([INT64_MAX]), of([0]), of([-1])], {}, [null]],
    ["Slice", [[10], of([3]), of([1]), of([0]), of([0])], {}, [null]],
    [
      "Concat",
      [
        ["n", 2],
        [null, 3],
        ["n", 4],
      ],
      { axis: -1 },
      ["n", 9],
    ],
    [
      "Concat",
      [
        ["n", 2],
        [4, "m"],
      ],
      { axis: 1 },
      [4, null],
    ],
    ["Concat", [[2], [3]], {}, null],
    ["Pad", [["n", 3], of([0, 1, 0, 2])], {}, ["n", 6]],
    ["Pad", [[4, 3]], { pads: [0, -1, 0, 0] }, [4, 2], 2],
    ["Pad", [[4, 3], of([1, 1]), "absent", of([-1])], {}, [4, 5], 18],
    ["Pad", [[4, 3], [4]], {}, [null, null]],
    [
      "Gather",
      [
        ["v", 64],
        ["b", "t"],
      ],
      {},
      ["b", "t", 64],
    ],
    ["Gather", [[3, 4, 5], []], { axis: -2 }, [3, 5]],
    [
      "GatherElements",
      [
        [3, 4],
        [3, 2],
      ],
      { axis: 1 },
      [3, 2],
    ],
    [
      "GatherND",
      [
        [2, 3, 4],
        [2, 5, 1],
      ],
      { batch_dims: 1 },
      [2, 5, 4],
    ],
    ["TopK", [[3, 10], of([4])], {}, [3, 4]],
    ["TopK", [[3, 10]], { k: 4, axis: 0 }, [4, 10], 9],
    ["OneHot", [[3, 4], of(7), [2]], { axis: 1 }, [3, 7, 4]],
    ["Range", [of(3), of(11), of(2)], {}, [4]],
    ["Range", [of(3), of(1), of(1)], {}, [0]],
    ["Range", [of(3), of(1), of(0)], {}, [null]],
  ],
  reductions: [
    ["ReduceMean", [["n", 3, 4]], { axes: [1, -1] }, ["n", 1, 1]],
    ["ReduceMean", [["n", 3, 4]], { axes: [1], keepdims: 0 }, ["n", 4]],
    ["ReduceSum", [["n", 3, 4], of([-1])], { keepdims: 0 }, ["n", 3]],
    ["ReduceSum", [[2, 3]], { keepdims: 0 }, []],
    ["ReduceSum", [[2, 3]], { noop_with_empty_axes: 1 }, [2, 3]],
    ["ReduceSum", [[2, 3], [1]], {}, [null, null]],
    ["ReduceSum", [[2, 3], of([2])], {}, null],
    ["ArgMax", [[2, 3]], { axis: 1, keepdims: 0 }, [2]],
    ["Shape", [["n", 3, 4]], { start: 1, end: -1 }, [1]],
    ["Size", [["n", 3, 4]], {}, []],
    ["Constant", [], { value: { tensor: { dims: [2, 0], data: [] } } }, [2, 0]],
    ["Constant", [], { value_ints: [1, 2, 3] }, [3]],
    ["Constant", [], { value_float: { kind: "float", value: 1 } }, []],
    ["ConstantOfShape", [of([2, 3])], {}, [2, 3]],
    ["ConstantOfShape", [of([])], {}, []],
    ["NonZero", [[2, 3]], {}, [2, null]],
  ],
  resizing: [
    ["Resize", [[1, 3, 10, 11], "absent", of({ dims: [4], data: [1, 1, 2, 0.5], type: "float32" })], {}, [1, 3, 20, 5]],
    ["Resize", [["n", 3, 8, 8], of({ dims: [4], data: [1, 1, 2, 2], type: "float32" })], {}, ["n", 3, 16, 16], 10],
    ["Resize", [["n", 3, 8, 8], "absent", "absent", of([1, 3, 5, 6])], {}, [1, 3, 5, 6]],
    ["Resize", [["n", 3, 8, 8], "absent", of([]), of([20, 30])], { axes: [2, 3] }, ["n", 3, 20, 30], 18],
    [
      "Resize",
      [["n", 3, 8, 8], "absent", "absent", of([20, 30])],
      { axes: [2, 3], keep_aspect_ratio_policy: "not_larger" },
      ["n", 3, null, null],
      18,
    ],
    ["Upsample", [[1, 1, 4, 4]], { scales: { kind: "floats", values: [1, 1, 2.5, 2] } }, [1, 1, 10, 8], 7],
  ],
  recurrent: [
    [
      "LSTM",
      [
        ["t", "n", 8],
        [2, 64, 8],
        [2, 64, 16],
      ],
      { direction: "bidirectional" },
      ["t", 2, "n", 16],
    ],
    [
      "GRU",
      [
        ["n", "t", 8],
        [1, 48, 8],
        [1, 48, 16],
      ],
      { layout: 1, hidden_size: 16 },
      ["n", "t", 1, 16],
    ],
    ["RNN", ["unknown", [1, 16, 8], [1, 16, 16]], {}, [null, 1, null, 16]],
    ["RNN", [[5, 1, 8]], { direction: "sideways" }, null],
  ],
};

for (const [family, cases] of Object.entries(families)) {
  describe(family, () => {
    it.each(cases)("%s %j %j → %j", (op, operands, attributes, y, opset = 17) => {
      expect(inferNode(op, operands, attributes, { opset })).toEqual([y]);
    });
  });
}

describe("several outputs", () => {
  const outputs = ["y", "y1", "y2"];

  it("splits by input, by attribute, and equally", () => {
    expect(inferNode("Split", [["n", 6], of([1, 2, 3])], { axis: 1 }, { outputs })).toEqual([
      ["n", 1],
      ["n", 2],
      ["n", 3],
    ]);
    expect(inferNode("Split", [[6]], { split: [1, 2, 3] }, { outputs, opset: 11 })).toEqual([[1], [2], [3]]);
    expect(inferNode("Split", [["n", 6]], { axis: -1 }, { outputs })).toEqual(outputs.map(() => ["n", 2]));
    expect(inferNode("Split", [[7]], { num_outputs: 3 }, { outputs, opset: 18 })).toEqual([[3], [3], [1]]);
    expect(inferNode("Split", [[7]], {}, { outputs })).toEqual([[null], [null], [null]]);
  });

  it("gives normalization statistics and recurrent states their own shapes", () => {
    expect(inferNode("LayerNormalization", [["n", 5, 8], [8]], {}, { outputs })).toEqual([
      ["n", 5, 8],
      ["n", 5, 1],
      ["n", 5, 1],
    ]);
    expect(inferNode("BatchNormalization", [["n", 5, 8], [5], [5], [5], [5]], {}, { outputs })).toEqual([
      ["n", 5, 8],
      [5],
      [5],
    ]);
    expect(
      inferNode(
        "LSTM",
        [
          ["t", "n", 8],
          [1, 64, 8],
          [1, 64, 16],
        ],
        {},
        { outputs },
      ).slice(1),
    ).toEqual([
      [1, "n", 16],
      [1, "n", 16],
    ]);
  });
});

it("leaves operators of other domains and unknown operators alone", () => {
  expect(inferNode("Mystery", [[1, 2]])).toEqual([null]);
  expect(inferNode("constructor", [[1, 2]])).toEqual([null]);
});
