import { basename } from "node:path";
import { ExpectedError } from "../errors";
import { fileBytes, hashFile, memoryBytes, type RandomBytes } from "./fileBytes";
import type { ArraySource, SampleArray, SourceKind } from "./source";
import { gunzipFile } from "./unpack";

/** As the MNIST files are called: train-images-idx3-ubyte, train-labels.idx1-ubyte, images.idx; packed ones end in .gz. */
const NAME = /([-.]idx\d+-ubyte|\.idx)(\.gz)?$/i;
/** The number of unsigned bytes among the format's value types; the only one in use by the MNIST family. */
const UNSIGNED_BYTES = 0x08;
/** Images have three axes: sample, height, width. */
const IMAGE_AXES = 3;
/** More axes are no data set. */
const MAX_AXES = 8;

/** Files of MNIST and its relatives: images (N, height, width) of one channel, and labels (N). */
export const idx: SourceKind = {
  name: "MNIST idx file (-idx3-ubyte, -idx1-ubyte, also .gz)",
  recognises: (path, isFolder) => !isFolder && NAME.test(basename(path)),
  files: (path) => [path],
  open: openIdx,
};

async function openIdx(path: string): Promise<ArraySource> {
  const bytes = path.toLowerCase().endsWith(".gz") ? memoryBytes(await gunzipFile(path)) : fileBytes(path);
  return {
    content: "array",
    kind: "MNIST idx file",
    path,
    samples: openIdxBytes(path, bytes),
    labels: null,
    warnings: [],
    sha256: () => hashFile(path),
  };
}

/** Magic number (0, 0, type, number of axes), then each axis as a big-endian 32-bit integer, then the values. */
function openIdxBytes(path: string, bytes: RandomBytes): SampleArray {
  const header = new Uint8Array(4 + 4 * MAX_AXES);
  const found = bytes.readAt(header, 0);
  const [zero, zeroToo, type, axes] = header;
  if (found < 4 || zero !== 0 || zeroToo !== 0 || axes < 1 || axes > MAX_AXES) {
    throw new ExpectedError(`${path} is not an idx file: its first bytes are ${[...header.subarray(0, 4)].join(" ")}`);
  }
  if (type !== UNSIGNED_BYTES) {
    throw new ExpectedError(
      `${path} holds values of idx type 0x${type.toString(16).padStart(2, "0")}; only unsigned bytes (0x08) are ` +
        `supported; save it as .npy`,
    );
  }
  const dataStart = 4 + 4 * axes;
  const view = new DataView(header.buffer);
  const [count, ...rest] = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const sampleBytes = rest.reduce((product, dim) => product * dim, 1);
  const shape = `(${[count, ...rest].join(", ")})`;
  if (found >= dataStart && count * sampleBytes === 0) {
    throw new ExpectedError(`${path} is empty: its shape is ${shape}`);
  }
  const expected = dataStart + count * sampleBytes;
  if (found < dataStart || bytes.size < expected) {
    throw new ExpectedError(
      `${path} is cut off: its shape ${shape} needs ${expected} bytes, and it has ${bytes.size}; write or copy it again`,
    );
  }
  const isImages = axes === IMAGE_AXES;
  return {
    path,
    dtype: "uint8",
    sampleShape: isImages ? [1, ...rest] : rest,
    layout: isImages ? "NCHW" : null,
    count,
    read(start, samples) {
      if (start < 0 || samples < 0 || start + samples > count) {
        throw new RangeError(`samples ${start} to ${start + samples} of ${count} in ${path}`);
      }
      const values = new Uint8Array(samples * sampleBytes);
      if (bytes.readAt(values, dataStart + start * sampleBytes) < values.length) {
        throw new ExpectedError(`${path} became shorter while it was in use; write or copy it again`);
      }
      return values;
    },
  };
}
