import { ExpectedError } from "../errors";
import type { NumberArray } from "./numbers";
import type { SparseTensor, TensorInfo } from "./schema";
import { storedElements } from "./storedElements";
import { called, elementCount } from "./tensor";
import { readTensorInfo } from "./tensorReader";
import { signedNumbers, type Field, type WireReader } from "./wire";

/** Field numbers of SparseTensorProto. */
const SPARSE = { values: 1, indices: 2, dims: 3 };

/** A few stored values can stand for any number of zeros, all of which take memory once they are read. */
export const MOST_DENSE_ELEMENTS = 2 ** 28;

export function isSparse(tensor: TensorInfo): tensor is SparseTensor {
  return tensor.payload.kind === "sparse";
}

/** What a SparseTensorProto says of itself, as the dense tensor that it stands for; no element is read. */
export function readSparseInfo(wire: WireReader, field: Field): TensorInfo {
  const dims: number[] = [];
  let values: TensorInfo | undefined;
  let indices: TensorInfo | undefined;
  for (const part of wire.fields(field.value)) {
    if (part.number === SPARSE.values) values = readTensorInfo(wire, part);
    if (part.number === SPARSE.indices) indices = readTensorInfo(wire, part);
    if (part.number === SPARSE.dims) for (const dim of signedNumbers(wire, part)) dims.push(dim);
  }
  return {
    name: values?.name ?? "",
    elementType: values?.elementType ?? null,
    dims,
    payload: values && indices ? { kind: "sparse", values, indices } : { kind: "none" },
    field: field.whole,
  };
}

/** Why the elements of a tensor cannot be laid out in memory; undefined where they can. */
export function tooManyZeros(tensor: TensorInfo): string | undefined {
  const count = elementCount(tensor.dims);
  if (!isSparse(tensor) || count <= MOST_DENSE_ELEMENTS) return undefined;
  return `a sparse tensor of ${count} elements; at most ${MOST_DENSE_ELEMENTS} are read`;
}

/**
 * The dense elements of a sparse tensor, in C order, zeros between its stored values.
 * @param readValues reads the stored values.
 * @throws ExpectedError if it is too large, its indices are not int64, of another count than its values, or outside its dims.
 */
export function denseElements<T extends NumberArray>(
  wire: WireReader,
  tensor: SparseTensor,
  readValues: (wire: WireReader, values: TensorInfo) => T,
): T {
  const reason = tooManyZeros(tensor);
  if (reason !== undefined) throw new ExpectedError(`${called(wire, tensor)} is ${reason}.`);
  const values = readValues(wire, tensor.payload.values);
  const places = linearIndices(wire, tensor, values.length);
  const dense = zeros(values, elementCount(tensor.dims));
  for (let i = 0; i < values.length; i++) dense[places[i]] = values[i];
  return dense;
}

function zeros<T extends NumberArray>(like: T, length: number): T {
  // Typed arrays of one kind all have the same constructor, which TypeScript's declarations do not say.
  return new (like.constructor as new (length: number) => T)(length);
}

/** Positions of the stored values in C order: given as such, or as one coordinate for each axis. */
function linearIndices(wire: WireReader, tensor: SparseTensor, count: number): Float64Array {
  const { dims } = tensor;
  const { indices } = tensor.payload;
  const refusal = (reason: string): ExpectedError =>
    new ExpectedError(`${called(wire, tensor)} is damaged: ${reason}.`);
  if (indices.elementType !== "int64") {
    throw refusal(`its indices are ${indices.elementType ?? "of an unknown type"}, not int64`);
  }
  const perValue = indices.dims.length > 1 ? dims.length : 1;
  if (indices.dims[0] !== count || elementCount(indices.dims) !== count * perValue) {
    throw refusal(`its indices have shape [${indices.dims.join(", ")}] for ${count} values of ${dims.length} axes`);
  }
  const stored = new BigInt64Array(storedElements(wire, indices).buffer);
  // A linear index is the coordinate on one axis that holds all elements.
  const lengths = perValue === 1 && indices.dims.length === 1 ? [elementCount(dims)] : dims;
  const places = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    for (const [axis, length] of lengths.entries()) {
      const at = Number(stored[i * lengths.length + axis]);
      if (at < 0 || at >= length) throw refusal(`its index ${at} is not in 0…${length - 1}`);
      places[i] = places[i] * length + at;
    }
  }
  return places;
}
