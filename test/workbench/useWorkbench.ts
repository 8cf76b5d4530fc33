import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { hostTarget, packagedVsix, root } from "../packaging/vsix";
import { Workbench } from "./driver";
import type { WorkbenchPrograms } from "./provision";

/** Packaging, and the start of a server. */
const START_MS = 120_000;

/** What the tests of a file share. */
export interface Opened {
  readonly workbench: Workbench;
  /** The open folder: a copy of examples/shapes. */
  readonly folder: string;
}

/**
 * Gives the tests of one `describe` a workbench with the packaged extension, on a copy of the bundled example. A test that fails
 * leaves a screenshot.
 */
export function useWorkbench(programs: WorkbenchPrograms | null): Opened {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-e2e-"));
  let workbench: Workbench | null = null;

  beforeAll(async () => {
    cpSync(path.join(root, "examples", "shapes"), folder, { recursive: true });
    workbench = await Workbench.start(programs!, packagedVsix(hostTarget), folder);
  }, START_MS);

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") await workbench?.screenshot(`failed ${task.name}`.replace(/\W+/g, "-"));
  });

  afterAll(async () => {
    await workbench?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    folder,
    get workbench() {
      return workbench!;
    },
  };
}
