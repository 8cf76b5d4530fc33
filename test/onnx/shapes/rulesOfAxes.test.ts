import { describe, expect, it } from "vitest";
import { inferNode, of, on, type NodeCase } from "./graphBuilder";

const INT64_MAX = 2 ** 63;

const families: Record<string, NodeCase[]> = {
  reshaping: [
    ["Reshape", on([2, 3, 4], of([0, -1])), {}, [2, 12]],
    ["Reshape", on(["n", 3, 4], of([-1, 12])), {}, ["n", 12]],
    ["Reshape", on(["n", 3, 4], of([0, 2, -1])), {}, ["n", 2, 6]],
    ["Reshape", on([null, 3, 4], of([0, -1])), {}, [null, 12]],
    ["Reshape", on(["n", "m", 4], of([-1, 4])), {}, ["m*n", 4]],
    ["Reshape", on([0, 3], of([3, 0])), { allowzero: 1 }, [3, 0]],
    ["Reshape", on([2, 3, 4], [3]), {}, [null, null, null]],
    ["Reshape", on([2, 3], of([4, -1])), {}, [4, null]],
    ["Reshape", on([2, 3], of([-2, 3])), {}, null],
    ["Reshape", on([2, 3, 4]), { shape: [6, -1] }, [6, 4], 1],
    ["Flatten", on(["n", 3, 4]), {}, ["n", 12]],
    ["Flatten", on([2, 3, 4]), { axis: 0 }, [1, 24]],
    ["Flatten", on([2, 3, 4]), { axis: 3 }, [24, 1]],
    ["Flatten", on("unknown"), {}, [null, null]],
    ["Transpose", on(["n", 3, 4]), { perm: [2, 0, 1] }, [4, "n", 3]],
    ["Transpose", on([2, 3, 4]), {}, [4, 3, 2]],
    ["Transpose", on([2, 3, 4]), { perm: [0, 0, 1] }, null],
    ["Squeeze", on(["n", 1, 4, 1], of([1, -1])), {}, ["n", 4]],
    ["Squeeze", on(["n", 1, 4]), { axes: [1] }, ["n", 4], 11],
    ["Squeeze", on([1, 4, 1]), {}, [4]],
    ["Squeeze", on(["n", 4, 1]), {}, null],
    ["Squeeze", on([2, 4], of([0])), {}, null],
    ["Unsqueeze", on(["n", 4], of([0, -1])), {}, [1, "n", 4, 1]],
    ["Unsqueeze", on([4]), { axes: [1] }, [4, 1], 11],
    ["Expand", on([3, 1], of([2, 1, 6])), {}, [2, 3, 6]],
    ["Expand", on([3, 1], [3]), {}, [null, 3, null]],
    ["Tile", on([2, "n"], of([3, 1])), {}, [6, "n"]],
    ["DepthToSpace", on(["n", 8, 2, 3]), { blocksize: 2 }, ["n", 2, 4, 6]],
    ["SpaceToDepth", on([1, 2, 4, 6]), { blocksize: 2 }, [1, 8, 2, 3]],
    ["DepthToSpace", on([1, 8, 2, 3]), { blocksize: 0 }, null],
  ],
  slicing: [
    ["Slice", on(["n", 10], of([2]), of([INT64_MAX]), of([1])), {}, ["n", 8]],
    ["Slice", on(["n", 10], of([0]), of([INT64_MAX]), of([0])), {}, ["n", 10]],
    ["Slice", on(["n", 10]), { starts: [1, -3], ends: [4, -1], axes: [0, 1] }, [null, 2], 9],
    ["Slice", on([10], of([-1]), of([-INT64_MAX]), of([0]), of([-3])), {}, [4]],
    ["Slice", on([10], [1], [1], of([0])), {}, [null]],
    ["Slice", on([10, 4], [1], [1], of([0])), {}, [null, 4]],
    // onnxruntime and the specification differ on going backwards to INT64_MAX.
    ["Slice", on([10], of([3]), of([INT64_MAX]), of([0]), of([-1])), {}, [null]],
    ["Slice", on([10], of([3]), of([1]), of([0]), of([0])), {}, [null]],
    ["Concat", on(["n", 2], [null, 3], ["n", 4]), { axis: -1 }, ["n", 9]],
    ["Concat", on(["n", 2], [4, "m"]), { axis: 1 }, [4, null]],
    ["Concat", on([2], [3]), {}, null],
    ["Pad", on(["n", 3], of([0, 1, 0, 2])), {}, ["n", 6]],
    ["Pad", on([4, 3]), { pads: [0, -1, 0, 0] }, [4, 2], 2],
    ["Pad", on([4, 3], of([1, 1]), "absent", of([-1])), {}, [4, 5], 18],
    ["Pad", on([4, 3], [4]), {}, [null, null]],
    ["Gather", on(["v", 64], ["b", "t"]), {}, ["b", "t", 64]],
    ["Gather", on([3, 4, 5], []), { axis: -2 }, [3, 5]],
    ["GatherElements", on([3, 4], [3, 2]), { axis: 1 }, [3, 2]],
    ["GatherND", on([2, 3, 4], [2, 5, 1]), { batch_dims: 1 }, [2, 5, 4]],
    ["TopK", on([3, 10], of([4])), {}, [3, 4]],
    ["TopK", on([3, 10]), { k: 4, axis: 0 }, [4, 10], 9],
    ["OneHot", on([3, 4], of(7), [2]), { axis: 1 }, [3, 7, 4]],
    ["Range", on(of(3), of(11), of(2)), {}, [4]],
    ["Range", on(of(3), of(1), of(1)), {}, [0]],
    ["Range", on(of(3), of(1), of(0)), {}, [null]],
  ],
  reductions: [
    ["ReduceMean", on(["n", 3, 4]), { axes: [1, -1] }, ["n", 1, 1]],
    ["ReduceMean", on(["n", 3, 4]), { axes: [1], keepdims: 0 }, ["n", 4]],
    ["ReduceSum", on(["n", 3, 4], of([-1])), { keepdims: 0 }, ["n", 3]],
    ["ReduceSum", on([2, 3]), { keepdims: 0 }, []],
    ["ReduceSum", on([2, 3]), { noop_with_empty_axes: 1 }, [2, 3]],
    ["ReduceSum", on([2, 3], [1]), {}, [null, null]],
    ["ReduceSum", on([2, 3], of([2])), {}, null],
    ["ArgMax", on([2, 3]), { axis: 1, keepdims: 0 }, [2]],
    ["Shape", on(["n", 3, 4]), { start: 1, end: -1 }, [1]],
    ["Size", on(["n", 3, 4]), {}, []],
    ["Constant", on(), { value: { tensor: { dims: [2, 0], data: [] } } }, [2, 0]],
    ["Constant", on(), { value_ints: [1, 2, 3] }, [3]],
    ["Constant", on(), { value_float: { kind: "float", value: 1 } }, []],
    ["ConstantOfShape", on(of([2, 3])), {}, [2, 3]],
    ["ConstantOfShape", on(of([])), {}, []],
    ["NonZero", on([2, 3]), {}, [2, null]],
  ],
  resizing: [
    [
      "Resize",
      on([1, 3, 10, 11], "absent", of({ dims: [4], data: [1, 1, 2, 0.5], type: "float32" })),
      {},
      [1, 3, 20, 5],
    ],
    ["Resize", on(["n", 3, 8, 8], of({ dims: [4], data: [1, 1, 2, 2], type: "float32" })), {}, ["n", 3, 16, 16], 10],
    ["Resize", on(["n", 3, 8, 8], "absent", "absent", of([1, 3, 5, 6])), {}, [1, 3, 5, 6]],
    ["Resize", on(["n", 3, 8, 8], "absent", of([]), of([20, 30])), { axes: [2, 3] }, ["n", 3, 20, 30], 18],
    [
      "Resize",
      on(["n", 3, 8, 8], "absent", "absent", of([20, 30])),
      { axes: [2, 3], keep_aspect_ratio_policy: "not_larger" },
      ["n", 3, null, null],
      18,
    ],
    ["Upsample", on([1, 1, 4, 4]), { scales: { kind: "floats", values: [1, 1, 2.5, 2] } }, [1, 1, 10, 8], 7],
  ],
};

for (const [family, cases] of Object.entries(families)) {
  describe(family, () => {
    it.each(cases)("%s %j %j → %j", (op, operands, attributes, y, opset = 17) => {
      expect(inferNode(op, operands, attributes, { opset })).toEqual([y]);
    });
  });
}
