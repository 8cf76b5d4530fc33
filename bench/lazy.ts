// How long `ranklens inspect` takes on models of a gigabyte, and how much memory: it should read their structure only.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import * as z from "zod";
import { table } from "../src/cli/format";
import { writeHole, writeSparseModel } from "../test/fixtures/modelSparse";

export interface LazyRow {
  readonly what: string;
  /** Of the model with its data, in MiB. */
  readonly size: number;
  readonly seconds: number;
  /** Peak resident set of the whole process, in MiB. */
  readonly peakMemory: number;
  /** What it read from files, Node's own among them; null where the system does not tell. In MiB. */
  readonly read: number | null;
}

const LAYERS = 64;
const SIZE = 2048;
const TARGET = { seconds: 1, peakMemory: 200 };
const MIB = 2 ** 20;
const RUNS = 5;

/** Loaded into the child: says at its end what it used. */
const METER = `process.on("exit", () => {
  const fs = require("node:fs");
  let read = null;
  try { read = Number(/rchar: (\\d+)/.exec(fs.readFileSync("/proc/self/io", "utf8"))[1]); } catch {}
  fs.writeFileSync(process.env.RANKLENS_METER, JSON.stringify({ kibibytes: process.resourceUsage().maxRSS, read }));
});`;

const measured = z.object({ kibibytes: z.number(), read: z.number().nullable() });

export function benchLazy(): LazyRow[] {
  if (spawnSync(process.execPath, ["esbuild.mjs"], { stdio: "ignore" }).status !== 0) throw new Error("no build");
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-bench-lazy-"));
  try {
    const inline = writeSparseModel(path.join(folder, "inline.onnx"), LAYERS, SIZE);
    const external = writeSparseModel(path.join(folder, "external.onnx"), LAYERS, SIZE, "weights.bin");
    writeHole(path.join(folder, "weights.bin"), external.weightBytes);
    const small = writeSparseModel(path.join(folder, "small.onnx"), 1, 16);
    const rows = [
      inspected("weights in the model", inline.path, statSync(inline.path).size, folder),
      inspected("external weights", external.path, statSync(external.path).size + external.weightBytes, folder),
      inspected("for comparison: one small layer", small.path, statSync(small.path).size, folder),
    ];
    const right = { align: "right" } as const;
    console.log(
      table(
        [
          { title: `ranklens inspect, ${LAYERS} layers of ${SIZE}×${SIZE}; median of ${RUNS}` },
          { title: "MiB", ...right },
          { title: "seconds", ...right },
          { title: "peak MiB", ...right },
          { title: "read MiB", ...right },
        ],
        rows.map((row) => [
          row.what,
          row.size.toFixed(0),
          row.seconds.toFixed(2),
          row.peakMemory.toFixed(0),
          row.read === null ? "–" : row.read.toFixed(1),
        ]),
      ),
    );
    const met = rows.every((row) => row.seconds < TARGET.seconds && row.peakMemory < TARGET.peakMemory);
    console.log(`target (${TARGET.seconds} s, ${TARGET.peakMemory} MiB): ${met ? "met" : "NOT met"}`);
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The run of median time; memory is the most of all runs. */
function inspected(what: string, model: string, bytes: number, folder: string): LazyRow {
  const meter = path.join(folder, "meter.cjs");
  const result = path.join(folder, "meter.json");
  writeFileSync(meter, METER);
  const runs = Array.from({ length: RUNS }, () => {
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, ["--require", meter, "dist/cli.js", "inspect", model], {
      encoding: "utf8",
      env: { ...process.env, RANKLENS_METER: result },
    });
    const seconds = (performance.now() - started) / 1000;
    if (status !== 0) throw new Error(`inspect failed: ${stderr}`);
    return { seconds, ...measured.parse(JSON.parse(readFileSync(result, "utf8"))) };
  });
  const [median] = [...runs].sort((a, b) => a.seconds - b.seconds).slice(Math.floor(RUNS / 2));
  return {
    what,
    size: bytes / MIB,
    seconds: median.seconds,
    peakMemory: Math.max(...runs.map(({ kibibytes }) => kibibytes)) / 1024,
    read: median.read === null ? null : median.read / MIB,
  };
}
