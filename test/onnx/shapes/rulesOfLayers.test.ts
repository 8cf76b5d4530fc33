import { describe, expect, it } from "vitest";
import { inferNode, of, on, type NodeCase } from "./graphBuilder";

const families: Record<string, NodeCase[]> = {
  convolution: [
    ["Conv", on([1, 3, 32, 32], [16, 3, 3, 3]), { pads: [1, 1, 1, 1] }, [1, 16, 32, 32]],
    ["Conv", on(["batch", 3, 32, 32], [16, 3, 3, 3]), { strides: [2, 2], pads: [1, 1, 1, 1] }, ["batch", 16, 16, 16]],
    ["Conv", on([1, 8, 20], [4, 2, 5]), { group: 4, dilations: [2] }, [1, 4, 12]],
    ["Conv", on([1, 1, 7, 7, 7], [2, 1, 3, 3, 3]), { auto_pad: "SAME_UPPER", strides: [2, 2, 2] }, [1, 2, 4, 4, 4]],
    ["Conv", on([1, 1, 7], [2, 1, 3]), { auto_pad: "VALID", pads: [1, 1] }, [1, 2, 5]],
    ["Conv", on([1, 1, "w"], [2, 1, 3]), { pads: [1, 1] }, [1, 2, "w"]],
    ["Conv", on([1, 1, "w"], [2, 1, 3]), {}, [1, 2, null]],
    ["Conv", on("unknown", [2, 1, 3, 3]), {}, [null, 2, null, null]],
    ["Conv", on([1, 1, 2], [2, 1, 3]), {}, [1, 2, null]],
    ["Conv", on([1, 1, 7], [2, 1, 3, 3]), {}, null],
    ["Conv", on([1, 1, 7], [2, 1, 3]), { strides: [0] }, null],
    ["Conv", on([1, 1, 7], [2, 1, 3]), { pads: [1] }, null],
    ["QLinearConv", on([1, 1, 7], [], [], [2, 1, 3]), {}, [1, 2, 5]],
    ["ConvTranspose", on([1, 4, 5, 5], [4, 3, 3, 3]), { strides: [2, 2] }, [1, 3, 11, 11]],
    [
      "ConvTranspose",
      on([1, 4, 5], [4, 3, 3]),
      { strides: [2], group: 2, output_padding: [1], pads: [1, 1] },
      [1, 6, 10],
    ],
    ["ConvTranspose", on([1, 4, 5], [4, 3, 3]), { strides: [2], output_shape: [10] }, [1, 3, 10]],
    ["ConvTranspose", on([1, 4, 5], [4, 3, 3]), { strides: [2], auto_pad: "SAME_LOWER" }, [1, 3, 10]],
    // onnxruntime does not pad by negative amounts to reach size·stride.
    ["ConvTranspose", on([1, 4, 8], [4, 3, 2]), { strides: [4], auto_pad: "SAME_UPPER" }, [1, 3, 30]],
    ["MaxPool", on(["n", 3, 7, 7]), { kernel_shape: [2, 2], strides: [2, 2] }, ["n", 3, 3, 3]],
    ["MaxPool", on([1, 3, 7, 7]), { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }, [1, 3, 4, 4]],
    // A last window that would begin in the end padding does not count.
    ["AveragePool", on([1, 1, 4]), { kernel_shape: [3], strides: [5], pads: [1, 1], ceil_mode: 1 }, [1, 1, 1]],
    ["MaxPool", on([1, 1, 9]), { kernel_shape: [3], dilations: [2], auto_pad: "SAME_UPPER" }, [1, 1, null]],
    ["MaxPool", on([1, 1, 9]), {}, null],
    ["LpPool", on([1, 1, 9]), { kernel_shape: [3] }, [1, 1, 7]],
    ["GlobalAveragePool", on(["n", 64, 7, 7]), {}, ["n", 64, 1, 1]],
  ],
  products: [
    ["Gemm", on([2, 3], [3, 4], [4]), {}, [2, 4]],
    ["Gemm", on([3, 2], [4, 3]), { transA: 1, transB: 1 }, [2, 4]],
    ["Gemm", on("unknown", [3, 4]), {}, [null, 4]],
    ["MatMul", on(["b", 1, 5, 3], [7, 3, 2]), {}, ["b", 7, 5, 2]],
    ["MatMul", on([3], [3]), {}, []],
    ["MatMul", on([3], [5, 3, 2]), {}, [5, 2]],
    ["MatMul", on([5, 2, 3], [3]), {}, [5, 2]],
    ["MatMul", on([2, 3], [4, 5]), {}, null],
    ["MatMul", on([2, 3], []), {}, null],
    ["Einsum", on(["b", "i", "d"], ["b", "j", "d"]), { equation: "bid,bjd->bij" }, ["b", "i", "j"]],
    ["Einsum", on([2, 3, 4], [4, 5]), { equation: "...ij, jk" }, [2, 3, 5]],
    ["Einsum", on([3, 3]), { equation: "ii->i" }, [3]],
    ["Einsum", on([3, 3]), { equation: "ij->q" }, null],
    ["Einsum", on([2, 3, 4, 5]), { equation: "a...b->b...a" }, [5, 3, 4, 2]],
  ],
  elementwise: [
    ["Relu", on(["n", 3]), {}, ["n", 3]],
    ["Add", on([8, 1, 6, 1], [7, 1, 5]), {}, [8, 7, 6, 5]],
    ["Add", on(["n", 3], [3]), {}, ["n", 3]],
    ["Add", on(["n"], [5]), {}, [5]],
    ["Add", on(["n"], ["m"]), {}, [null]],
    ["Add", on([2], [3]), {}, [null]],
    ["Add", on([2, 3, 4, 5], [3, 4]), { broadcast: 1, axis: 1 }, [2, 3, 4, 5], 6],
    ["Where", on([4, 1], [1, 5], []), {}, [4, 5]],
    ["Sum", on([4, 1], [1, 5], [3, 1, 1]), {}, [3, 4, 5]],
    ["PRelu", on([1, 3, 4, 4], [3, 1, 1]), {}, [1, 3, 4, 4]],
  ],
  recurrent: [
    ["LSTM", on(["t", "n", 8], [2, 64, 8], [2, 64, 16]), { direction: "bidirectional" }, ["t", 2, "n", 16]],
    ["GRU", on(["n", "t", 8], [1, 48, 8], [1, 48, 16]), { layout: 1, hidden_size: 16 }, ["n", "t", 1, 16]],
    ["RNN", on("unknown", [1, 16, 8], [1, 16, 16]), {}, [null, 1, null, 16]],
    ["RNN", on([5, 1, 8]), { direction: "sideways" }, null],
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
