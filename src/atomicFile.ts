import { closeSync, existsSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { ExpectedError } from "./errors";

/** Temporary files of this process, to be removed when it is interrupted. */
const unfinished = new Set<string>();

/** `.report.json.4711.ranklens-tmp`: the process that writes it is in the name, so that leftovers are recognised. */
const TEMPORARY = /^\.(.+)\.(\d+)\.ranklens-tmp$/;

/** Refuses a target that exists or cannot be written, before any long work is done for it. */
export function checkTarget(target: string, options: { force: boolean }): void {
  const folder = path.dirname(path.resolve(target));
  if (!existsSync(folder)) throw new ExpectedError(`${target} cannot be written: the folder ${folder} does not exist.`);
  if (!options.force && existsSync(target)) {
    throw new ExpectedError(`${target} exists already. Choose another name, or allow overwriting with --force.`);
  }
}

/**
 * Writes `chunks` to `target` all or nothing: into a temporary file beside it, synced, then renamed.
 * npm's write-file-atomic takes the whole content in memory, which a model of gigabytes should not need.
 * @throws ExpectedError if the target exists (without `force`) or the folder cannot be written to.
 */
export function writeFileAtomically(target: string, chunks: Iterable<Uint8Array>, options: { force: boolean }): void {
  checkTarget(target, options);
  const folder = path.dirname(path.resolve(target));
  removeLeftovers(folder, path.basename(target));
  const temporary = path.join(folder, `.${path.basename(target)}.${process.pid}.ranklens-tmp`);
  try {
    unfinished.add(temporary);
    const descriptor = openSync(temporary, "w");
    try {
      for (const chunk of chunks) writeAll(descriptor, chunk);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof ExpectedError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new ExpectedError(`${target} could not be written: ${detail}`, { cause: error });
  } finally {
    unfinished.delete(temporary);
  }
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
