import type { LayerReport, ModelReport } from "../report";
import { accuracyText, isError, measuredText, metricName, perplexityText } from "../text/accuracy";
import { sizeText } from "../text/layer";
import { deviceText, embeddingTexts, recalledText, toleranceText } from "../text/measurement";
import { printable } from "../text/names";
import { byteSize, duration, percent, short, thousands } from "../text/numbers";
import { REPORT_WORDS } from "../text/reportWords";
import { shortNames, table } from "./format";

/** The report as the terminal shows it: table, headline, warnings. */
export function reportText(report: ModelReport): string {
  const parts = [layerTable(report), headline(report)];
  if (report.skipped.length > 0) {
    const shown = report.skipped
      .slice(0, MOST_SKIPPED)
      .map(({ name, op, reason }) => `  ${printable(`${op} ${name}: ${reason}`)}`);
    const rest = report.skipped.length - shown.length;
    if (rest > 0) shown.push(`  … and ${rest} more: see "ranklens inspect"`);
    parts.push(`Not analysed:\n${shown.join("\n")}`);
  }
  const tables = embeddingTexts(report, REPORT_WORDS).map((text) => `  ${printable(text)}`);
  if (tables.length > 0) parts.push(`Embedding tables:\n${tables.join("\n")}`);
  if (report.warnings.length > 0) parts.push(report.warnings.map((text) => `Warning: ${printable(text)}`).join("\n"));
  return parts.join("\n\n");
}

const MOST_SKIPPED = 5;

function layerTable({ layers, settings }: ModelReport): string {
  const right = { align: "right" } as const;
  const names = shortNames(layers.map(({ name }) => name));
  if (settings.ranks === "none") {
    return table(
      [
        { title: "layer" },
        { title: "op" },
        { title: "m×d", ...right },
        { title: "weight rank", ...right },
        { title: "of", ...right },
        { title: "stable rank", ...right },
      ],
      layers.map((layer, i) => [
        names[i],
        layer.op,
        sizeText(layer),
        String(layer.weightRank),
        String(Math.min(layer.rows, layer.columns)),
        layer.stableRank.toFixed(1),
      ]),
    );
  }
  return table(
    [
      { title: "layer" },
      { title: "op" },
      { title: "m×d", ...right },
      { title: "weight rank", ...right },
      { title: "k_S", ...right },
      { title: "k_T", ...right },
      { title: "rank", ...right },
      { title: "used", ...right },
      { title: "error", ...right },
      { title: "parameters", ...right },
      { title: "" },
    ],
    layers.map((layer, i) => [
      names[i],
      layer.op,
      sizeText(layer),
      String(layer.weightRank),
      text(layer.kS),
      text(layer.kT),
      text(layer.utilizedRank),
      percent(layer.utilization, 0),
      percent(layer.outputError),
      layer.outcome.kind === "decomposed" ? percent(layer.parameters.after! / layer.parameters.before, 0) : "kept",
      bar(layer),
    ]),
  );
}

function text(value: number | null): string {
  return value === null ? "–" : String(value);
}

/** Cells of a utilization bar. */
const BAR = 10;

function bar({ utilization }: LayerReport): string {
  if (utilization === null) return "";
  const filled = Math.round(utilization * BAR);
  return "█".repeat(filled) + "░".repeat(BAR - filled);
}

