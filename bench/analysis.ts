// The whole analysis of ResNet-20 beside the PyTorch script of the reference data, in one run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import * as z from "zod";
import { analyze } from "../src/analyze";
import { table } from "../src/cli/format";
import { cifarConfig, missingReference, referenceFolder } from "../test/reference/data";

export interface AnalysisRow {
  readonly what: string;
  readonly seconds: number;
  readonly gramSeconds: number;
  readonly forwardEquivalents: number;
  readonly evaluations: number;
  readonly mlu: number;
  /** MiB; null where it was not measured. */
  readonly peakMemory: number | null;
}

const TOLERANCE = 0.5;

export async function benchAnalysis(): Promise<AnalysisRow[]> {
  const missing = missingReference();
  if (missing !== undefined) {
    console.log(`SKIPPED: ${missing}`);
    return [];
  }
  const rows = [await ours()];
  const theirs = pytorch();
  if (theirs) rows.push(theirs);
  const right = { align: "right" } as const;
  console.log(
    table(
      [
        { title: "ResNet-20, 2,000 + 2,000 images, 0.5 points" },
        { title: "seconds", ...right },
        { title: "Gram s", ...right },
        { title: "forward equivalents", ...right },
        { title: "evaluations", ...right },
        { title: "MLU", ...right },
        { title: "peak MiB", ...right },
      ],
      rows.map((row) => [
        row.what,
        row.seconds.toFixed(1),
        row.gramSeconds.toFixed(1),
        row.forwardEquivalents.toFixed(0),
        String(row.evaluations),
        row.mlu.toFixed(4),
        row.peakMemory === null ? "–" : row.peakMemory.toFixed(0),
      ]),
    ),
  );
  if (theirs) console.log(`wall time, ours over PyTorch's: ${(rows[0].seconds / theirs.seconds).toFixed(2)}`);
  return rows;
}

async function ours(): Promise<AnalysisRow> {
  const model = path.join(referenceFolder, "models", "resnet20.onnx");
  const { cost, totals } = await analyze(model, { config: cifarConfig(), tolerance: TOLERANCE });
  return {
    what: "RankLens",
    seconds: cost.seconds,
    gramSeconds: cost.stages["calibration"],
    forwardEquivalents: cost.forwardEquivalents,
    evaluations: cost.evaluations,
    mlu: totals.mlu ?? NaN,
    peakMemory: process.resourceUsage().maxRSS / 1024,
  };
}

const pytorchTotals = z.object({
  totals: z.object({
    wall_s: z.number(),
    gram_s: z.number(),
    forward_equiv: z.number(),
    evals: z.number(),
    mlu: z.number(),
  }),
});

function pytorch(): AnalysisRow | undefined {
  const python = process.env["PYTHON"] ?? "/usr/bin/python3";
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-bench-"));
  try {
    const script = path.join(referenceFolder, "pytorch", "utilized_rank.py");
    const flags = ["--eps", String(TOLERANCE), "--folded", "--gram32", "--early-exit", "--out", folder];
    const { status, stderr } = spawnSync(python, [script, "resnet20", ...flags], { encoding: "utf8" });
    if (status !== 0) {
      console.log(`SKIPPED the PyTorch script: ${stderr.trim().split("\n").pop() ?? "it did not run"}`);
      return undefined;
    }
    const [file] = readdirSync(folder).filter((name) => name.endsWith(".json"));
    const { totals } = pytorchTotals.parse(JSON.parse(readFileSync(path.join(folder, file), "utf8")));
    return {
      what: "PyTorch script",
      seconds: totals.wall_s,
      gramSeconds: totals.gram_s,
      forwardEquivalents: totals.forward_equiv,
      evaluations: totals.evals,
      mlu: totals.mlu,
      peakMemory: null,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
