// The whole analysis of ResNet-20 beside the PyTorch script of the reference data, in one run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import * as z from "zod";
import { analyze } from "../src/analyze";
import { table } from "../src/cli/format";
import type { ModelReport } from "../src/report";
import type { SearchKind } from "../src/searchKind";
import { compareReports, readReference, type Reference } from "../test/reference/compare";
import { cifarConfig, missingReference, referenceFolder } from "../test/reference/data";
import { PEAK_TITLE, peakText, withPeak } from "./peakMemory";

export interface AnalysisRow {
  readonly what: string;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly gramSeconds: number;
  /** Without the accuracy of the whole network at the end, which the script leaves out of its count and its time. */
  readonly forwardEquivalents: number;
  readonly evaluations: number;
  readonly mlu: number;
  /** Of the process, in MiB. */
  readonly peakMemory: number | null;
  /** Layers whose k_S and k_T are those of the exact search. */
  readonly sameRanks: string;
}

const TOLERANCE = 0.5;

/** RankLens's two searches and the PyTorch script, one after the other. */
export async function benchAnalysis(): Promise<AnalysisRow[]> {
  const missing = missingReference();
  if (missing !== undefined) {
    console.log(`SKIPPED: ${missing}`);
    return [];
  }
  const exact = await ours("exact");
  const fast = await ours("fast");
  const theirs = pytorch();
  const { layers } = exact.report;
  const same = (found: ModelReport): string =>
    `${found.layers.filter(({ kS, kT }, i) => kS === layers[i].kS && kT === layers[i].kT).length} of ${layers.length}`;
  const rows = [
    { ...exact.row, sameRanks: "–" },
    { ...fast.row, sameRanks: same(fast.report) },
  ];
  if (theirs) {
    const { disagreements, sameRanks } = compareReports(exact.report, theirs.reference);
    const verdicts = disagreements.length === 0 ? "same verdicts" : `${disagreements.length} verdicts differ`;
    rows.push({ ...theirs.row, sameRanks: `${sameRanks} of ${layers.length}, ${verdicts}` });
    disagreements.forEach((line) => console.log(line));
  }
  printRows(rows);
  if (theirs) for (const { row } of [exact, fast]) console.log(ratios(row, theirs.row, exact.row));
  return rows;
}

function printRows(rows: readonly AnalysisRow[]): void {
  const right = { align: "right" } as const;
  const columns = [
    { title: "ResNet-20, 2,000 + 2,000 images, 0.5 points" },
    ...["seconds", "CPU s", "Gram s", "forward equivalents", "evaluations", "MLU", PEAK_TITLE].map((title) => ({
      title,
      ...right,
    })),
    { title: "ranks of exact" },
  ];
  const cells = rows.map((row) => [
    row.what,
    row.seconds.toFixed(1),
    row.cpuSeconds.toFixed(1),
    row.gramSeconds.toFixed(1),
    row.forwardEquivalents.toFixed(0),
    String(row.evaluations),
    row.mlu.toFixed(4),
    peakText(row.peakMemory),
    row.sameRanks,
  ]);
  console.log(table(columns, cells));
}

function ratios(row: Row, theirs: Row, exact: Row): string {
  const over = (own: number, other: number): string => (own / other).toFixed(3);
  return (
    `${row.what} over the script: wall ${over(row.seconds, theirs.seconds)}, CPU ${over(row.cpuSeconds, theirs.cpuSeconds)}, ` +
    `forward equivalents ${over(row.forwardEquivalents, theirs.forwardEquivalents)} (1/${(theirs.forwardEquivalents / row.forwardEquivalents).toFixed(1)}); ` +
    `MLU ${(row.mlu - exact.mlu).toFixed(4)} from exact`
  );
}

type Row = Omit<AnalysisRow, "sameRanks">;

async function ours(search: SearchKind): Promise<{ row: Row; report: ModelReport }> {
  const model = path.join(referenceFolder, "models", "resnet20.onnx");
  const before = process.cpuUsage();
  const { result: report, peakMemory } = await withPeak(() =>
    analyze(model, { config: cifarConfig(), tolerance: TOLERANCE, search }),
  );
  const { user, system } = process.cpuUsage(before);
  const { cost, totals, accuracy } = report;
  const row = {
    what: `RankLens, ${search}`,
    seconds: cost.seconds,
    cpuSeconds: (user + system) / 1e6,
    gramSeconds: cost.stages["calibration"],
    // Projected and decomposed.
    forwardEquivalents: cost.forwardEquivalents - 2 * (accuracy.samples ?? 0),
    evaluations: cost.evaluations,
    mlu: totals.mlu ?? NaN,
    peakMemory,
  };
  return { row, report };
}

const pytorchTotals = z.object({
  totals: z.object({
    wall_s: z.number(),
    cpu_s: z.number(),
    gram_s: z.number(),
    forward_equiv: z.number(),
    evals: z.number(),
    mlu: z.number(),
  }),
});

/** Runs the script that its first argument names, and prints the process's peak in KiB as the last line. */
const METERED = `
import os, resource, runpy, sys
sys.argv = sys.argv[1:]
sys.path.insert(0, os.path.dirname(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
`;

function pytorch(): { row: Row; reference: Reference } | undefined {
  const python = process.env["PYTHON"] ?? "/usr/bin/python3";
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-bench-"));
  try {
    const script = path.join(referenceFolder, "pytorch", "utilized_rank.py");
    const flags = ["--eps", String(TOLERANCE), "--folded", "--gram32", "--early-exit", "--out", folder];
    const { status, stdout, stderr } = spawnSync(python, ["-c", METERED, script, "resnet20", ...flags], {
      encoding: "utf8",
    });
    if (status !== 0) {
      console.log(`SKIPPED the PyTorch script: ${stderr.trim().split("\n").pop() ?? "it did not run"}`);
      return undefined;
    }
    const [name] = readdirSync(folder).filter((name) => name.endsWith(".json"));
    const file = path.join(folder, name);
    const { totals } = pytorchTotals.parse(JSON.parse(readFileSync(file, "utf8")));
    const row = {
      what: "PyTorch script",
      seconds: totals.wall_s,
      cpuSeconds: totals.cpu_s,
      gramSeconds: totals.gram_s,
      forwardEquivalents: totals.forward_equiv,
      evaluations: totals.evals,
      mlu: totals.mlu,
      peakMemory: Number(stdout.trim().split("\n").pop()) / 1024,
    };
    return { row, reference: readReference(file) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
