import { ExpectedError } from "../errors";
import { isFloatType, readFloats } from "./elements";
import type { TensorInfo } from "./schema";
import { isSmallFloatType, smallFloatValues } from "./smallFloats";
import { denseElements, isSparse } from "./sparse";
import { storedElements } from "./storedElements";
import { called, elementCount } from "./tensor";
import type { WireReader } from "./wire";

/** Elements of a tensor, one entry for each. */
export type NumberArray = Float64Array | Float32Array | Int32Array | Int16Array | Int8Array | Uint8Array | Uint16Array;

/**
 * The elements of a tensor of any numeric type, in C order, one per entry of a fresh array, from wherever they lie.
 * Floating-point types come as {@link readFloats} gives them, float8 and float4 kinds as float32; 4- and 2-bit integers and
 * bool in a byte each; uint32, int64 and uint64 as float64, beyond 2^53 the nearest number.
 * @throws ExpectedError if the tensor holds texts or complex numbers, does not hold what its dims promise, or its file is not there.
 */
export function readNumbers(wire: WireReader, tensor: TensorInfo): NumberArray {
  const { elementType } = tensor;
  if (isSparse(tensor)) return denseElements(wire, tensor, readNumbers);
  if (isFloatType(elementType)) return readFloats(wire, tensor);
  if (isSmallFloatType(elementType)) {
    const values = smallFloatValues(elementType);
    const stored = storedElements(wire, tensor);
    const codes = elementType === "float4e2m1" ? unpacked(stored, 4, elementCount(tensor.dims)) : stored;
    return Float32Array.from(codes, (code) => values[code]);
  }
  switch (elementType) {
    case "bool":
    case "uint8":
      return storedElements(wire, tensor);
    case "int8":
      return new Int8Array(storedElements(wire, tensor).buffer);
    case "uint16":
      return new Uint16Array(storedElements(wire, tensor).buffer);
    case "int16":
      return new Int16Array(storedElements(wire, tensor).buffer);
    case "int32":
      return new Int32Array(storedElements(wire, tensor).buffer);
    case "uint32":
      return Float64Array.from(new Uint32Array(storedElements(wire, tensor).buffer));
    case "int64":
      return nearest(new BigInt64Array(storedElements(wire, tensor).buffer));
    case "uint64":
      return nearest(new BigUint64Array(storedElements(wire, tensor).buffer));
    case "uint4":
      return unpacked(storedElements(wire, tensor), 4, elementCount(tensor.dims));
    case "uint2":
      return unpacked(storedElements(wire, tensor), 2, elementCount(tensor.dims));
    case "int4":
      return signedOf(unpacked(storedElements(wire, tensor), 4, elementCount(tensor.dims)), 4);
    case "int2":
      return signedOf(unpacked(storedElements(wire, tensor), 2, elementCount(tensor.dims)), 2);
    default:
      throw new ExpectedError(`${called(wire, tensor)} is ${elementType ?? "of an unknown type"}, not real numbers.`);
  }
}

function nearest(values: BigInt64Array | BigUint64Array): Float64Array {
  const numbers = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) numbers[i] = Number(values[i]);
  return numbers;
}

/** All entries of `bits` bits, of which the first of a byte is in its lowest bits. */
export function packedEntries(bytes: ArrayLike<number>, bits: number): Uint8Array {
  return unpacked(bytes, bits, bytes.length * (8 / bits));
}

/** The first `count` of them. */
function unpacked(bytes: ArrayLike<number>, bits: number, count: number): Uint8Array {
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const entries = new Uint8Array(count);
  for (let i = 0; i < count; i++) entries[i] = (bytes[Math.floor(i / perByte)] >> (bits * (i % perByte))) & mask;
  return entries;
}

/** Two's complement of `bits` bits. */
function signedOf(entries: Uint8Array, bits: number): Int8Array {
  return Int8Array.from(entries, (entry) => (entry << (32 - bits)) >> (32 - bits));
}
