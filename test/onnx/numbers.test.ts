import { expect, it } from "vitest";
import { ExpectedError } from "../../src/errors";
import { readNumbers } from "../../src/onnx/numbers";
import { ELEMENT_TYPES, type ElementType } from "../../src/onnx/schema";
import { openBytes, runModel } from "../fixtures/data";
import { joinBytes, messageField, modelBytes, node, numberField, stringField, tensorField, untyped } from "../fixtures/model"; // prettier-ignore

const CODES = Uint8Array.from({ length: 256 }, (_, code) => code);
const RAW = 9;
const [FLOATS, INT32S, INT64S, DOUBLES, UINT64S] = [4, 5, 7, 10, 11];

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Elements of a type as raw_data: every code where they are small, else extremes. */
const stored: Readonly<Partial<Record<ElementType, { count: number; raw: Uint8Array }>>> = {
  float32: { count: 3, raw: bytesOf(Float32Array.of(1.5, -2, 3e-40)) },
  float64: { count: 2, raw: bytesOf(Float64Array.of(Math.PI, -1e300)) },
  float16: { count: 3, raw: bytesOf(Uint16Array.of(0x3c00, 0x8001, 0x7bff)) },
  bfloat16: { count: 3, raw: bytesOf(Uint16Array.of(0x3f80, 0x8001, 0x7f7f)) },
  bool: { count: 2, raw: Uint8Array.of(1, 0) },
  int8: { count: 256, raw: CODES },
  uint8: { count: 256, raw: CODES },
  int16: { count: 3, raw: bytesOf(Int16Array.of(-32768, -1, 32767)) },
  uint16: { count: 3, raw: bytesOf(Uint16Array.of(0, 1, 65535)) },
  int32: { count: 3, raw: bytesOf(Int32Array.of(-(2 ** 31), -1, 2 ** 31 - 1)) },
  uint32: { count: 3, raw: bytesOf(Uint32Array.of(0, 1, 2 ** 32 - 1)) },
  int64: { count: 3, raw: bytesOf(BigInt64Array.of(-(2n ** 63n), -1n, 2n ** 53n + 1n)) },
  uint64: { count: 3, raw: bytesOf(BigUint64Array.of(0n, 1n, 2n ** 64n - 1n)) },
  float8e4m3fn: { count: 256, raw: CODES },
  float8e4m3fnuz: { count: 256, raw: CODES },
  float8e5m2: { count: 256, raw: CODES },
  float8e5m2fnuz: { count: 256, raw: CODES },
  // An odd count leaves half of the last byte unused.
  int4: { count: 511, raw: CODES },
  uint4: { count: 511, raw: CODES },
};

it.each(Object.entries(stored))("%s elements are those that onnxruntime reads", async (type, { count, raw }) => {
  const elementType = type as ElementType;
  const bytes = modelBytes({
    irVersion: 10,
    opset: 21,
    nodes: [node("Cast", ["w"], "y", { to: ELEMENT_TYPES.float64 })],
    outputs: [untyped("y")],
    extra: [tensorField("w", [count], elementType, [messageField(RAW, raw)])],
  });
  const { model } = openBytes(bytes);
  const expected = (await runModel(bytes, {})).get("y");
  expect(expected?.data).toHaveLength(count);
  expect(Float64Array.from(readNumbers(model.wire, model.graph.initializers.get("w")!))).toEqual(expected?.data);
});

const read = (type: ElementType, dims: readonly number[], payload: readonly Uint8Array[]) => {
  const { model } = openBytes(modelBytes({ nodes: [], outputs: [], extra: [tensorField("w", dims, type, payload)] }));
  return readNumbers(model.wire, model.graph.initializers.get("w")!);
};
const each = (field: number, ...values: (number | bigint)[]) => values.map((value) => numberField(field, value));

// No runtime reads these yet; the values are those of the OCP's tables.
it("float4, float8e8m0 and 2-bit elements have the values of their definitions", () => {
  const positive = [0, 0.5, 1, 1.5, 2, 3, 4, 6];
  const pairs = Uint8Array.from({ length: 8 }, (_, i) => 2 * i + 16 * (2 * i + 1));
  expect(read("float4e2m1", [16], [messageField(RAW, pairs)])).toEqual(
    Float32Array.from([...positive, ...positive.map((value) => -value)]),
  );
  const scales = messageField(RAW, Uint8Array.of(0, 127, 130, 254, 255));
  expect(read("float8e8m0", [5], [scales])).toEqual(Float32Array.of(2 ** -127, 1, 8, 2 ** 127, NaN));
  expect(read("int2", [5], [messageField(RAW, Uint8Array.of(0b11100100, 1))])).toEqual(Int8Array.of(0, 1, -2, -1, 1));
  expect(read("uint2", [4], [messageField(RAW, Uint8Array.of(0b11100100))])).toEqual(Uint8Array.of(0, 1, 2, 3));
});

