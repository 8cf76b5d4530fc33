// Writes every figure of the README, and of bench/README.md's comparisons, from real runs.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { analyze } from "../src/analyze";
import { percent } from "../src/text/numbers";
import { compressionText, reportText } from "../src/cli/reportText";
import { compress } from "../src/compress";
import type { LayerReport, ModelReport } from "../src/report";
import { writeReport } from "../src/reportFile";
import { benchCompare, comparisonMarkdown, comparisonSentence } from "./compare";
import { correlationSentence, dataFreeMarkdown } from "./dataFree";
import { writeJpegFolders } from "./jpegFolders";
import { writeBlocks } from "./markedBlock";
import { bundledExample } from "./models";

/** Small: the bundled example alone; what was measured with the reference data stays as it was, as it does without that data. */
export async function writeReadme(small: boolean): Promise<void> {
  const { text, report } = await exampleRun();
  const [example, ...others] = await benchCompare(small);
  const blocks: Record<string, string> = {
    init: `\`\`\`text\n${await initText()}\n\`\`\``,
    example: `\`\`\`text\n${text}\n\`\`\``,
    row: rowAloud(report),
    compare: comparisonMarkdown(example.rows),
    dataFree: dataFreeMarkdown(example.dataFree),
  };
  if (others.length > 0) {
    blocks["compareReference"] = others.map(({ rows }) => `- ${comparisonSentence(rows)}`).join("\n");
    blocks["dataFreeReference"] = correlationSentence(others[0].dataFree);
  }
  await writeBlocks("README.md", blocks);
  const benchBlocks = {
    compareReference: others.map(({ rows }) => comparisonMarkdown(rows)).join("\n\n"),
    dataFreeReference: others.map(({ dataFree }) => dataFreeMarkdown(dataFree)).join("\n\n"),
  };
  if (others.length > 0) await writeBlocks(path.join("bench", "README.md"), benchBlocks);
  console.log(`written: the marked blocks of README.md${others.length > 0 ? " and bench/README.md" : ""}`);
}

/** What `ranklens init` says of the bundled example with its images as JPEGs. */
async function initText(): Promise<string> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-readme-"));
  try {
    await writeJpegFolders(folder);
    copyFileSync(bundledExample().path, path.join(folder, "model.onnx"));
    const command = [path.resolve("dist", "cli.js"), "init", "model.onnx", "train/", "val/"];
    return execFileSync(process.execPath, command, { cwd: folder, encoding: "utf8" }).trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What the command line says of the bundled example, and its report. */
async function exampleRun(): Promise<{ text: string; report: ModelReport }> {
  const model = bundledExample().path;
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-readme-"));
  try {
    const report = await analyze(model, {});
    const from = path.join(folder, "report.json");
    writeReport(report, from, { force: false });
    const smaller = await compress(model, { from, output: path.join(folder, "smaller.onnx") });
    const shown = { ...smaller, compressed: smaller.compressed && { ...smaller.compressed, path: "smaller.onnx" } };
    return { text: `${reportText(report)}\n\n${compressionText(shown)}`, report };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The row that saves most parameters, in words. */
function rowAloud({ layers, settings }: ModelReport): string {
  const saved = ({ parameters: { before, after } }: LayerReport): number => before - (after ?? before);
  const [layer] = [...layers].sort((a, b) => saved(b) - saved(a));
  const { name, op, rows, columns, weightRank, kS, kT, utilizedRank, utilization, outputError, parameters } = layer;
  const full = Math.min(rows, columns);
  return [
    `\`${name}\` is a ${op} with a ${rows}×${columns} weight: ${columns} input directions go in, ${rows} come out, so that`,
    `its rank can be ${full} at most. By its weights alone it has rank ${weightRank}. On this data, keeping ${kS} input`,
    `directions costs at most ${settings.tolerance} points, and so does keeping ${kT} output directions on top: its utilized`,
    `rank is ${utilizedRank}, ${percent(utilization, 0)} of ${full}. As two layers, ${columns} → ${utilizedRank} → ${rows}, it keeps`,
    `${percent((parameters.after ?? NaN) / parameters.before, 0)} of its parameters, and loses ${percent(outputError)} of the energy of its output.`,
  ].join(" ");
}
