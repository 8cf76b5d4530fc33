import { defineConfig } from "vitest/config";

/** Tests of the extension as it is installed; they build it first. */
const extension = ["test/packaging/**/*.test.ts", "test/workbench/**/*.test.ts"];

export default defineConfig({
  test: {
    testTimeout: 120_000,
    // Hooks analyse models and start browsers, which takes long on a busy machine.
    hookTimeout: 120_000,
    // onnxruntime and the benchmarks want the cores for themselves; files run one after the other in forked processes.
    pool: "forks",
    fileParallelism: false,
    // Nothing of one test is kept for another, or in the user's folder.
    env: { RANKLENS_CACHE: "" },
    projects: [
      { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], exclude: extension } },
      { extends: true, test: { name: "extension", include: extension, globalSetup: "test/packaging/setup.ts" } },
    ],
  },
});
