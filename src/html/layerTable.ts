import type { LayerReport, ModelReport } from "../report";
import { largestRank, sizeText } from "../text/layer";
import { errorText, percent, thousands } from "../text/numbers";
import { bar } from "./bar";
import { change } from "./figures";
import { markup, nameMarkup, trusted, type Markup } from "./markup";

/** A column: its title, and for each layer the cell's content and what it is sorted by (null goes last). */
interface Column {
  readonly title: Markup;
  readonly kind: "text" | "number" | "bar" | "name";
  readonly cell: (layer: LayerReport, index: number) => Markup;
  readonly sortBy: (layer: LayerReport, index: number) => number | string | null;
}

function column(title: string, kind: Column["kind"], cell: Column["cell"], sortBy: Column["sortBy"]): Column {
  return { title: trusted(title), kind, cell, sortBy };
}

function numberColumn(title: string, value: (layer: LayerReport) => number | null): Column {
  return column(title, "number", (layer) => markup`${value(layer) ?? "–"}`, value);
}

const position = column(
  "#",
  "number",
  (_, i) => markup`${i + 1}`,
  (_, i) => i,
);
const name = column(
  "layer",
  "name",
  (layer) => nameMarkup(layer.name),
  (layer) => layer.name,
);
const op = column(
  "op",
  "text",
  (layer) => markup`${layer.op}`,
  (layer) => layer.op,
);
const size = column(
  "m×d",
  "number",
  (layer) => markup`${sizeText(layer)}`,
  ({ groups, rows, columns }) => groups * rows * columns,
);
const weightRank = numberColumn("weight rank", (layer) => layer.weightRank);

const measuredColumns: readonly Column[] = [
  position,
  name,
  op,
  size,
  weightRank,
  numberColumn("k<sub>S</sub>", (layer) => layer.kS),
  numberColumn("k<sub>T</sub>", (layer) => layer.kT),
  column("rank", "number", rankCell, (layer) => layer.utilizedRank),
  column("used", "bar", usedCell, (layer) => layer.utilization),
  column(
    "output error",
    "number",
    (layer) => markup`${errorText(layer.outputError)}`,
    (layer) => layer.outputError,
  ),
  column(
    "error bound",
    "number",
    (layer) => markup`${errorText(layer.errorBound)}`,
    (layer) => layer.errorBound,
  ),
  column("parameters", "number", parametersCell, ({ parameters }) => parameters.after ?? parameters.before),
  column("outcome", "text", outcomeCell, ({ outcome }) => (outcome.kind === "decomposed" ? "a" : "b")),
];

const weightColumns: readonly Column[] = [
  position,
  name,
  op,
  size,
  weightRank,
  numberColumn("of", largestRank),
  column("share", "bar", fullCell, (layer) => layer.weightRank / largestRank(layer)),
  column("stable rank", "number", (layer) => markup`${layer.stableRank.toFixed(1)}`, (layer) => layer.stableRank),
  column("parameters", "number", (layer) => markup`${thousands(layer.parameters.before)}`, (layer) => layer.parameters.before),
]; // prettier-ignore

/** Rows shown at once; a longer table scrolls under its header. */
const MOST_UNSCROLLED = 40;

/** All layers as a table that needs no script; the script makes it sortable. */
export function layerTable({ layers, settings }: ModelReport): Markup {
  const columns = settings.ranks === "none" ? weightColumns : measuredColumns;
  const heads = columns.map(({ title, kind }) => markup`<th scope="col" class="${kind}">${title}</th>`);
  const rows = layers.map(
    (layer, i) => markup`
<tr data-layer="${i}">${columns.map((one) => cell(one, layer, i))}</tr>`,
  );
  return markup`<div class="scroll${layers.length > MOST_UNSCROLLED ? " tall" : ""}" role="region" aria-labelledby="layers-title" tabindex="0">
<table id="layer-table" aria-labelledby="layers-title">
<thead><tr>${heads}</tr></thead>
<tbody>${rows}
</tbody>
</table>
</div>`;
}

function cell({ kind, cell: content, sortBy }: Column, layer: LayerReport, index: number): Markup {
  const value = sortBy(layer, index);
  const sort = value === null ? null : markup` data-value="${value}"`;
  return kind === "name"
    ? markup`<th scope="row" class="name"${sort}>${content(layer, index)}</th>`
    : markup`<td class="${kind}"${sort}>${content(layer, index)}</td>`;
}

/** The rank, and below it the band that one validation sample more or less would give. */
function rankCell({ utilizedRank, fragility }: LayerReport): Markup {
  if (utilizedRank === null) return markup`–`;
  const band = fragility?.utilizedRank;
  const shown = !band || band[0] === band[1] ? null : markup`<small class="band">${band[0]}–${band[1]}</small>`;
  return markup`<strong>${utilizedRank}</strong>${shown}`;
}

function usedCell(layer: LayerReport): Markup {
  const { utilization } = layer;
  if (utilization === null) return markup`–`;
  return labelledBar(utilization, layer.weightRank / largestRank(layer));
}

function fullCell(layer: LayerReport): Markup {
  return labelledBar(layer.weightRank / largestRank(layer), null, "weights");
}

function labelledBar(share: number, mark: number | null, of: "data" | "weights" = "data"): Markup {
  return markup`<span class="labelled">${bar(share, mark, of)}<span>${percent(share, 0)}</span></span>`;
}

function parametersCell({ parameters, outcome }: LayerReport): Markup {
  const { before, after } = parameters;
  const smaller = outcome.kind === "decomposed" && after !== null;
  return smaller ? change(thousands(before), thousands(after)) : change(null, thousands(before));
}

function outcomeCell({ outcome }: LayerReport): Markup {
  return outcome.kind === "decomposed"
    ? markup`two layers of rank ${outcome.rank}`
    : markup`kept<small class="reason">${outcome.reason}</small>`;
}
