import { describe, expect, it } from "vitest";
import { elementBytes } from "../../src/onnx/elementBytes";
import type { ElementType } from "../../src/onnx/schema";
import { elementCount } from "../../src/onnx/tensor";
import { findLayers } from "../../src/layers";
import { readConstant } from "../../src/onnx/readConstant";
import type { TensorValue } from "../../src/runtime/session";
import { floats, openBytes, relativeDifference, runModel, tensor } from "../fixtures/data";
import { modelBytes, node, value, type TestNode } from "../fixtures/model";
import { rebuilt } from "../fixtures/rebuilt";
import { hasOnnx, checkOnnxBytes } from "../onnxChecker";

/** Two factors, the value between them and the output: each is rounded to 11 bits, and orthonormal rows add up to 1. */
const HALF = 4 * 2 ** -11;
/** Weights are read as float32. */
const SINGLE = 4 * 2 ** -24;

const m = 8;
const d = 12;

interface Operator {
  readonly node: TestNode;
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly bias: readonly number[];
}

const operators: Record<string, Operator> = {
  MatMul: { node: node("MatMul", ["x", "w"], "y"), x: [5, d], w: [d, m], bias: [] },
  "MatMul of three axes": { node: node("MatMul", ["x", "w"], "y"), x: [2, 5, d], w: [d, m], bias: [] },
  Gemm: { node: node("Gemm", ["x", "w", "b"], "y", { transB: 1, alpha: { float: 0.5 } }), x: [5, d], w: [m, d], bias: [m] },
  Conv: { node: node("Conv", ["x", "w", "b"], "y"), x: [2, 3, 5, 5], w: [m, 3, 2, 2], bias: [m] },
}; // prettier-ignore

/** The operator with input, weight, bias and output of one type. */
function typed({ node: layer, x, w, bias }: Operator, type: ElementType): Uint8Array {
  const stored = (name: string, dims: readonly number[], seed: number) => {
    return { name, dims, data: Float64Array.from(floats(elementCount(dims), seed)), elementType: type };
  };
  return modelBytes({
    nodes: [layer],
    initializers: [stored("w", w, 1), ...(bias.length > 0 ? [stored("b", bias, 2)] : [])],
    inputs: [value("x", x.map(() => null), type)], // prettier-ignore
    outputs: [value("y", x.map(() => null), type)], // prettier-ignore
  });
}

/** Data of the type. */
function input({ x }: Operator, type: "float16" | "float64"): TensorValue {
  const { dims, data } = tensor(x, 3);
  return type === "float64" ? { type, dims, data: Float64Array.from(data as Float32Array) } : { type, dims, data };
}

const output = async (bytes: Uint8Array, x: TensorValue) => (await runModel(bytes, { x })).get("y")!;

const storedTypes = (bytes: Uint8Array) =>
  Object.fromEntries(
    [...openBytes(bytes).model.graph.initializers.values()].map(({ name, elementType }) => [name, elementType]),
  );

const cases = (["float16", "float64"] as const).flatMap((type) =>
  Object.keys(operators)
    // onnxruntime has no Conv of float64 on the processor.
    .filter((name) => type === "float16" || name !== "Conv")
    .map((name) => [name, type] as const),
);

describe.each(cases)("%s of %s", (name, type) => {
  const operator = operators[name];
  const bytes = typed(operator, type);
  const x = input(operator, type);

  it("computes the same as two layers of its type, and with its own weight in the place of its weight", async () => {
    const { layers, decomposed, projected } = await rebuilt(bytes, x);
    expect(layers).toMatchObject([{ name: "w", kept: null, weight: { elementType: type } }]);
    const original = await output(bytes, x);
    expect(original.type).toBe(type);
    const [two, same] = [await output(decomposed, x), await output(projected, x)];
    expect([two.type, same.type]).toEqual([type, type]);
    expect(relativeDifference(two.data as Float32Array, original.data as Float32Array)).toBeLessThan(
      type === "float16" ? HALF : SINGLE,
    );
    // A half is a float32, a float64 is not.
    if (type === "float16") expect(same.data).toEqual(original.data);
    else expect(relativeDifference(same.data as Float64Array, original.data as Float64Array)).toBeLessThan(SINGLE);
  });

  it("has all its new weights in its type, and loses as many bytes as it loses parameters", async () => {
    const { decomposed, projected, factors } = await rebuilt(bytes, x);
    const bias = operator.bias.length > 0 ? { b: type } : {};
    expect(storedTypes(decomposed)).toEqual({ "w.low_rank_B": type, "w.low_rank_A": type, ...bias });
    expect(storedTypes(projected)).toEqual({ "w.projected": type, ...bias });
    const width = type === "float16" ? 2 : 8;
    const [{ rank, a, b }] = factors;
    expect(rank).toBe(m);
    const sizes = [...openBytes(decomposed).model.graph.initializers.values()].map(({ payload }) =>
      payload.kind === "raw" ? payload.range.end - payload.range.start : 0,
    );
    const expected = width * (a.length + b.length + elementCount(operator.bias) * (operator.bias.length > 0 ? 1 : 0));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(expected);
    expect(decomposed.length - bytes.length).toBeLessThan(expected - width * elementCount(operator.w) + 300);
  });
});

it("of bfloat16 and of float64's Conv, which onnxruntime does not run, they are layers that are rebuilt in their type", () => {
  for (const [name, type] of [
    ["MatMul", "bfloat16"],
    ["Conv", "bfloat16"],
    ["Conv", "float64"],
  ] as const) {
    // prettier-ignore
    const operator = operators[name];
    const { model, index } = openBytes(typed(operator, type));
    const [layer] = findLayers(index).layers;
    expect(layer).toMatchObject({ kept: null, weight: { elementType: type } });
    const stored = floats(elementCount(operator.w), 1);
    const rounded = new Uint32Array(stored.buffer).map((bits) => (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
    const expected = type === "bfloat16" ? new Float32Array(rounded.buffer) : stored;
    expect(readConstant(model.wire, layer.weight)).toEqual(expected);
    const written = elementBytes({ data: Float64Array.from(expected), elementType: type });
    expect(written.length).toBe(expected.length * (type === "bfloat16" ? 2 : 8));
  }
});

it.runIf(hasOnnx())("onnx accepts what is written", async () => {
  const models = new Map<string, Uint8Array>();
  for (const [name, type] of cases) {
    const operator = operators[name];
    const { decomposed, projected } = await rebuilt(typed(operator, type), input(operator, type));
    models.set(`${name} ${type} decomposed`, decomposed).set(`${name} ${type} projected`, projected);
  }
  expect(models.size).toBe(2 * cases.length);
  checkOnnxBytes(models);
});
