import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ExpectedError } from "../errors";

/** One `read` call of the operating system takes less than 2 GiB. */
const MAX_BYTES_PER_READ = 1 << 30;

/** A regular file that is open for reading. */
export interface OpenFile {
  /** Bytes in the file now. */
  readonly size: number;
  /**
   * Fills `target` from the file's bytes at `position` on.
   * @returns how many bytes there were: less than `target` holds only at the end of the file.
   */
  readAt(target: Uint8Array, position: number): number;
}

/**
 * Opens a file for as long as `use` runs.
 * @throws ExpectedError if the file is missing, a folder, or may not be read.
 */
export function withFile<Result>(path: string, use: (file: OpenFile) => Result): Result {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new ExpectedError(`${path} is not a file; name the file itself`);
    return use({ size: stat.size, readAt: (target, position) => readAt(path, descriptor, target, position) });
  } finally {
    closeSync(descriptor);
  }
}

function readAt(path: string, descriptor: number, target: Uint8Array, position: number): number {
  let done = 0;
  while (done < target.length) {
    const wanted = Math.min(target.length - done, MAX_BYTES_PER_READ);
    let read: number;
    try {
      read = readSync(descriptor, target, done, wanted, position + done);
    } catch (error) {
      throw unreadable(path, error);
    }
    if (read === 0) break;
    done += read;
  }
  return done;
}

/** An error of the file system, in words. */
export function unreadable(path: string, error: unknown): ExpectedError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  const message =
    code === "ENOENT" || code === "ENOTDIR"
      ? `${path}: no such file; correct its path in the config file`
      : code === "EACCES" || code === "EPERM"
        ? `${path} may not be read (permission denied); change its permissions`
        : `${path} cannot be read: ${reason}`;
  return new ExpectedError(message, { cause: error });
}
