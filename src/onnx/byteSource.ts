import { dirname } from "node:path";
import { ExpectedError } from "../errors";
import { openInputFile } from "../inputFile";

/** Bytes at known positions, read when asked for: a model file, or a model in memory. */
export interface ByteSource {
  /** What messages call it: the file's path. */
  readonly name: string;
  readonly size: number;
  /** Where the files lie that it refers to; null for a model in memory, which can refer to none. */
  readonly folder: string | null;
  /** The bytes [start, end). A view where the source is memory: do not write to it. */
  read(start: number, end: number): Uint8Array;
  close(): void;
}

export function memorySource(bytes: Uint8Array, name = "model in memory"): ByteSource {
  // Not a Buffer, whose slice() makes no copy.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    name,
    size: bytes.length,
    folder: null,
    read: (start, end) => plain.subarray(start, end),
    close: () => undefined,
  };
}

/** @throws ExpectedError if the file is missing, a folder, or may not be read, or shrinks while it is read. */
export function fileSource(path: string): ByteSource {
  const file = openInputFile(path);
  return {
    name: path,
    size: file.size,
    folder: dirname(path),
    read(start, end) {
      const bytes = new Uint8Array(end - start);
      const done = file.readAt(bytes, start);
      if (done < bytes.length) {
        throw new ExpectedError(`${path} ends at byte ${start + done}; ${bytes.length - done} more were expected`);
      }
      return bytes;
    },
    close: () => file.close(),
  };
}