it.each<[ElementType, number, Uint8Array[], unknown]>([
  ["float64", DOUBLES, [messageField(DOUBLES, bytesOf(Float64Array.of(0.1, -7)))], Float64Array.of(0.1, -7)],
  ["float32", FLOATS, [messageField(FLOATS, bytesOf(Float32Array.of(0.5, -7)))], Float32Array.of(0.5, -7)],
  ["float16", INT32S, each(INT32S, 0x3c00, 0xc000), Float32Array.of(1, -2)],
  ["bfloat16", INT32S, each(INT32S, 0x3f80, 0xc000), Float32Array.of(1, -2)],
  ["int8", INT32S, each(INT32S, -128, 127), Int8Array.of(-128, 127)],
  ["uint8", INT32S, each(INT32S, 0, 255), Uint8Array.of(0, 255)],
  ["bool", INT32S, each(INT32S, 0, 1), Uint8Array.of(0, 1)],
  ["int16", INT32S, each(INT32S, -32768, 5), Int16Array.of(-32768, 5)],
  ["uint16", INT32S, each(INT32S, 65535, 5), Uint16Array.of(65535, 5)],
  ["int32", INT32S, each(INT32S, -(2 ** 31), 5), Int32Array.of(-(2 ** 31), 5)],
  ["uint32", UINT64S, each(UINT64S, 2 ** 32 - 1, 5), Float64Array.of(2 ** 32 - 1, 5)],
  ["uint64", UINT64S, each(UINT64S, -1n, 5), Float64Array.of(2 ** 64, 5)],
  ["int64", INT64S, each(INT64S, -(2n ** 63n), 5), Float64Array.of(-(2 ** 63), 5)],
  ["float8e4m3fn", INT32S, each(INT32S, 0x7e, 0xff), Float32Array.of(448, NaN)],
])("%s elements are read from typed field %d", (type, _, payload, expected) => {
  expect(read(type, [2], payload)).toEqual(expected);
});

it("reads two 4-bit elements of each entry of int32_data, the lower half first", () => {
  expect(read("int4", [3], each(INT32S, 0xf1, 0x08))).toEqual(Int8Array.of(1, -1, -8));
  expect(read("uint4", [2, 1], each(INT32S, 0xf1))).toEqual(Uint8Array.of(1, 15));
});

const DAMAGED_VARINT = messageField(INT32S, Uint8Array.of(0x80));
it.each<[string, ElementType, readonly number[], Uint8Array[], RegExp]>([
  ["texts", "string", [1], [stringField(6, "a")], /"w" is string, not real numbers\.$/],
  [
    "complex numbers",
    "complex64",
    [1],
    [messageField(RAW, new Uint8Array(8))],
    /"w" is complex64, not real numbers\.$/,
  ],
  ["too few bytes", "int4", [5], [messageField(RAW, new Uint8Array(2))], /\[5\], which is 5 elements, but holds 4\.$/],
  ["too many bytes", "int8", [1], [messageField(RAW, new Uint8Array(2))], /is 1 elements, but holds 2\.$/],
  ["a shape of 2^60 elements", "int8", [2 ** 30, 2 ** 30], [messageField(RAW, new Uint8Array(2))], /but holds 2\.$/],
  ["no data", "int8", [2 ** 30, 2 ** 30], [], /but holds 0\.$/],
  ["another type's field", "int8", [1], each(INT64S, 1), /is int8, but has none of its data in int32_data\.$/],
  ["an unfinished varint", "int8", [1], [DAMAGED_VARINT], /"w" is damaged: its int32_data cannot be read\.$/],
])("refuses %s", (_, type, dims, payload, message) => {
  expect(() => read(type, dims, payload)).toThrow(ExpectedError);
  expect(() => read(type, dims, payload)).toThrow(message);
});

it("refuses a type that it does not know", () => {
  const field = messageField(5, joinBytes([numberField(2, 99), stringField(8, "w")]));
  const { model } = openBytes(modelBytes({ nodes: [], outputs: [], extra: [field] }));
  expect(() => readNumbers(model.wire, model.graph.initializers.get("w")!)).toThrow(/"w" is of an unknown type/);
});
