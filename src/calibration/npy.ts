import { extname } from "node:path";
import { ExpectedError } from "../errors";
import { fileBytes, hashFile, type RandomBytes } from "./fileBytes";
import { SAMPLE_TYPES, type SampleArray, type SampleType, type SourceKind } from "./source";

/** "\x93NUMPY". */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Magic, version (2 bytes), and the header's length: 2 bytes in version 1.0, 4 bytes from 2.0 on. */
const LONGEST_PREFIX = MAGIC.length + 2 + 4;

/** The longest header that version 1.0 can have. Plain arrays take 118 bytes; longer ones describe records. */
const MAX_HEADER_BYTES = 0xffff;

/** NumPy's own limit is 64 dimensions; 32 before version 2. */
const MAX_DIMENSIONS = 64;

/** Types by the part of NumPy's `descr` after the byte order. */
const TYPES: ReadonlyMap<string, SampleType> = new Map([
  ["b1", "bool"],
  ["u1", "uint8"],
  ["i1", "int8"],
  ["u2", "uint16"],
  ["i2", "int16"],
  ["u4", "uint32"],
  ["i4", "int32"],
  ["i8", "int64"],
  ["f4", "float32"],
  ["f8", "float64"],
]);

/** NumPy's .npy files (format 1.0, 2.0 and 3.0). The array's first axis counts the samples. */
export const npy: SourceKind = {
  name: "NumPy array (.npy)",
  recognises: (path) => extname(path).toLowerCase() === ".npy",
  files: (path) => [path],
  open: (path) =>
    Promise.resolve({
      content: "array",
      kind: "NumPy array",
      path,
      samples: openNpyBytes(path, fileBytes(path)),
      labels: null,
      warnings: [],
      sha256: () => hashFile(path),
    }),
};

interface Header {
  readonly dtype: SampleType;
  readonly shape: readonly number[];
  /** Position of the first value in the file. */
  readonly dataStart: number;
}

/**
 * An array in .npy format; reads its header only. Values are little-endian, like every machine that onnxruntime-node
 * runs on.
 * @param path what messages call it.
 * @throws ExpectedError if the file is not a .npy file, is cut off, or holds what RankLens cannot use.
 */
export function openNpyBytes(path: string, file: RandomBytes): SampleArray {
  const { dtype, shape, dataStart } = readHeader(path, file);
  if (shape.length === 0) {
    throw new ExpectedError(`${path} holds a single number (shape ()); samples need an axis of their own`);
  }
  const [count, ...sampleShape] = shape;
  const sampleBytes = sampleShape.reduce((product, dim) => product * dim, SAMPLE_TYPES[dtype].bytes);
  if (count === 0 || sampleBytes === 0) throw new ExpectedError(`${path} is empty: its shape is ${showShape(shape)}`);
  const expected = dataStart + count * sampleBytes;
  if (file.size < expected) {
    throw new ExpectedError(
      `${path} is cut off: its shape ${showShape(shape)} and type ${dtype} need ${expected} bytes, and it has ${file.size}; ` +
        `write or copy it again`,
    );
  }
  return {
    path,
    dtype,
    sampleShape,
    layout: null,
    count,
    read(start, samples) {
      if (start < 0 || samples < 0 || start + samples > count) {
        throw new RangeError(`samples ${start} to ${start + samples} of ${count} in ${path}`);
      }
      const bytes = new Uint8Array(samples * sampleBytes);
      const position = dataStart + start * sampleBytes;
      const read = file.readAt(bytes, position);
      if (read < bytes.length) {
        throw new ExpectedError(
          `${path} became shorter while it was in use: ${position + bytes.length} bytes were expected, ` +
            `and it has ${position + read}; write or copy it again`,
        );
      }
      return SAMPLE_TYPES[dtype].view(bytes.buffer);
    },
  };
}

