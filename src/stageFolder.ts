import { existsSync, mkdirSync, renameSync } from "node:fs";
import path from "node:path";
import { beginStaging, type StagedFile } from "./atomicFile";
import { writing } from "./unwritable";

/**
 * A folder that is filled under another name, `temporary`; `commit` puts it in the place of what stands there, which stays
 * where that fails.
 * @throws ExpectedError if its parent cannot be written to.
 */
export function stageFolder(target: string): StagedFile {
  writing(target, () => mkdirSync(path.dirname(path.resolve(target)), { recursive: true }));
  const { temporary: folder, attempt, discard } = beginStaging(target);
  // Beside the new folder, so that one removal is rid of both.
  const temporary = path.join(folder, "new");
  const replaced = path.join(folder, "replaced");
  attempt(() => mkdirSync(temporary, { recursive: true }));
  const commit = (): void =>
    attempt(() => {
      const replaces = existsSync(target);
      if (replaces) renameSync(target, replaced);
      try {
        renameSync(temporary, target);
      } catch (error) {
        if (replaces) renameSync(replaced, target);
        throw error;
      }
      discard();
    });
  return { temporary, commit, discard };
}
