import { BinaryReader } from "@bufbuild/protobuf/wire";
import { ExpectedError } from "../errors";
import { ELEMENT_BITS, externalBytes } from "./externalData";
import type { ElementType, TensorInfo } from "./schema";
import { called, checkLength, elementCount, typedBytes } from "./tensor";
import { TYPED_FIELDS } from "./tensorReader";
import type { WireReader } from "./wire";

/** A varint has at most ten bytes. */
const LONGEST_VARINT = 10;

/** TensorProto's typed field for each element type, where it is not int32_data. */
const FIELDS: Readonly<Partial<Record<ElementType, keyof typeof TYPED_FIELDS>>> = {
  ...{ float32: "float", complex64: "float", float64: "double", complex128: "double" },
  ...{ int64: "int64", uint32: "uint64", uint64: "uint64", string: "string" },
};

/**
 * The elements of a tensor as raw_data has them (little-endian, of fixed width, those of less than a byte packed from the
 * lowest bits on), in fresh and aligned memory, from wherever they lie. Nothing is allocated for elements that are not there.
 * @throws ExpectedError if the type has no fixed width, the tensor does not hold what its dims promise, or its file is not there.
 */
export function storedElements(wire: WireReader, tensor: TensorInfo): Uint8Array {
  const { elementType, payload } = tensor;
  const bits = elementType === null ? undefined : ELEMENT_BITS[elementType];
  if (elementType === null || bits === undefined) {
    throw new ExpectedError(`${called(wire, tensor)} is ${elementType ?? "of an unknown type"}, not numbers.`);
  }
  const expected = Math.ceil((bits * elementCount(tensor.dims)) / 8);
  const checkBytes = (found: number): void => {
    if (found !== expected) checkLength(wire, tensor, (found * 8) / bits);
  };
  switch (payload.kind) {
    case "raw":
      checkBytes(payload.range.end - payload.range.start);
      return wire.bytes(payload.range).slice();
    case "typed": {
      const kind = FIELDS[elementType] ?? "int32";
      if (payload.field !== TYPED_FIELDS[kind]) {
        throw new ExpectedError(`${called(wire, tensor)} is ${elementType}, but has none of its data in ${kind}_data.`);
      }
      const isVarint = kind !== "float" && kind !== "double";
      const bytes = typedBytes(wire, tensor, isVarint ? LONGEST_VARINT * expected : expected);
      if (!bytes) throw new ExpectedError(`${called(wire, tensor)} holds more data than its shape allows.`);
      const stored = isVarint ? fromVarints(wire, tensor, bytes, Math.ceil(bits / 8), `${kind}_data`) : bytes;
      checkBytes(stored.length);
      return stored;
    }
    case "external":
      return externalBytes(wire.source, tensor);
    case "listed":
      checkLength(wire, tensor, payload.values.length);
      return elementType === "float32"
        ? new Uint8Array(Float32Array.from(payload.values).buffer)
        : new Uint8Array(BigInt64Array.from(payload.values, clampedInt64).buffer);
    case "sparse":
      throw new Error(`${called(wire, tensor)} is sparse: only its values and indices are stored`);
    case "none":
      checkBytes(0);
      return new Uint8Array(0);
  }
}

/** What int64 attributes were read as: beyond 2^53 the nearest number, which can be just outside. */
function clampedInt64(value: number): bigint {
  return BigInt(Math.max(-(2 ** 63), Math.min(value, 2 ** 63 - 1024)));
}

/** Varints as little-endian integers of `width` bytes: the low bytes of each, as its two's complement has them. */
function fromVarints(
  wire: WireReader,
  tensor: TensorInfo,
  varints: Uint8Array,
  width: number,
  field: string,
): Uint8Array {
  // The last byte of a varint, and no other, has its highest bit clear.
  const count = varints.reduce((sum, byte) => sum + (byte < 0x80 ? 1 : 0), 0);
  const bytes = new Uint8Array(count * width);
  const view = new DataView(bytes.buffer);
  const reader = new BinaryReader(varints);
  try {
    for (let at = 0; reader.pos < reader.len; at += width) {
      if (width === 8) view.setBigUint64(at, BigInt(reader.uint64()), true);
      else if (width === 4) view.setInt32(at, Number(BigInt.asIntN(32, BigInt(reader.int64()))), true);
      else if (width === 2) view.setInt16(at, reader.int32(), true);
      else view.setInt8(at, reader.int32());
    }
  } catch (error) {
    throw new ExpectedError(`${called(wire, tensor)} is damaged: its ${field} cannot be read.`, { cause: error });
  }
  return bytes;
}
