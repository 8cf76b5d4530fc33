import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { ANALYSED_ONLY } from "../../src/layers/quantized";
import { gramKey, type Layer } from "../../src/layers/layer";
import { weightMatrices } from "../../src/layers/weights";
import { projectionEdit } from "../../src/lowrank/decompose";
import { editedModelBytes } from "../../src/onnx/edit";
import type { NewAttribute, NewInitializer } from "../../src/onnx/encode";
import { packed } from "../../src/onnx/elementBytes";
import { integerRange } from "../../src/onnx/quantization";
import { readConstant } from "../../src/onnx/readConstant";
import type { ElementType } from "../../src/onnx/schema";
import { inferShapes } from "../../src/onnx/shapes/inferShapes";
import { elementCount, readSmallTensor } from "../../src/onnx/tensor";
import { gramMatrices } from "../../src/runtime/gramGraph";
import type { TensorData, TensorValue } from "../../src/runtime/session";
import { batchesOf, floats, openBytes, relativeDifference, runModel, tensor, uniform } from "../fixtures/data";
import { modelBytes, node, untyped, value, type TestNode } from "../fixtures/model";

type Byte = "int8" | "uint8";

/** A quantized operator with its data and weight, and the floating-point layer that it stands for. */
interface Case {
  readonly nodes: readonly TestNode[];
  readonly initializers: readonly NewInitializer[];
  readonly x: TensorValue;
  /** X as float32, and the elements and dims of W as the layer reads them. */
  readonly floatX: TensorValue;
  readonly weight: { readonly dims: readonly number[]; readonly data: Float32Array };
  /** The operator without quantization, reading "x" and "w". */
  readonly twin: TestNode;
  readonly isInteger: boolean;
}

const whole = (type: Byte, count: number, seed: number): Int8Array | Uint8Array => {
  const [lowest, highest] = integerRange(type)!;
  const next = uniform(seed);
  const numbers = Array.from({ length: count }, () => lowest + Math.floor(next() * (highest - lowest + 1)));
  return type === "int8" ? Int8Array.from(numbers) : Uint8Array.from(numbers);
};

const single = (name: string, data: readonly number[], isScalar = data.length === 1): NewInitializer => {
  return { name, dims: isScalar ? [] : [data.length], data: Float32Array.from(data) };
};
const bytes = (name: string, type: Byte, data: readonly number[], isScalar = data.length === 1): NewInitializer => {
  return { name, dims: isScalar ? [] : [data.length], data: type === "int8" ? Int8Array.from(data) : Uint8Array.from(data) };
}; // prettier-ignore

interface Made {
  readonly xDims: readonly number[];
  readonly wDims: readonly number[];
  readonly xType?: Byte;
  readonly wType?: Byte;
  /** One for each place of the weight's axis, or one alone. */
  readonly places?: number;
  readonly axis?: number;
  readonly isScaled?: boolean;
  readonly asymmetric?: boolean;
}

const X_SCALE = 0.02;
const X_ZERO = 7;

/** x, w and their scales and zero points, and the numbers that they stand for. */
function made(form: Made) {
  const { xDims, wDims, xType = "uint8", wType = "int8", places = 1, axis = 0 } = form;
  const { isScaled = true, asymmetric = false } = form;
  const [x, w] = [whole(xType, elementCount(xDims), 1), whole(wType, elementCount(wDims), 2)];
  const middle = wType === "int8" ? 0 : 128;
  const scales = Array.from({ length: places }, (_, at) => (isScaled ? Math.fround(0.003 + 0.001 * at) : 1));
  const zeros = Array.from({ length: places }, (_, at) => middle + (asymmetric ? at + 3 : 0));
  const inner = elementCount(wDims.slice(axis + 1));
  const place = (at: number): number => (places === 1 ? 0 : Math.floor(at / inner) % wDims[axis]);
  const data = Float32Array.from(w, (q, at) => (q - zeros[place(at)]) * scales[place(at)]);
  const xScale = isScaled ? Math.fround(X_SCALE) : 1;
  return {
    x: { type: xType, dims: xDims, data: x } satisfies TensorValue,
    floatX: { type: "float32", dims: xDims, data: Float32Array.from(x, (q) => (q - X_ZERO) * xScale) } as const,
    weight: { dims: wDims, data },
    initializers: [
      { name: "w", dims: wDims, data: w },
      single("xs", [X_SCALE]),
      bytes("xz", xType, [X_ZERO]),
      single("ws", scales),
      bytes("wz", wType, zeros),
    ] as NewInitializer[],
  };
}

