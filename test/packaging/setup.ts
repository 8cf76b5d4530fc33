import { execFileSync } from "node:child_process";
import path from "node:path";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** When this run built dist/ and dist-test/, in milliseconds since 1970. */
    builtAt: number;
  }
}

/** Builds what the tests of the extension take as a whole: dist/ and dist-test/. Once for all of their files. */
export default function setup(project: TestProject): void {
  const cwd = path.resolve(import.meta.dirname, "..", "..");
  for (const args of [[], ["--tests"]]) {
    execFileSync(process.execPath, ["esbuild.mjs", ...args], { cwd, stdio: "inherit" });
  }
  project.provide("builtAt", Date.now());
}
