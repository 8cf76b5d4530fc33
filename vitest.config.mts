import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 120_000,
    // onnxruntime and the benchmarks want the cores for themselves; files run one after the other in forked processes.
    pool: "forks",
    fileParallelism: false,
  },
});