const outputs = [single("ys", [0.05]), bytes("yz", "uint8", [120])];
const bias = { name: "b", dims: [6], data: Int32Array.of(900, -800, 70, 0, 5000, -6000) };
const microsoft = { domain: "com.microsoft" };
const geometry = { pads: [1, 0, 1, 2], strides: [2, 1] };
const image = { xDims: [2, 4, 5, 6], wDims: [6, 4, 3, 2] };

function qlinearConv(form: Partial<Made>, attributes: Record<string, NewAttribute> = geometry, withBias = true): Case {
  const all = made({ ...image, ...form });
  const inputs = ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", ...(withBias ? ["b"] : [])];
  return {
    ...all,
    nodes: [node("QLinearConv", inputs, "y", attributes)],
    initializers: [...all.initializers, ...outputs, ...(withBias ? [bias] : [])],
    twin: node("Conv", ["x", "w"], "y", attributes),
    isInteger: true,
  };
}

function product(
  opType: string,
  inputs: readonly string[],
  form: Partial<Made>,
  more: Partial<Case> & { attributes?: Record<string, NewAttribute>; added?: readonly NewInitializer[] } = {},
  domain = "",
): Case {
  const { attributes = {}, added = [], ...rest } = more;
  const all = made({ xDims: [2, 5, 8], wDims: [8, 6], axis: 1, ...form });
  return {
    ...all,
    nodes: [node(opType, inputs, "y", attributes, { domain })],
    initializers: [...all.initializers, ...added],
    twin: node("MatMul", ["x", "w"], "y"),
    isInteger: false,
    ...rest,
  };
}

const floatBias = single("fb", [0.1, -0.2, 0.3, 5, -6, 0]);
const heads = { num_heads: 2 };

const cases: [string, Case][] = [
  ["QLinearConv", qlinearConv({})],
  ["QLinearConv with scales by output and without a bias", qlinearConv({ places: 6 }, geometry, false)],
  ["QLinearConv of groups, with zero points", qlinearConv({ wDims: [6, 2, 3, 2], wType: "uint8", asymmetric: true }, { ...geometry, group: 2 })], // prettier-ignore
  ["QLinearConv of one axis, asking for the same size", qlinearConv({ xDims: [2, 4, 9], wDims: [6, 4, 3], wType: "uint8" }, { auto_pad: "SAME_UPPER" }, false)], // prettier-ignore
  ["ConvInteger", { ...qlinearConv({ isScaled: false, wType: "uint8", asymmetric: true }), nodes: [node("ConvInteger", ["x", "w", "xz", "wz"], "y", geometry)] }], // prettier-ignore
  ["QLinearMatMul", product("QLinearMatMul", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], {}, { added: outputs, isInteger: true })], // prettier-ignore
  ["QLinearMatMul with scales by output", product("QLinearMatMul", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], { places: 6 }, { added: outputs, isInteger: true })], // prettier-ignore
  ["MatMulInteger", product("MatMulInteger", ["x", "w", "xz", "wz"], { isScaled: false, asymmetric: true }, { isInteger: true })], // prettier-ignore
  ["MatMulInteger with zero points by output", product("MatMulInteger", ["x", "w", "xz", "wz"], { isScaled: false, asymmetric: true, places: 6, wType: "uint8" }, { isInteger: true })], // prettier-ignore
  ["MatMulIntegerToFloat", product("MatMulIntegerToFloat", ["x", "w", "xs", "ws", "xz", "wz", "fb"], { places: 6, asymmetric: true }, { added: [floatBias] }, "com.microsoft")], // prettier-ignore
  ["MatMulIntegerToFloat without its options", withoutZero(product("MatMulIntegerToFloat", ["x", "w", "xs", "ws"], {}, {}, "com.microsoft"))], // prettier-ignore
  ["QGemm", qgemm({}, { transB: 1, alpha: { float: 1.5 } }, true)],
  ["QGemm that gives floating-point numbers", qgemm({ wDims: [8, 6], axis: 1, places: 6 }, {}, false)],
  ["QAttention", qattention()],
];

