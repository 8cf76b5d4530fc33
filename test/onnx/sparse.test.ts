import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { ExpectedError } from "../../src/errors";
import { readConstant } from "../../src/onnx/readConstant";
import { editedModelBytes } from "../../src/onnx/edit";
import { readFloats } from "../../src/onnx/elements";
import { readNumbers } from "../../src/onnx/numbers";
import { readSmallTensor } from "../../src/onnx/tensor";
import { openBytes, runModel, tensor } from "../fixtures/data";
import { attributeField, messageField, modelBytes, node, untyped, value } from "../fixtures/model";
import { sparseInitializer, sparseMessage, tensorMessage } from "../fixtures/sparseTensor";

const DENSE = Float32Array.of(0, 0, 3, -4, 0, 5);
/** The same [2, 3] matrix in both forms. */
const forms: [string, (number | readonly number[])[]][] = [
  ["linear indices", [2, 3, 5]],
  ["coordinates", [[0, 2], [1, 0], [1, 2]]], // prettier-ignore
];

describe.each(forms)("a sparse initializer with %s", (_, indices) => {
  const field = sparseInitializer("w", [2, 3], [3, -4, 5], indices);
  const bytes = modelBytes({
    nodes: [node("MatMul", ["x", "w"], "y")],
    inputs: [value("x", ["n", 2])],
    outputs: [untyped("y")],
    extra: [field],
  });

  it("is a layer's weight with the elements that onnxruntime multiplies by", async () => {
    const { model, index } = openBytes(bytes);
    const { layers, skipped } = findLayers(index);
    expect(skipped).toEqual([]);
    expect(layers).toMatchObject([{ name: "w", view: { rows: 3, columns: 2 } }]);
    const found = readConstant(model.wire, layers[0].weight);
    expect(found).toEqual(DENSE);
    const identity = { ...tensor([2, 2], 1), data: Float32Array.of(1, 0, 0, 1) };
    expect((await runModel(bytes, { x: identity })).get("y")?.data).toEqual(found);
  });

  it("goes with the layer that it was for, and stays with any other", () => {
    const { model } = openBytes(bytes);
    expect(Buffer.from(editedModelBytes(model, {})).includes(Buffer.from(field))).toBe(true);
    const edited = openBytes(editedModelBytes(model, { keepInitializer: (name) => name !== "w" }));
    expect(edited.model.graph.sparseInitializers.size).toBe(0);
    const replaced = { name: "w", dims: [2, 3], data: DENSE };
    const dense = openBytes(editedModelBytes(model, { addInitializers: [replaced] })).model.graph;
    expect([dense.sparseInitializers.size, dense.initializers.size]).toEqual([0, 1]);
  });

  it("may be the value of a Constant node", async () => {
    const message = messageField(22, field.subarray(2));
    const nodes = [
      node("Constant", [], "c", {}, { extra: [attributeField("sparse_value", message, 11)] }),
      node("Identity", ["c"], "y"),
    ];
    const constantModel = modelBytes({ nodes, outputs: [untyped("y")] });
    const { model, index } = openBytes(constantModel);
    expect(readFloats(model.wire, index.constants.get("c")!)).toEqual(DENSE);
    expect((await runModel(constantModel, {})).get("y")?.data).toEqual(DENSE);
  });
});

it("a sparse tensor of integers, of no values, and one listed as an input too", () => {
  const counts = sparseMessage(
    tensorMessage("counts", [2], "int8", Int8Array.of(-7, 9)),
    tensorMessage("", [2], "int64", BigInt64Array.of(1n, 3n)),
    [4],
  );
  const extra = [messageField(15, counts), sparseInitializer("zeros", [2, 2], [], [])];
  const inputs = [value("x", [1]), value("counts", [4], "int8")];
  const { model, index } = openBytes(modelBytes({ nodes: [], inputs, outputs: [], extra }));
  expect(readNumbers(model.wire, index.constants.get("counts")!)).toEqual(Int8Array.of(0, -7, 0, 9));
  expect(readFloats(model.wire, index.constants.get("zeros")!)).toEqual(new Float32Array(4));
  expect(index.dataInputs.map(({ name }) => name)).toEqual(["x"]);
  expect(readSmallTensor(model.wire, index.constants.get("counts")!)).toBeNull();
  // What is no input any more must not be one to feed.
  const edited = openBytes(editedModelBytes(model, { keepInitializer: () => false })).model.graph;
  expect(edited.inputs.map(({ name }) => name)).toEqual(["x"]);
});

const values = tensorMessage("w", [2], "float32", Float32Array.of(1, 2));
const places = (...at: bigint[]) => tensorMessage("", [at.length], "int64", BigInt64Array.from(at));
it.each<[string, Uint8Array, RegExp]>([
  ["an index behind the end", sparseMessage(values, places(0n, 6n), [2, 3]), /its index 6 is not in 0…5/],
  ["a negative index", sparseMessage(values, places(-1n, 2n), [2, 3]), /its index -1 is not in 0…5/],
  [
    "a coordinate behind its axis",
    sparseMessage(values, tensorMessage("", [2, 2], "int64", BigInt64Array.of(0n, 3n, 1n, 1n)), [2, 3]),
    /its index 3 is not in 0…2/,
  ],
  ["too few indices", sparseMessage(values, places(1n), [2, 3]), /indices have shape \[1\] for 2 values of 2 axes/],
  [
    "indices of another type",
    sparseMessage(values, tensorMessage("", [2], "int32", Int32Array.of(0, 1)), [2, 3]),
    /its indices are int32, not int64/,
  ],
  ["no indices", messageField(1, values), /is 1 elements, but holds 0/],
  [
    "more zeros than fit in memory",
    sparseMessage(values, places(0n, 1n), [2 ** 20, 2 ** 10]),
    /"w" is a sparse tensor of 1073741824 elements; at most 268435456 are read/,
  ],
])("with %s is refused when read", (_, message, reason) => {
  const { model, index } = openBytes(modelBytes({ nodes: [], outputs: [], extra: [messageField(15, message)] }));
  const read = () => readFloats(model.wire, index.constants.get("w")!);
  expect(read).toThrow(reason);
  expect(read).toThrow(ExpectedError);
});
