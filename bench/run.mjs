// `npm run bench [-- eigen|analysis …] [--large]`: builds the benchmarks and runs them.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

process.chdir(path.resolve(path.dirname(fileURLToPath(import.meta.url)), ".."));
const { status } = spawnSync(process.execPath, ["esbuild.mjs"], { stdio: "inherit" });
if (status !== 0) process.exit(1);
mkdirSync("bench/results", { recursive: true });
await build({
  // Analyses look for their threads' entry beside the bundle that they are in.
  entryPoints: { main: "bench/main.ts", shard: "src/lowrank/shardMain.ts" },
  outdir: "bench/results",
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["onnxruntime-node", "sharp", "prettier"],
  mainFields: ["module", "main"],
  logLevel: "warning",
});
process.exit(
  spawnSync(process.execPath, ["bench/results/main.js", ...process.argv.slice(2)], { stdio: "inherit" }).status ?? 1,
);
