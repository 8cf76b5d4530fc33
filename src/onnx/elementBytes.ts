import { numberToBrain, toHalves } from "./halves";
import type { ElementType } from "./schema";

/** Elements of a tensor to be written. */
export type NewElements = Float32Array | Float64Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;

/** How a tensor's elements are written: by the array's own type, but as `elementType` where that is given. */
export interface TypedElements {
  readonly data: NewElements;
  /**
   * Floating-point elements become another floating-point type, whole numbers another type of up to 32 bits (those
   * of 4 and 2 bits several to a byte, the first in the lowest bits).
   */
  readonly elementType?: ElementType;
}

export function writtenType({ data, elementType }: TypedElements): ElementType {
  if (elementType !== undefined) return elementType;
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof Int32Array) return "int32";
  return data instanceof Int8Array ? "int8" : "uint8";
}

/** The elements as TensorProto.raw_data has them: little-endian, fixed width. */
export function elementBytes(elements: TypedElements): Uint8Array {
  const { data } = elements;
  const type = writtenType(elements);
  const isFloat = data instanceof Float32Array || data instanceof Float64Array;
  if (isFloat && type === "float16") return bytesOf(toHalves(data));
  if (isFloat && type === "bfloat16") return bytesOf(Uint16Array.from(data, numberToBrain));
  if (isFloat && type === "float32") return bytesOf(data instanceof Float32Array ? data : Float32Array.from(data));
  if (isFloat && type === "float64") return bytesOf(data instanceof Float64Array ? data : Float64Array.from(data));
  if (!isFloat && !(data instanceof BigInt64Array)) return integerBytes(data, type);
  return bytesOf(data);
}

/** Whole numbers in the width of their type. */
function integerBytes(data: Int32Array | Int8Array | Uint8Array, type: ElementType): Uint8Array {
  switch (type) {
    case "int4":
    case "uint4":
      return packed(data, 4);
    case "int2":
    case "uint2":
      return packed(data, 2);
    case "int8":
    case "uint8":
    case "bool":
      return Uint8Array.from(data);
    case "int16":
    case "uint16":
      return bytesOf(Uint16Array.from(data));
    default:
      return bytesOf(Int32Array.from(data));
  }
}

/** Several numbers of `bits` bits to a byte, the first in the lowest bits. */
export function packed(data: ArrayLike<number>, bits: number): Uint8Array {
  const perByte = 8 / bits;
  const bytes = new Uint8Array(Math.ceil(data.length / perByte));
  const mask = (1 << bits) - 1;
  for (let i = 0; i < data.length; i++) bytes[Math.floor(i / perByte)] |= (data[i] & mask) << (bits * (i % perByte));
  return bytes;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