/** The data's zero point is left out: it is 0. */
function withoutZero(test: Case): Case {
  return { ...test, floatX: { ...test.floatX, data: Float32Array.from(test.x.data as Uint8Array, (q) => q * Math.fround(X_SCALE)) } }; // prettier-ignore
}

function qgemm(form: Partial<Made>, attributes: Record<string, NewAttribute>, isInteger: boolean): Case {
  const all = made({ xDims: [5, 8], wDims: [6, 8], ...form });
  const inputs = ["x", "xs", "xz", "w", "ws", "wz", "b", ...(isInteger ? ["ys", "yz"] : [])];
  return {
    ...all,
    nodes: [node("QGemm", inputs, "y", attributes, microsoft)],
    initializers: [...all.initializers, bias, ...(isInteger ? outputs : [])],
    twin: node("Gemm", ["x", "w"], "y", attributes),
    isInteger,
  };
}

function qattention(): Case {
  const all = made({ xDims: [2, 5, 8], wDims: [8, 24], axis: 1, wType: "int8" });
  const b = single("fb", Array.from(floats(24, 3)));
  return {
    ...all,
    nodes: [node("QAttention", ["x", "w", "fb", "xs", "ws", "", "xz", "wz"], "y", heads, microsoft)],
    initializers: [...all.initializers, b],
    twin: node("Attention", ["x", "w", "fb"], "y", heads, microsoft),
    isInteger: false,
  };
}

function model({ nodes, initializers }: Pick<Case, "nodes" | "initializers">, x: TensorValue): Uint8Array {
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  return modelBytes({
    nodes,
    initializers: initializers.filter(({ name }) => read.has(name)),
    inputs: [value("x", x.dims.map(() => null), x.type)], // prettier-ignore
    outputs: [untyped("y")],
    domains: { "com.microsoft": 1 },
  });
}

function only(bytes: Uint8Array): ReturnType<typeof openBytes> & { layer: Layer } {
  const opened = openBytes(bytes);
  const { layers, skipped } = findLayers(opened.index);
  expect(skipped).toEqual([]);
  expect(layers).toHaveLength(1);
  return { ...opened, layer: layers[0] };
}

async function gramOf(bytes: Uint8Array, x: TensorValue): Promise<Float64Array[]> {
  const { model, layer } = only(bytes);
  const options = { dimsOf: () => x.dims, rowsOf: () => Infinity, signal: undefined, onBatch: () => undefined };
  const grams = await gramMatrices(model, [layer], batchesOf(x, x.dims[0]), options);
  return grams.get(gramKey(layer))!.map(({ matrix }) => matrix.data);
}

const output = async (bytes: Uint8Array, x: TensorValue): Promise<TensorValue> =>
  (await runModel(bytes, { x })).get("y")!;

/** The model with its own weight, as floating-point numbers, in the place of its weight. */
function floatedModel(bytes: Uint8Array): Uint8Array {
  const { model, index, layer } = only(bytes);
  const matrices = weightMatrices(layer.view, readConstant(model.wire, layer.weight));
  return editedModelBytes(model, projectionEdit(index, [{ layer, matrices }]));
}

const greatest = (a: TensorData, b: TensorData): number =>
  Array.from(a, Number).reduce((most, one, at) => Math.max(most, Math.abs(one - Number(b[at]))), 0);

describe.each(cases)("%s", (_, test) => {
  const bytes = model(test, test.x);

  it("has the weight that its numbers stand for, and is analysed only", () => {
    const { model, layer } = only(bytes);
    expect(readConstant(model.wire, layer.weight)).toEqual(test.weight.data);
    expect(layer).toMatchObject({ name: "w", op: test.nodes[0].opType, kept: ANALYSED_ONLY });
    expect(layer.weight).toMatchObject({ dims: test.weight.dims, elementType: "float32" });
  });

  it("has the Gram matrices of the floating-point layer that it stands for", async () => {
    const twin = { nodes: [test.twin], initializers: [...test.initializers.slice(1), { name: "w", ...test.weight }] };
    const expected = await gramOf(model(twin, test.floatX), test.floatX);
    const found = await gramOf(bytes, test.x);
    expect(found).toHaveLength(expected.length);
    found.forEach((gram, group) => expect(relativeDifference(gram, expected[group])).toBeLessThan(1e-6));
  });

  it("computes the same with its own weight as floating-point numbers, to a step of its output", async () => {
    const [original, floated] = [await output(bytes, test.x), await output(floatedModel(bytes), test.x)];
    expect([floated.type, floated.dims]).toEqual([original.type, original.dims]);
    if (!test.isInteger) {
      expect(relativeDifference(floated.data as Float32Array, original.data as Float32Array)).toBeLessThan(1e-5);
      return;
    }
    // Only what lies just between two whole numbers may be rounded the other way.
    expect(greatest(floated.data, original.data)).toBeLessThanOrEqual(1);
    const apart = Array.from(floated.data, Number).filter((one, at) => one !== Number(original.data[at]));
    expect(apart.length).toBeLessThan(floated.data.length / 50);
    expect(new Set(Array.from(original.data, Number)).size).toBeGreaterThan(5);
  });
});

