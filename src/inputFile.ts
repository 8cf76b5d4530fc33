import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { ExpectedError, systemCode } from "./errors";

/** One `read` call of the operating system takes less than 2 GiB. */
const MAX_BYTES_PER_READ = 1 << 30;

/** A regular file that is open for reading. */
export interface InputFile {
  /** Bytes in the file when it was opened. */
  readonly size: number;
  /**
   * Fills `target` from the file's bytes at `position` on.
   * @returns how many bytes there were: less than `target` holds only at the end of the file.
   */
  readAt(target: Uint8Array, position: number): number;
  close(): void;
}

/**
 * Opens a file that the user named. Every file is opened here, so that a missing one reads the same everywhere.
 * @param advice what to do where the file is missing.
 * @throws ExpectedError if the file is missing, no regular file, or may not be read.
 */
export function openInputFile(path: string, advice = "check the path"): InputFile {
  let descriptor: number;
  try {
    // Opening a named pipe would wait for its other end, and no signal could be handled meanwhile.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw unreadable(path, error, advice);
  }
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) {
    closeSync(descriptor);
    throw new ExpectedError(`${path} is not a file; name the file itself`);
  }
  return {
    size: stat.size,
    readAt: (target, position) => readAt(path, descriptor, target, position),
    close: () => closeSync(descriptor),
  };
}

/** Opens a file for as long as `use` runs; see {@link openInputFile}. */
export function withInputFile<Result>(path: string, use: (file: InputFile) => Result, advice?: string): Result {
  const file = openInputFile(path, advice);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

/**
 * The text of a file of at most `limit` bytes, UTF-8, without a byte order mark.
 * @param what what the file should be, for the message about one that is too long.
 */
export function readTextFile(path: string, what: string, limit: number, advice?: string): string {
  return withInputFile(
    path,
    (file) => {
      if (file.size > limit) {
        throw new ExpectedError(`${path} has ${file.size} bytes, and ${what} at most ${limit}; is it the right file?`);
      }
      const bytes = new Uint8Array(file.size);
      const length = file.readAt(bytes, 0);
      return Buffer.from(bytes.buffer, 0, length)
        .toString("utf8")
        .replace(/^\uFEFF/, "");
    },
    advice,
  );
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
export function unreadable(path: string, error: unknown, advice = "check the path"): ExpectedError {
  const code = systemCode(error);
  const reason = error instanceof Error ? error.message : String(error);
  const message =
    code === "ENOENT" || code === "ENOTDIR"
      ? `${path}: no such file; ${advice}`
      : code === "EACCES" || code === "EPERM"
        ? `${path} may not be read (permission denied); change its permissions`
        : `${path} cannot be read: ${reason}`;
  return new ExpectedError(message, { cause: error });
}