function readHeader(path: string, file: RandomBytes): Header {
  const prefix = new Uint8Array(LONGEST_PREFIX);
  const found = file.readAt(prefix, 0);
  if (found === 0) throw new ExpectedError(`${path} is empty: it has 0 bytes`);
  if (MAGIC.some((byte, index) => prefix[index] !== byte)) {
    throw new ExpectedError(`${path} is not a NumPy .npy file; write one with np.save`);
  }
  const major = prefix[MAGIC.length];
  const minor = prefix[MAGIC.length + 1];
  if (major < 1 || major > 3 || minor !== 0) {
    throw new ExpectedError(`${path}: .npy format ${major}.${minor} is unknown; 1.0, 2.0 and 3.0 are supported`);
  }
  const view = new DataView(prefix.buffer, MAGIC.length + 2);
  const length = major === 1 ? view.getUint16(0, true) : view.getUint32(0, true);
  const start = MAGIC.length + 2 + (major === 1 ? 2 : 4);
  if (length > MAX_HEADER_BYTES) {
    throw new ExpectedError(
      `${path}: the header claims ${length} bytes, and at most ${MAX_HEADER_BYTES} are supported`,
    );
  }
  const bytes = new Uint8Array(length);
  const read = found < start ? 0 : file.readAt(bytes, start);
  if (read < length || found < start) {
    throw new ExpectedError(
      `${path} is cut off in its header: ${start + length} bytes are needed, and it has ${file.size}; write or copy it again`,
    );
  }
  const text = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(bytes);
  return { ...parseHeader(path, text), dataStart: start + length };
}

/** The header is a Python dictionary: `{'descr': '<f4', 'fortran_order': False, 'shape': (10, 3), }`. */
function parseHeader(path: string, text: string): { dtype: SampleType; shape: number[] } {
  const descr = /['"]descr['"]\s*:\s*(?:['"]([^'"]*)['"]|\[)/.exec(text);
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text);
  const dims = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(text);
  if (descr === null || order === null || dims === null) {
    throw new ExpectedError(
      `${path}: the .npy header lacks descr, fortran_order or shape; write the file with np.save`,
    );
  }
  // Python 2 wrote long integers with an L.
  const shape = (dims[1].match(/\d+/g) ?? []).map(Number);
  const values = shape.reduce((product, dim) => product * dim, 1);
  // The largest value type has 8 bytes: byte positions must be exact too.
  if (shape.length > MAX_DIMENSIONS || !Number.isSafeInteger(values * 8) || !shape.every(Number.isSafeInteger)) {
    throw new ExpectedError(`${path}: the shape ${showShape(shape).slice(0, 80)} is too large for an array`);
  }
  const dtype = parseType(path, descr[1]);
  if (order[1] === "True" && shape.length > 1) {
    throw new ExpectedError(
      `${path} is stored in Fortran order, and samples must be in C order; ` +
        `write it again with np.save(path, np.ascontiguousarray(array))`,
    );
  }
  return { dtype, shape };
}

/** `descr` is undefined for records, whose description is a list. */
function parseType(path: string, descr: string | undefined): SampleType {
  const supported = [...TYPES.values()].join(", ");
  if (descr === undefined) {
    throw new ExpectedError(`${path} holds records (a structured array); save one plain array, of type ${supported}`);
  }
  const match = /^([<>|=])([a-zA-Z]\d+)$/.exec(descr);
  const dtype = TYPES.get(match?.[2] ?? "");
  if (match === null || dtype === undefined) {
    throw new ExpectedError(
      `${path} holds values of NumPy type "${descr}"; supported are ${supported}; convert it with array.astype`,
    );
  }
  if (match[1] === ">" && SAMPLE_TYPES[dtype].bytes > 1) {
    throw new ExpectedError(
      `${path} is big-endian (NumPy type "${descr}"), and samples must be little-endian; ` +
        `convert it with array.astype("<${match[2]}")`,
    );
  }
  return dtype;
}

function showShape(shape: readonly number[]): string {
  return `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
}
