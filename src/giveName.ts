import { closeSync, linkSync, openSync, renameSync, rmSync, unlinkSync } from "node:fs";
import { ExpectedError, systemCode } from "./errors";

/**
 * Moves a file to its name in the same folder, in one step. Without `force` no file that has appeared there meanwhile is
 * ever replaced: a hard link is made only where there is nothing of that name.
 * @throws ExpectedError if the name is taken (without `force`); the file system's error otherwise. `from` stays then.
 */
export function giveName(from: string, to: string, { force }: { force: boolean }): void {
  if (force) {
    renameSync(from, to);
    return;
  }
  try {
    linkSync(from, to);
  } catch (error) {
    if (systemCode(error) === "EEXIST") throw existsAlready(to);
    moveWithoutLinks(from, to);
    return;
  }
  unlinkSync(from);
}

/** For file systems without hard links (FAT, some network shares): an empty file holds the name for a moment. */
function moveWithoutLinks(from: string, to: string): void {
  try {
    closeSync(openSync(to, "wx"));
  } catch (error) {
    throw systemCode(error) === "EEXIST" ? existsAlready(to) : error;
  }
  try {
    renameSync(from, to);
  } catch (error) {
    rmSync(to, { force: true });
    throw error;
  }
}

export function existsAlready(target: string): ExpectedError {
  return new ExpectedError(`${target} exists already. Choose another name, or allow overwriting with --force.`);
}
