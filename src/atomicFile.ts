import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { ExpectedError } from "./errors";

/** Temporary files of this process, to be removed when it is interrupted. */
const unfinished = new Set<string>();

/** `.report.json.4711.ranklens-tmp`: the process that writes it is in the name, so that leftovers are recognised. */
const TEMPORARY = /^\.(.+)\.(\d+)\.ranklens-tmp$/;

/** Refuses a target that exists or cannot be written, before any long work is done for it. */
export function checkTarget(target: string, options: { force: boolean }): void {
  const folder = path.dirname(path.resolve(target));
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ExpectedError(`${target} cannot be written: there is no folder ${folder}.`);
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw unwritable(target, error);
  }
  if (statSync(path.resolve(target), { throwIfNoEntry: false })?.isDirectory()) {
    throw new ExpectedError(`${target} is a folder. Name the file to write in it.`);
  }
  if (!options.force && existsSync(target)) {
    throw new ExpectedError(`${target} exists already. Choose another name, or allow overwriting with --force.`);
  }
}

/** Refuses a target that is a file which the command reads, under whatever name and even with --force. */
export function checkNotInput(target: string, what: string, input: string): void {
  const [own, other] = [target, input].map((file) => statSync(file, { throwIfNoEntry: false }));
  if (!own || !other || own.ino !== other.ino || own.dev !== other.dev) return;
  throw new ExpectedError(`${target} is ${what} itself, which is never changed. Choose another name.`);
}

/** A file that is written in full but does not stand under its name yet. */
export interface StagedFile {
  /** Where it is meanwhile, to be checked: in the target's folder. */
  readonly temporary: string;
  /** Gives it its name, in one step. */
  commit(): void;
  /** Removes it; without effect after `commit`. */
  discard(): void;
}

/**
 * Writes `chunks` into a temporary file beside `target`, synced. npm's write-file-atomic takes the whole content in
 * memory, which a model of gigabytes should not need, and has no place for a check before the renaming.
 * @throws ExpectedError if the target exists (without `force`) or the folder cannot be written to; nothing is left then.
 */
export function stageFile(target: string, chunks: Iterable<Uint8Array>, options: { force: boolean }): StagedFile {
  checkTarget(target, options);
  const folder = path.dirname(path.resolve(target));
  const temporary = path.join(folder, `.${path.basename(target)}.${process.pid}.ranklens-tmp`);
  const discard = (): void => {
    rmSync(temporary, { force: true });
    unfinished.delete(temporary);
  };
  try {
    removeLeftovers(folder, path.basename(target));
    unfinished.add(temporary);
    const descriptor = openSync(temporary, "w");
    try {
      for (const chunk of chunks) writeAll(descriptor, chunk);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    discard();
    throw unwritable(target, error);
  }
  const commit = (): void => {
    try {
      checkTarget(target, options);
      renameSync(temporary, target);
      unfinished.delete(temporary);
    } catch (error) {
      discard();
      throw unwritable(target, error);
    }
  };
  return { temporary, commit, discard };
}

/** Writes `chunks` to `target` all or nothing; see {@link stageFile}. */
export function writeFileAtomically(target: string, chunks: Iterable<Uint8Array>, options: { force: boolean }): void {
  stageFile(target, chunks, options).commit();
}

function unwritable(target: string, error: unknown): ExpectedError {
  if (error instanceof ExpectedError) return error;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const detail =
    code === "ENOSPC"
      ? "the disk is full"
      : code === "EACCES" || code === "EPERM" || code === "EROFS"
        ? "permission denied"
        : error instanceof Error
          ? error.message
          : String(error);
  return new ExpectedError(`${target} could not be written: ${detail}.`, { cause: error });
}

/** Removes what this process had begun to write; for signal handlers. */
export function removeUnfinished(): void {
  for (const file of unfinished) rmSync(file, { force: true });
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(descriptor, bytes, done);
}

/** A process that was killed could not clean up: what it began for this target goes with the next writing. */
function removeLeftovers(folder: string, target: string): void {
  for (const name of readdirSync(folder)) {
    const match = TEMPORARY.exec(name);
    if (match?.[1] === target && !isRunning(Number(match[2]))) rmSync(path.join(folder, name), { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