describe("DynamicQuantizeMatMul", () => {
  const x = tensor([2, 5, 8], 4);
  const test = product("DynamicQuantizeMatMul", ["x", "w", "ws", "wz", "fb"], { places: 6 }, { added: [floatBias] }, "com.microsoft"); // prettier-ignore
  const bytes = model(test, x);

  it("has the data that it quantizes as it comes, and computes the same", async () => {
    const { model, layer } = only(bytes);
    expect(readConstant(model.wire, layer.weight)).toEqual(test.weight.data);
    const expected = modelBytes({
      nodes: [
        { ...node("DynamicQuantizeLinear", ["x"], "q"), outputs: ["q", "s", "z"] },
        node("DequantizeLinear", ["q", "s", "z"], "f"),
        node("MatMul", ["f", "w"], "y"),
      ],
      initializers: [{ name: "w", ...test.weight }],
      inputs: [value("x", [null, null, 8])],
      outputs: [untyped("y")],
    });
    const [[found], [same]] = [await gramOf(bytes, x), await gramOf(expected, x)];
    expect(relativeDifference(found, same)).toBeLessThan(1e-6);
    const [original, floated] = [await output(bytes, x), await output(floatedModel(bytes), x)];
    expect(relativeDifference(floated.data as Float32Array, original.data as Float32Array)).toBeLessThan(1e-5);
  });
});

