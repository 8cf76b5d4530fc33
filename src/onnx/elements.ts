import { BinaryReader } from "@bufbuild/protobuf/wire";
import { ExpectedError } from "../errors";
import { externalBytes } from "./externalData";
import type { ElementType, TensorInfo } from "./schema";
import { called, checkLength, elementCount, typedBytes } from "./tensor";
import type { WireReader } from "./wire";

/** Bytes of the floating-point types whose elements can be read. */
const WIDTHS = { float32: 4, float64: 8, float16: 2, bfloat16: 2 } as const;
export type FloatType = keyof typeof WIDTHS;

export function isFloatType(type: ElementType | null): type is FloatType {
  return type !== null && type in WIDTHS;
}

/**
 * The elements of a floating-point tensor in a fresh array, from wherever they lie: float64 as it is, all others as
 * float32, which holds them exactly.
 * @throws ExpectedError if the tensor is of another type, does not hold what its dims promise, or its file is not there.
 */
export function readFloats(wire: WireReader, tensor: TensorInfo): Float32Array | Float64Array {
  const { elementType } = tensor;
  if (!isFloatType(elementType)) {
    throw new ExpectedError(`${called(wire, tensor)} is ${elementType ?? "of an unknown type"}, not floating-point.`);
  }
  switch (elementType) {
    case "float32": {
      const bytes = fixedWidthBytes(wire, tensor, elementType);
      return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    }
    case "float64": {
      const bytes = fixedWidthBytes(wire, tensor, elementType);
      return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
    }
    case "float16":
      return Float32Array.from(halves(wire, tensor, elementType), halfToNumber);
    case "bfloat16":
      return new Float32Array(Uint32Array.from(halves(wire, tensor, elementType), (bits) => bits << 16).buffer);
  }
}

/** A fresh, aligned copy of the little-endian bytes of the elements. */
function fixedWidthBytes(wire: WireReader, tensor: TensorInfo, type: FloatType): Uint8Array {
  const { payload } = tensor;
  const width = WIDTHS[type];
  switch (payload.kind) {
    case "raw":
      checkLength(wire, tensor, (payload.range.end - payload.range.start) / width);
      return wire.bytes(payload.range).slice();
    case "typed": {
      const bytes = typedBytes(wire, tensor, width * elementCount(tensor.dims));
      if (!bytes) throw new ExpectedError(`${called(wire, tensor)} holds more data than its shape allows.`);
      checkLength(wire, tensor, bytes.length / width);
      return bytes;
    }
    case "external":
      return externalBytes(wire.source, tensor);
    case "none":
      checkLength(wire, tensor, 0);
      return new Uint8Array(0);
  }
}

/** The bits of a 16-bit type, whose typed field is int32_data: one varint for each element. */
function halves(wire: WireReader, tensor: TensorInfo, type: "float16" | "bfloat16"): Uint16Array {
  if (tensor.payload.kind !== "typed") {
    const bytes = fixedWidthBytes(wire, tensor, type);
    return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  }
  const count = elementCount(tensor.dims);
  // A varint has at most ten bytes.
  const bytes = typedBytes(wire, tensor, 10 * count);
  if (!bytes) throw new ExpectedError(`${called(wire, tensor)} holds more data than its shape allows.`);
  const reader = new BinaryReader(bytes);
  const bits: number[] = [];
  try {
    while (reader.pos < reader.len) bits.push(reader.int32());
  } catch (error) {
    throw new ExpectedError(`${called(wire, tensor)} is damaged: its int32_data cannot be read.`, { cause: error });
  }
  checkLength(wire, tensor, bits.length);
  return Uint16Array.from(bits);
}

/** IEEE 754 half precision: 1 sign bit, 5 of exponent (biased by 15), 10 of fraction. Node 20 has no Float16Array. */
export function halfToNumber(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
