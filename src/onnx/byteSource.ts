import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ExpectedError } from "../errors";

/** Bytes at known positions, read when asked for: a model file, or a model in memory. */
export interface ByteSource {
  /** What messages call it: the file's path. */
  readonly name: string;
  readonly size: number;
  /** The bytes [start, end). A view where the source is memory: do not write to it. */
  read(start: number, end: number): Uint8Array;
  close(): void;
}

export function memorySource(bytes: Uint8Array, name = "model in memory"): ByteSource {
  return { name, size: bytes.length, read: (start, end) => bytes.subarray(start, end), close: () => undefined };
}

/** @throws ExpectedError if the file is missing, a folder, or may not be read. */
export function fileSource(path: string): ByteSource {
  const descriptor = openForReading(path);
  const size = fstatSync(descriptor).size;
  return {
    name: path,
    size,
    read(start, end) {
      const bytes = new Uint8Array(end - start);
      let done = 0;
      while (done < bytes.length) {
        const count = readSync(descriptor, bytes, done, bytes.length - done, start + done);
        if (count === 0) {
          throw new ExpectedError(`${path} ends at byte ${start + done}; ${end - start - done} more were expected.`);
        }
        done += count;
      }
      return bytes;
    },
    close: () => closeSync(descriptor),
  };
}

function openForReading(path: string): number {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    throw new ExpectedError(unreadable(path, error), { cause: error });
  }
  if (!fstatSync(descriptor).isFile()) {
    closeSync(descriptor);
    throw new ExpectedError(`${path} is not a file.`);
  }
  return descriptor;
}

function unreadable(path: string, error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return `${path} does not exist.`;
  if (code === "EACCES" || code === "EPERM") return `${path} may not be read: permission denied.`;
  return `${path} could not be opened: ${error instanceof Error ? error.message : String(error)}`;
}
