// What a preview promises beside what the full run takes, each in a process of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { table } from "../src/cli/format";
import { byteSize } from "../src/text/numbers";
import { modelReportSchema, type ModelReport } from "../src/report";
import { cifarConfig, missingReference, referenceFolder } from "../test/reference/data";

export interface PreviewRow {
  readonly model: string;
  readonly previewSeconds: number;
  readonly promised: { readonly seconds: number; readonly memory: number };
  readonly taken: { readonly seconds: number; readonly memory: number };
  readonly mlu: { readonly preview: number | null; readonly full: number | null };
}

export function benchPreview(): PreviewRow[] {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-bench-"));
  const rows: PreviewRow[] = [];
  try {
    rows.push(row("the example", folder, path.resolve("examples/shapes/model.onnx")));
    const missing = missingReference();
    if (missing === undefined) {
      const config = path.join(folder, "config.json");
      writeFileSync(config, JSON.stringify({ ...cifarConfig(), tolerance: 0.5 }));
      rows.push(row("ResNet-20", folder, path.join(referenceFolder, "models", "resnet20.onnx"), config));
    } else {
      console.log(`SKIPPED ResNet-20: ${missing}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  const right = { align: "right" } as const;
  const titles = [
    "preview s",
    "full run promised s",
    "taken s",
    "promised memory",
    "taken",
    "MLU in preview",
    "in full",
  ];
  console.log(
    table(
      [{ title: "model" }, ...titles.map((title) => ({ title, ...right }))],
      rows.map(({ model, previewSeconds, promised, taken, mlu }) => [
        model,
        previewSeconds.toFixed(1),
        promised.seconds.toFixed(1),
        taken.seconds.toFixed(1),
        byteSize(promised.memory),
        byteSize(taken.memory),
        mlu.preview?.toFixed(3) ?? "–",
        mlu.full?.toFixed(3) ?? "–",
      ]),
    ),
  );
  return rows;
}

function row(name: string, folder: string, model: string, config?: string): PreviewRow {
  const run = (...flags: string[]): ModelReport => {
    const file = path.join(folder, `${name}${flags.join("")}.json`);
    const own = config === undefined ? [] : ["--config", config];
    const result = spawnSync(
      process.execPath,
      [path.resolve("dist/cli.js"), "analyze", model, "--no-cache", ...own, ...flags, "--report", file],
      { encoding: "utf8" },
    );
    if (result.status !== 0) throw new Error(result.stderr);
    return modelReportSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  };
  const preview = run("--preview");
  const full = run();
  const promised = preview.preview!.fullRun;
  return {
    model: name,
    previewSeconds: preview.cost.seconds,
    promised,
    taken: { seconds: full.cost.seconds, memory: full.cost.memory.peak },
    mlu: { preview: preview.totals.mlu, full: full.totals.mlu },
  };
}
