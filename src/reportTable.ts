import { printable } from "./text/names";
import { percent, thousands } from "./text/numbers";
import type { LayerReport } from "./report";

/** One layer as a row: plain values, shares as fractions, null for what was not measured. */
export interface TableRow {
  readonly layer: string;
  readonly op: string;
  readonly groups: number;
  readonly rows: number;
  readonly columns: number;
  readonly weightRank: number;
  readonly stableRank: number;
  readonly kS: number | null;
  readonly kT: number | null;
  readonly utilizedRank: number | null;
  readonly utilization: number | null;
  readonly outputError: number | null;
  readonly parametersBefore: number;
  readonly parametersAfter: number | null;
  readonly macsBefore: number | null;
  readonly macsAfter: number | null;
  /** "decomposed", or why it is kept. */
  readonly outcome: string;
}

/** The table of a report's layers, as it is copied. */
export function tableRows(layers: readonly LayerReport[]): TableRow[] {
  return layers.map((layer) => ({
    layer: layer.name,
    op: layer.op,
    groups: layer.groups,
    rows: layer.rows,
    columns: layer.columns,
    weightRank: layer.weightRank,
    stableRank: layer.stableRank,
    kS: layer.kS,
    kT: layer.kT,
    utilizedRank: layer.utilizedRank,
    utilization: layer.utilization,
    outputError: layer.outputError,
    parametersBefore: layer.parameters.before,
    parametersAfter: layer.parameters.after,
    macsBefore: layer.macs.before,
    macsAfter: layer.macs.after,
    outcome: layer.outcome.kind === "decomposed" ? "decomposed" : `kept: ${layer.outcome.reason}`,
  }));
}

/** The rows as an array of objects. */
export function tableJson(rows: readonly TableRow[]): string {
  return `${JSON.stringify(rows, null, 2)}\n`;
}

const COLUMNS: readonly (keyof TableRow)[] = [
  ...(["layer", "op", "groups", "rows", "columns", "weightRank", "stableRank", "kS", "kT", "utilizedRank"] as const),
  ...([
    "utilization",
    "outputError",
    "parametersBefore",
    "parametersAfter",
    "macsBefore",
    "macsAfter",
    "outcome",
  ] as const),
];

/** RFC 4180, with a line of titles; what was not measured is empty. Numbers are whole, text is safe in spreadsheets. */
export function tableCsv(rows: readonly TableRow[]): string {
  const lines = [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))];
  return lines.map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

function csvCell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  // A spreadsheet takes text that begins so for a formula, and names come from the model file.
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** A table of Markdown for a pull request or a page: the columns that people look at, rounded. */
export function tableMarkdown(rows: readonly TableRow[]): string {
  const titles = ["layer", "op", "m×d", "weight rank", "k_S", "k_T", "rank", "used", "error", "parameters", "MACs"];
  const sides = titles.map((_, i) => (i < 2 ? "---" : "---:"));
  const lines = rows.map((row) => [
    markdownText(row.layer),
    markdownText(row.op),
    `${row.groups > 1 ? `${row.groups}·` : ""}${row.rows}×${row.columns}`,
    String(row.weightRank),
    ...[row.kS, row.kT, row.utilizedRank].map((rank) => (rank === null ? "–" : String(rank))),
    percent(row.utilization, 0),
    percent(row.outputError),
    change(row.parametersBefore, row.parametersAfter),
    row.macsBefore === null ? "–" : change(row.macsBefore, row.macsAfter),
  ]);
  return [titles.map(markdownText), sides, ...lines].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function change(before: number, after: number | null): string {
  return after === null || after === before ? thousands(before) : `${thousands(before)} → ${thousands(after)}`;
}

/** Text without any sign that Markdown or HTML would read. */
function markdownText(text: string): string {
  return printable(text).replace(/[\\`*_{}[\]()<>#+\-!|~&]/g, "\\$&");
}