function headline(report: ModelReport): string {
  const { totals, accuracy, settings, cost, device } = report;
  const lines: [string, string][] = [];
  if (totals.mlu === null) {
    lines.push(["Mean layer utilization", `${percent(totals.originalMlu)} by the weights alone`]);
  } else {
    lines.push([
      "Mean layer utilization",
      `${percent(totals.mlu)} (by the weights alone: ${percent(totals.originalMlu)})`,
    ]);
  }
  if (totals.parametersAfter !== null) {
    const whole = totals.modelParameters - totals.parameters;
    lines.push([
      "Parameters",
      `${thousands(totals.parameters)} → ${thousands(totals.parametersAfter)} (${percent(totals.parametersRatio)}) in ` +
        `${totals.layers} analysed layers; whole model ${thousands(totals.modelParameters)} → ${thousands(whole + totals.parametersAfter)}`,
    ]);
  }
  if (totals.macs !== null && totals.macsAfter !== null) {
    lines.push([
      "MACs per sample",
      `${short(totals.macs)} → ${short(totals.macsAfter)} (${percent(totals.macsRatio)})`,
    ]);
  }
  if (accuracy.original !== null) {
    lines.push([metricTitle(accuracy.metric), accuracyLine(accuracy)]);
  }
  const measured = measuredText(accuracy, REPORT_WORDS);
  if (measured !== null) lines.push(["Measured", printable(measured)]);
  const how = {
    search: `${settings.search === "fast" ? "fast rank search" : "rank search"}, ${toleranceText(settings.tolerance, accuracy.metric, REPORT_WORDS)} (baseline: ${settings.baseline})`,
    energy: `${percent(settings.energy, 2)} of the energy on both sides, no search`,
    none: "weights only: no data was used",
  }[settings.ranks];
  lines.push(["Ranks by", how]);
  const evaluations = cost.evaluations > 0 ? `, ${cost.evaluations} evaluations` : "";
  const { peak, spilled } = cost.memory;
  lines.push(["Device", printable(deviceText(device, REPORT_WORDS))]);
  const disk = spilled > 0 ? ` (${byteSize(spilled)} of activations on disk)` : "";
  lines.push(["Cost", `${cost.seconds.toFixed(1)} s${evaluations}, at most ${byteSize(peak)} of memory${disk}`]);
  const recalled = recalledText(cost.recalled, REPORT_WORDS);
  if (recalled !== null) lines.push(["Known before", `${recalled}; --no-cache measures them anew`]);
  if (report.preview) lines.push(["The full run", fullRunText(report.preview.fullRun)]);
  return definitions(lines);
}

function metricTitle(metric: ModelReport["accuracy"]["metric"]): string {
  return metric === "agreement" ? "Agreement with itself" : metricName(metric, REPORT_WORDS);
}

function accuracyLine(accuracy: ModelReport["accuracy"]): string {
  const { metric, original, decomposed, projected, perplexity } = accuracy;
  const text = (value: number | null): string => accuracyText(value, metric);
  const change = isError(metric) ? text(decomposed) : `${text(original)} → ${text(decomposed)}`;
  const surprise = perplexityText(perplexity, REPORT_WORDS);
  return (
    `${change} for the whole model with smaller layers (${text(projected)} with every layer projected), ` +
    `${surprise === null ? "" : `${surprise}, `}${samplesText(accuracy)}`
  );
}

function samplesText({ samples, answers }: ModelReport["accuracy"]): string {
  const count = `${thousands(samples ?? 0)} samples`;
  return answers === null || answers === undefined || answers === samples
    ? count
    : `${thousands(answers)} answers on ${count}`;
}

/** "4 s", "2:45 minutes", "1:10:00 hours". */
function spell(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  return `${duration(seconds)} ${seconds < 3600 ? "minutes" : "hours"}`;
}

function fullRunText({ seconds, memory, disk }: NonNullable<ModelReport["preview"]>["fullRun"]): string {
  const files = disk > 0 ? `, and ${byteSize(disk)} of temporary files` : "";
  return `would take about ${spell(seconds)} and ${byteSize(memory)} of memory${files}`;
}

/** What compress adds to the report. */
export function compressionText(report: ModelReport): string {
  const { compressed } = report;
  if (!compressed) return "";
  const { bytes, accuracy, latency, layersDecomposed } = compressed;
  const lines: [string, string][] = [
    ["Written", `${printable(compressed.path)} (${layersDecomposed} layers decomposed), run afresh by onnxruntime:`],
    [
      "File size",
      `${thousands(bytes.before)} → ${thousands(bytes.after)} bytes (${percent(bytes.after / bytes.before)})`,
    ],
  ];
  if (accuracy.before !== null) {
    const { metric } = report.accuracy;
    const after = accuracyText(accuracy.after, metric);
    lines.push(
      isError(metric)
        ? [metricTitle(metric), after]
        : [
            metric === "top-1" ? "Accuracy" : metricTitle(metric),
            `${accuracyText(accuracy.before, metric)} → ${after}`,
          ],
    );
  }
  if (latency) {
    const { milliseconds, ratio, runs, batch } = latency;
    lines.push([
      "Latency",
      `${milliseconds.before.toFixed(2)} → ${milliseconds.after.toFixed(2)} ms for a batch of ${batch} ` +
        `(ratio ${ratio.toFixed(2)}, median of ${runs} paired runs)`,
    ]);
  }
  return definitions(lines);
}

export function definitions(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([term]) => term.length));
  return lines.map(([term, value]) => `${term.padEnd(width)}  ${value}`).join("\n");
}
