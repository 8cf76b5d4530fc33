import { realpathSync, statSync } from "node:fs";
import path from "node:path";
import { ExpectedError, systemCode } from "../errors";
import { withInputFile } from "../inputFile";
import type { ByteSource } from "./byteSource";
import type { ByteRange, ElementType, TensorInfo } from "./schema";
import { elementCount } from "./tensor";

/** Bits of an element in a file. Texts have no fixed width, and ONNX keeps them in the model itself. */
export const ELEMENT_BITS: Readonly<Partial<Record<ElementType, number>>> = {
  ...{ float32: 32, int32: 32, uint32: 32, float64: 64, int64: 64, uint64: 64, complex64: 64, complex128: 128 },
  ...{ float16: 16, bfloat16: 16, int16: 16, uint16: 16, int8: 8, uint8: 8, bool: 8 },
  ...{ float8e4m3fn: 8, float8e4m3fnuz: 8, float8e5m2: 8, float8e5m2fnuz: 8, float8e8m0: 8 },
  ...{ uint4: 4, int4: 4, float4e2m1: 4, uint2: 2, int2: 2 },
};

/** A tensor whose elements lie in another file. */
export type ExternalTensor = TensorInfo & { readonly payload: { readonly kind: "external" } };

export function isExternal(tensor: TensorInfo): tensor is ExternalTensor {
  return tensor.payload.kind === "external";
}

/** Longer names are shortened in messages. */
const LONGEST_NAME = 200;

/** A name from the model as messages show it: on one line, without characters that a terminal would obey. */
function quoted(name: string): string {
  return JSON.stringify(name.slice(0, LONGEST_NAME));
}

/**
 * The file that `location` names, as the real path of a file inside the model's folder. Nothing else is ever opened: a
 * model may come from anywhere, and must not make its reader look at other files.
 * @throws ExpectedError if it lies outside (by "..", as an absolute path, or through a link), or is missing or no file.
 */
export function externalFile(source: ByteSource, location: string): string {
  const refusal = (reason: string): ExpectedError =>
    new ExpectedError(`${source.name} keeps weights in ${quoted(location)}, ${reason}`);
  if (source.folder === null) throw refusal("and a model in memory has no other files.");
  if (location === "" || location.includes("\0")) throw refusal("which is not the name of a file.");
  const outside = (folder: string): ExpectedError =>
    refusal(`which is outside its folder ${folder}: such a file is never read. Put the weights beside the model.`);
  if (
    path.isAbsolute(location) ||
    leavesOnWindows(location) ||
    !isInside(source.folder, path.resolve(source.folder, location))
  ) {
    throw outside(source.folder);
  }
  let real: string;
  let root: string;
  try {
    root = realpathSync.native(source.folder);
    // Not path.join, which takes "link/.." out of the path: the operating system follows the link first.
    real = realpathSync.native(`${root}${path.sep}${location}`);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") throw refusal(`and ${source.folder} has no such file: put it there.`);
    if (code === "EACCES" || code === "EPERM") throw refusal("which may not be read (permission denied).");
    throw refusal(`which cannot be found: ${error instanceof Error ? error.message : String(error)}.`);
  }
  if (!isInside(root, real)) throw outside(root);
  // Looked at before it is opened: opening a pipe would wait for a writer.
  if (!statSync(real).isFile()) throw refusal("which is not a regular file.");
  return real;
}

/** `C:\x`, `C:x`, `\\server\x` or `..\x`: refused on every system, so that a model is as safe on one as on another. */
function leavesOnWindows(location: string): boolean {
  return /^[a-z]:/i.test(location) || path.win32.isAbsolute(location) || !isInside(".", location, path.win32);
}

function isInside(folder: string, file: string, system = path): boolean {
  const way = system.relative(folder, file);
  return way !== ".." && !way.startsWith(`..${system.sep}`) && !system.isAbsolute(way);
}

/**
 * Where in its file the tensor lies.
 * @throws ExpectedError if offset or length make no sense, or the length is not what the shape asks for.
 */
export function externalRange(source: ByteSource, tensor: ExternalTensor): ByteRange {
  const { elementType, dims, payload } = tensor;
  const called = `${source.name}: tensor ${quoted(tensor.name)}`;
  const bits = elementType === null ? undefined : ELEMENT_BITS[elementType];
  const expected = bits === undefined ? null : Math.ceil((bits * elementCount(dims)) / 8);
  const length = payload.length ?? expected;
  if (length === null) {
    throw new ExpectedError(`${called} lies in another file, but its length is not stated and follows from no type.`);
  }
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (!isCount(payload.offset) || !isCount(length) || !isCount(payload.offset + length)) {
    throw new ExpectedError(
      `${called} has offset ${payload.offset} and length ${length} in ${quoted(payload.location)}.`,
    );
  }
  if (expected !== null && length !== expected) {
    throw new ExpectedError(
      `${called} has shape [${dims.join(", ")}], which is ${expected} bytes, but ${length} in ${quoted(payload.location)}.`,
    );
  }
  return { start: payload.offset, end: payload.offset + length };
}

/** The bytes of an external tensor, read from its file. @throws ExpectedError as {@link externalFile} and {@link externalRange}. */
export function externalBytes(source: ByteSource, tensor: TensorInfo): Uint8Array {
  if (!isExternal(tensor)) throw new Error(`tensor "${tensor.name}" is not external`);
  const { start, end } = externalRange(source, tensor);
  return withInputFile(externalFile(source, tensor.payload.location), (file) => {
    // Before anything is allocated: dims and length come from the model and may be anything.
    if (end > file.size) throw tooShort(source, tensor, end, file.size);
    const bytes = new Uint8Array(end - start);
    const done = file.readAt(bytes, start);
    if (done < bytes.length) throw tooShort(source, tensor, end, start + done);
    return bytes;
  });
}

/** @throws ExpectedError if a tensor's file is not there, or ends before the tensor does. No weight is read. */
export function checkExternalTensors(source: ByteSource, tensors: Iterable<ExternalTensor>): void {
  const sizes = new Map<string, number>();
  for (const tensor of tensors) {
    const { location } = tensor.payload;
    let size = sizes.get(location);
    if (size === undefined) {
      size = withInputFile(externalFile(source, location), (file) => file.size);
      sizes.set(location, size);
    }
    const { end } = externalRange(source, tensor);
    if (end > size) throw tooShort(source, tensor, end, size);
  }
}

function tooShort(source: ByteSource, tensor: ExternalTensor, expected: number, found: number): ExpectedError {
  return new ExpectedError(
    `${source.name}: ${quoted(tensor.payload.location)} has ${found} bytes, but tensor ${quoted(tensor.name)} ends at byte ${expected} ` +
      `of it: it is truncated, or belongs to another model.`,
  );
}