describe("MatMulNBits", () => {
  const rows = 6;

  function packedCase(bits: 2 | 4 | 8, columns: number, zero: "none" | "packed" | "float", more: readonly string[] = []) {
    const blockSize = 16;
    const blocks = Math.ceil(columns / blockSize);
    const next = uniform(bits + columns);
    const entries = Array.from({ length: rows * blocks * blockSize }, () => Math.floor(next() * 2 ** bits));
    const scales = Float32Array.from({ length: rows * blocks }, () => 0.01 + next());
    const zeros = Array.from({ length: rows * blocks }, () => Math.floor(next() * 2 ** bits));
    const perRow = Math.ceil((blocks * bits) / 8);
    const packedZeros = new Uint8Array(rows * perRow);
    for (let row = 0; row < rows; row++) packedZeros.set(packed(zeros.slice(row * blocks, (row + 1) * blocks), bits), row * perRow);
    const zp: NewInitializer[] = zero === "none" ? [] : zero === "packed" ? [{ name: "zp", dims: [rows * perRow], data: packedZeros }] : [{ name: "zp", dims: [rows * blocks], data: Float32Array.from(zeros) }];
    const initializers: NewInitializer[] = [
      { name: "w", dims: [rows, blocks, (blockSize * bits) / 8], data: packed(entries, bits) },
      { name: "s", dims: [rows * blocks], data: scales },
      ...zp,
      floatBias,
      { name: "order", dims: [blocks * blockSize], data: Int32Array.from({ length: blocks * blockSize }, (_, at) => Math.floor(at / blockSize)) },
    ];
    const inputs = ["x", "w", "s", zero === "none" ? "" : "zp", ...more];
    while (inputs.at(-1) === "") inputs.pop();
    const attributes = { K: columns, N: rows, bits, block_size: blockSize };
    const nodes = [node("MatMulNBits", inputs, "y", attributes, microsoft)];
    // Wᵀ, as a MatMul reads it.
    const data = Float32Array.from({ length: rows * columns }, (_, at) => {
      const [column, row] = [Math.floor(at / rows), at % rows];
      const block = row * blocks + Math.floor(column / blockSize);
      const middle = zero === "none" ? 2 ** (bits - 1) : zeros[block];
      return (entries[block * blockSize + (column % blockSize)] - middle) * scales[block];
    });
    return { test: { nodes, initializers }, data };
  } // prettier-ignore

  const forms = ([4, 8] as const).flatMap((bits) =>
    [32, 40].flatMap((columns) => (["none", "packed", "float"] as const).map((zero) => [bits, columns, zero] as const)),
  );
  it.each(forms)("of %d bits and %d columns, zero points: %s", async (bits, columns, zero) => {
    // onnxruntime has zero points of floating point for 4 bits alone.
    if (bits === 8 && zero === "float") return;
    const x = tensor([2, 3, columns], 5);
    const { test, data } = packedCase(bits, columns, zero, ["", "fb"]);
    const bytes = model(test, x);
    const { model: opened, layer } = only(bytes);
    expect(readConstant(opened.wire, layer.weight)).toEqual(data);
    expect(layer).toMatchObject({ kept: ANALYSED_ONLY, view: { rows, columns } });
    const [original, floated] = [await output(bytes, x), await output(floatedModel(bytes), x)];
    expect(inferred(bytes, x)).toEqual(original.dims);
    expect(relativeDifference(floated.data as Float32Array, original.data as Float32Array)).toBeLessThan(1e-5);
  });

  it("in another order of inputs, of other bits, or with scales that do not fit is listed with the reason", () => {
    const reasonOf = (test: Pick<Case, "nodes" | "initializers">) =>
      findLayers(openBytes(model(test, tensor([2, 3, 32], 5))).index).skipped.map(({ reason }) => reason);
    expect(reasonOf(packedCase(4, 32, "none", ["order"]).test)).toEqual([
      "its blocks are of inputs in another order (g_idx)",
    ]);
    const { nodes, initializers } = packedCase(4, 32, "none").test;
    const changed = (attributes: Record<string, NewAttribute>) => [
      { ...nodes[0], attributes: { ...nodes[0].attributes, ...attributes } },
    ];
    expect(reasonOf({ nodes: changed({ bits: 3 }), initializers })).toEqual([
      "its weight has 3 bits; 2, 4 and 8 are analysed",
    ]);
    expect(reasonOf({ nodes: changed({ N: 7 }), initializers })).toEqual([
      "its weight of shape [6, 2, 8] is not of 7 rows of 2 blocks of 16 numbers of 4 bits",
    ]);
  });
});

it("quantized operators that cannot be analysed are listed with the reason", () => {
  const reasonOf = (
    test: Pick<Case, "nodes" | "initializers">,
    x = tensor([2, 5, 8], 1),
    type: ElementType = "uint8",
  ) => findLayers(openBytes(model(test, { ...x, type })).index).skipped.map(({ reason }) => reason);
  const integer = made({ xDims: [5, 8], wDims: [8, 6] }).initializers;
  expect(reasonOf({ nodes: [node("MatMulInteger", ["w", "x"], "y")], initializers: integer })).toEqual([
    "its weight is its first operand; only the second is analysed",
  ]);
  const inputs = ["x", "xs", "xz", "w", "x", "wz", "ys", "yz"];
  expect(reasonOf({ nodes: [node("QLinearMatMul", inputs, "y")], initializers: [...integer, ...outputs] })).toEqual([
    "its weight's scale is not constant",
  ]);
  const depthwise = qlinearConv({ xDims: [2, 6, 5, 6], wDims: [6, 1, 3, 2] }, { group: 6 });
  expect(reasonOf(depthwise)).toEqual(["depthwise: one output per group, so its rank is 1 and cannot fall"]);
});

/** The dims of "y" that are told without running the model. */
function inferred(bytes: Uint8Array, x: TensorValue) {
  const { model } = openBytes(bytes);
  const inputs = [{ name: "x", elementType: x.type, shape: x.dims }];
  return inferShapes({ ...model.graph, inputs }, (tensor) => readSmallTensor(model.wire, tensor), 17).get("y");
}

it.each(cases)("the dims of what a %s gives are told without running it", async (_, test) => {
  const bytes = model(test, test.x);
  expect(inferred(bytes, test.x)).toEqual((await output(bytes, test.x)).dims);
});
