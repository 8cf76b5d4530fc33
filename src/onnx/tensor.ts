import { BinaryReader } from "@bufbuild/protobuf/wire";
import { ExpectedError } from "../errors";
import type { TensorInfo } from "./schema";
import type { WireReader } from "./wire";

/** Number of elements; 1 for a scalar. NaN-free: a negative dimension of a damaged file gives 0. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * Math.max(dim, 0), 1);
}

/** Bytes of the fixed-width element types that shapes, axes and scalars come in. */
const SMALL_WIDTHS = { int64: 8, int32: 4, uint8: 1, int8: 1, bool: 1, float32: 4, float64: 8 } as const;
type SmallType = keyof typeof SMALL_WIDTHS;

/** Shapes, axes, pads and scales have a few elements; anything longer is data, not structure. */
const MOST_SMALL_ELEMENTS = 1024;

/** The elements of a small tensor (a shape, axes, …) as numbers; null if it is large, external, or of another type. */
export function readSmallTensor(wire: WireReader, tensor: TensorInfo): readonly number[] | null {
  const { elementType, payload } = tensor;
  const count = elementCount(tensor.dims);
  if (elementType === null || !(elementType in SMALL_WIDTHS) || count > MOST_SMALL_ELEMENTS) return null;
  if (payload.kind === "external" || payload.kind === "sparse") return null;
  if (payload.kind === "none") return count === 0 ? [] : null;
  if (payload.kind === "listed") return payload.values;
  const type = elementType as SmallType;
  const numbers = payload.kind === "raw" ? rawNumbers(wire, tensor, type) : typedNumbers(wire, tensor, type, count);
  return numbers?.length === count ? numbers : null;
}

function rawNumbers(wire: WireReader, tensor: TensorInfo, type: SmallType): number[] | null {
  const width = SMALL_WIDTHS[type];
  if (tensor.payload.kind !== "raw") return null;
  const { start, end } = tensor.payload.range;
  if (end - start !== width * elementCount(tensor.dims)) return null;
  const bytes = wire.bytes({ start, end });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const read: Record<SmallType, (offset: number) => number> = {
    int64: (offset) => Number(view.getBigInt64(offset, true)),
    int32: (offset) => view.getInt32(offset, true),
    uint8: (offset) => view.getUint8(offset),
    int8: (offset) => view.getInt8(offset),
    bool: (offset) => view.getUint8(offset),
    float32: (offset) => view.getFloat32(offset, true),
    float64: (offset) => view.getFloat64(offset, true),
  };
  return Array.from({ length: elementCount(tensor.dims) }, (_, index) => read[type](index * width));
}

function typedNumbers(wire: WireReader, tensor: TensorInfo, type: SmallType, count: number): number[] | null {
  // A varint has at most ten bytes: what is longer than its dims allow is damaged, and not worth reading.
  const bytes = typedBytes(wire, tensor, 10 * count);
  if (!bytes) return null;
  const reader = new BinaryReader(bytes);
  const numbers: number[] = [];
  try {
    while (reader.pos < reader.len) {
      if (type === "float32") numbers.push(reader.float());
      else if (type === "float64") numbers.push(reader.double());
      else numbers.push(Number(reader.int64()));
    }
  } catch {
    return null;
  }
  return numbers;
}

/** The bytes of a typed field's entries, joined: its packed encoding. Null where they are more than `limit`. */
export function typedBytes(wire: WireReader, tensor: TensorInfo, limit: number): Uint8Array | null {
  if (tensor.payload.kind !== "typed") return null;
  const { ranges } = tensor.payload;
  const length = ranges.reduce((sum, range) => sum + range.end - range.start, 0);
  if (length > limit) return null;
  const bytes = new Uint8Array(length);
  let position = 0;
  for (const range of ranges) {
    bytes.set(wire.bytes(range), position);
    position += range.end - range.start;
  }
  return bytes;
}

/** @throws ExpectedError if a tensor holds more or fewer elements than its dims promise. */
export function checkLength(wire: WireReader, tensor: TensorInfo, found: number): void {
  const expected = elementCount(tensor.dims);
  if (found !== expected) {
    throw new ExpectedError(
      `${called(wire, tensor)} has shape [${tensor.dims.join(", ")}], which is ${expected} elements, but holds ${found}.`,
    );
  }
}

/** What messages call a tensor. */
export function called(wire: WireReader, tensor: TensorInfo): string {
  return `${wire.source.name}: tensor "${tensor.name}"`;
}
