import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { ExpectedError } from "./errors";
import { existsAlready, giveName } from "./giveName";
import { isRunning } from "./runningProcess";
import { unwritable } from "./unwritable";

/** Temporary files and folders of this process, to be removed when it is interrupted. */
const unfinished = new Set<string>();

/** `.report.json.4711.ranklens-tmp`: the process that writes it is in the name, so that leftovers are recognised. */
const TEMPORARY = /^\.(.+)\.(\d+)\.ranklens-tmp$/;

/** Refuses a target that exists or cannot be written, before any long work is done for it. */
export function checkTarget(target: string, options: { force: boolean }): void {
  const folder = path.dirname(path.resolve(target));
  try {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw new ExpectedError(`${target} cannot be written: there is no folder ${folder}.`);
    }
    accessSync(folder, constants.W_OK);
    if (statSync(path.resolve(target), { throwIfNoEntry: false })?.isDirectory()) {
      throw new ExpectedError(`${target} is a folder. Name the file to write in it.`);
    }
  } catch (error) {
    throw unwritable(target, error);
  }
  if (!options.force && existsSync(target)) throw existsAlready(target);
}

/** A file that a run reads. */
export interface RunInput {
  /** What messages call it: "the config". */
  readonly what: string;
  readonly path: string;
}

/**
 * Refuses a target that is one of the files which the run reads, under whatever name and even with --force.
 * @param inputs looked at only where the target exists.
 */
export function checkNotInput(target: string, inputs: Iterable<RunInput>): void {
  const own = identity(target);
  if (own === null) return;
  for (const { what, path: input } of inputs) {
    if (identity(input) !== own) continue;
    throw new ExpectedError(
      `${target} is ${what}, an input of this run: it is never overwritten, not even with --force. Choose another name.`,
    );
  }
}

/** What tells one file from another, whatever the name; null where there is none, or none that can be looked at. */
function identity(file: string): string | null {
  try {
    const { dev, ino } = statSync(file, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return null;
  }
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

/** A file to be written. */
interface NewFile {
  readonly path: string;
  readonly chunks: Iterable<Uint8Array>;
}

/**
 * Writes `chunks` into a temporary file beside `target`, synced. npm's write-file-atomic takes the whole content in
 * memory, which a model of gigabytes should not need, and has no place for a check before the renaming.
 * @throws ExpectedError if the target exists (without `force`) or the folder cannot be written to; nothing is left then.
 */
export function stageFile(target: string, chunks: Iterable<Uint8Array>, options: { force: boolean }): StagedFile {
  checkTarget(target, options);
  const { temporary, attempt, discard } = beginStaging(target);
  attempt(() => writeSynced(temporary, chunks));
  const commit = (): void =>
    attempt(() => {
      checkTarget(target, options);
      giveName(temporary, target, options);
      unfinished.delete(temporary);
    });
  return { temporary, commit, discard };
}

/**
 * As {@link stageFile}, for a file that refers to another one beside it by name. Both are written into a temporary
 * folder, under their own names, so that the first can be checked as it is. Two files cannot get their names in one
 * step: whatever stood under them is taken away first, so that no old file ever stands beside a new one.
 */
export function stageWithCompanion(file: NewFile, companion: NewFile, options: { force: boolean }): StagedFile {
  // The companion first, in every step: a file without its companion would be of no use.
  const files = [companion, file];
  for (const { path: target } of files) checkTarget(target, options);
  const { temporary: folder, attempt, discard } = beginStaging(file.path);
  const staged = (target: string): string => path.join(folder, path.basename(target));
  const replaced = (target: string): string => `${staged(target)}.replaced`;
  attempt(() => {
    mkdirSync(folder);
    for (const { path: target, chunks } of files) writeSynced(staged(target), chunks);
  });
  const commit = (): void =>
    attempt(() => {
      for (const { path: target } of files) checkTarget(target, options);
      const undo: (() => void)[] = [];
      const move = (from: string, to: string, mayReplace: { force: boolean }): void => {
        giveName(from, to, mayReplace);
        undo.unshift(() => renameSync(to, from));
      };
      try {
        if (options.force) {
          for (const { path: target } of [...files].reverse()) {
            if (existsSync(target)) move(target, replaced(target), { force: true });
          }
        }
        for (const { path: target } of files) move(staged(target), target, options);
      } catch (error) {
        for (const step of undo) step();
        throw error;
      }
      discard();
    });
  return { temporary: staged(file.path), commit, discard };
}

/** What is being written under a temporary name. */
interface Staging {
  readonly temporary: string;
  /** Runs a step of the writing; where it fails, cleans up, and says in words why. */
  readonly attempt: (step: () => void) => void;
  readonly discard: () => void;
}

/** Takes a temporary name beside `target`, for a file or a folder that is removed should this process be interrupted. */
export function beginStaging(target: string): Staging {
  const folder = path.dirname(path.resolve(target));
  const temporary = path.join(folder, `.${path.basename(target)}.${process.pid}.ranklens-tmp`);
  const discard = (): void => removeTemporary(temporary);
  const attempt = (step: () => void): void => {
    try {
      step();
    } catch (error) {
      discard();
      throw unwritable(target, error);
    }
  };
  attempt(() => {
    removeLeftovers(target);
    // A link that lies there under this name would lead what is written elsewhere.
    rmSync(temporary, { recursive: true, force: true });
    unfinished.add(temporary);
  });
  return { temporary, attempt, discard };
}

/** Never throws: what cannot be removed now is left to {@link removeLeftovers}, and hides no other failure. */
function removeTemporary(temporary: string): void {
  try {
    rmSync(temporary, { recursive: true, force: true, maxRetries: 3 });
    unfinished.delete(temporary);
  } catch {
    // Another process writes there still, or a permission was taken away.
  }
}

function writeSynced(file: string, chunks: Iterable<Uint8Array>): void {
  const descriptor = openSync(file, "wx");
  try {
    for (const chunk of chunks) writeAll(descriptor, chunk);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes `chunks` to `target` all or nothing; see {@link stageFile}. */
export function writeFileAtomically(target: string, chunks: Iterable<Uint8Array>, options: { force: boolean }): void {
  stageFile(target, chunks, options).commit();
}

/** Removes what this process had begun to write; for signal handlers. */
export function removeUnfinished(): void {
  for (const temporary of unfinished) removeTemporary(temporary);
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(descriptor, bytes, done);
}

/** A process that was killed could not clean up: removes what processes that have ended had begun for this target. */
export function removeLeftovers(target: string): void {
  removeLeftoversIn(path.dirname(path.resolve(target)), path.basename(target));
}

/** The same for all targets in a folder, or for one. */
export function removeLeftoversIn(folder: string, target: string | null = null): void {
  for (const name of readdirSync(folder)) {
    const match = TEMPORARY.exec(name);
    if (!match || (target !== null && match[1] !== target) || isRunning(Number(match[2]))) continue;
    rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}
