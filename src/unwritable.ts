import { ExpectedError, systemCode } from "./errors";

/** The file system does not take what is to be written, or keeps what is to be removed: a full disk, a missing permission. */
export class UnwritableError extends ExpectedError {}

/** Says in one line why something could not be written or removed; an {@link ExpectedError} says so itself. */
export function unwritable(target: string, error: unknown, done: "written" | "removed" = "written"): ExpectedError {
  if (error instanceof ExpectedError) return error;
  const code = systemCode(error);
  const detail =
    code === "ENOSPC" || code === "EDQUOT"
      ? "the disk is full"
      : code === "EACCES" || code === "EPERM" || code === "EROFS"
        ? "permission denied"
        : error instanceof Error
          ? error.message
          : String(error);
  return new UnwritableError(`${target} could not be ${done}: ${detail}.`, { cause: error });
}

/** Runs a step of writing or removing `target`. @throws ExpectedError where it fails */
export function writing(target: string, step: () => void, done?: "written" | "removed"): void {
  try {
    step();
  } catch (error) {
    throw unwritable(target, error, done);
  }
}
