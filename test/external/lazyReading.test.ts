import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { inspect } from "../../src/inspect";
import { cliPath } from "../cli/lab";
import { writeHole, writeSparseModel } from "../fixtures/modelSparse";

const MIB = 2 ** 20;
const LAYERS = 16;
const SIZE = 2048;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ranklens-lazy-"));
  const { weightBytes } = writeSparseModel(path.join(folder, "inline.onnx"), LAYERS, SIZE);
  writeSparseModel(path.join(folder, "external.onnx"), LAYERS, SIZE, "weights.bin");
  writeHole(path.join(folder, "weights.bin"), weightBytes);
  writeSparseModel(path.join(folder, "small.onnx"), 1, 2);
  expect(weightBytes).toBe(256 * MIB);
  expect(statSync(path.join(folder, "inline.onnx")).size).toBeGreaterThan(weightBytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What a process that inspects a model uses at most, in MiB, and reads in all, in bytes (Linux only). */
function used(model: string): { peak: number; read: number } {
  const meter = path.join(folder, "meter.cjs");
  writeFileSync(
    meter,
    `process.on("exit", () => {
      let io = "rchar: 0";
      try { io = require("node:fs").readFileSync("/proc/self/io", "utf8"); } catch {}
      process.stderr.write(process.resourceUsage().maxRSS + " " + /rchar: (\\d+)/.exec(io)[1]);
    });`,
  );
  const args = ["--require", meter, cliPath(), "inspect", path.join(folder, model)];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(status).toBe(0);
  const [kibibytes, read] = stderr.split(" ").map(Number);
  return { peak: kibibytes / 1024, read };
}

it.each(["inline.onnx", "external.onnx"])("a model of 256 MiB is inspected without its weights: %s", (model) => {
  const found = inspect(path.join(folder, model));
  expect(found.layers).toHaveLength(LAYERS);
  expect(found.model.parameters).toBe(LAYERS * SIZE ** 2);
  const [large, small] = [used(model), used("small.onnx")];
  expect(large.peak).toBeLessThan(200);
  expect(large.peak - small.peak).toBeLessThan(40);
  // Read-ahead for each layer, and what the process itself reads either way.
  expect(large.read - small.read).toBeLessThan(2 * MIB);
});
