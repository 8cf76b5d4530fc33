import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "vitest";
import { runInExtensionHost } from "./extensionHost";
import { provisionWorkbench } from "./provision";
import type { TestResults } from "./results";

const LIMIT_MS = 400_000;

const example = path.resolve(import.meta.dirname, "..", "..", "examples", "shapes");
const programs = await provisionWorkbench();
const results: TestResults = [];
if (programs !== null) {
  const workspace = mkdtempSync(path.join(tmpdir(), "ranklens-workspace-"));
  try {
    cpSync(example, workspace, { recursive: true });
    results.push(...(await runInExtensionHost(programs, workspace, LIMIT_MS)));
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

// What ran inside the extension host is told again here, test by test. (A failure to run at all fails this file.)
describe("inside an extension host", () => {
  for (const { title, state, error } of results) {
    it.skipIf(state === "pending")(title.join(" › "), () => {
      if (state === "failed") throw new Error(error ?? "failed without a message");
    });
  }
  if (programs === null) it.skip("the suites of test/workbench/suites");
});
