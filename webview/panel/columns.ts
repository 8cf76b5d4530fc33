import type { PanelStrings } from "../../src/editor/panelProtocol";
import { largestRank, savedShare, sizeText } from "../../src/text/layer";
import { errorText, percent, short, thousands } from "../../src/text/numbers";
import { fill } from "../../src/text/template";
import { element } from "./dom";
import type { LayerRow, TableMode } from "./rows";
import { bar, nameText } from "./shapes";

type Content = readonly (Node | string)[];
type Value = number | string | null;

/** A column: its title, what it is in a sentence, and for each row the cell and what it is sorted by (null goes last). */
export interface Column {
  readonly id: string;
  readonly title: string;
  readonly help: string;
  readonly kind: "text" | "number" | "bar" | "name";
  readonly cell: (row: LayerRow) => Content;
  readonly sortBy: (row: LayerRow) => Value;
}

const UNMEASURED = "–";

/** The columns that there is something to show in. */
export function columnsOf(mode: TableMode, strings: PanelStrings): Column[] {
  const number = (id: string, title: string, help: string, sortBy: (row: LayerRow) => number | null, text = thousands): Column => ({
    id,
    title,
    help,
    kind: "number",
    sortBy,
    cell: (row) => {
      const value = sortBy(row);
      return [value === null ? unmeasured(row, strings) : text(value)];
    },
  }); // prettier-ignore

  const model: Column[] = [
    number("position", "#", strings.layerAxis, ({ position }) => position, (position) => String(position + 1)),
    { id: "layer", title: strings.columnLayer, help: strings.helpLayer, kind: "name", cell: ({ name }) => [nameText(name)], sortBy: ({ name }) => name },
    { id: "op", title: strings.columnOp, help: strings.helpOp, kind: "text", cell: ({ op }) => [op], sortBy: ({ op }) => op },
    { id: "size", title: strings.columnSize, help: strings.helpSize, kind: "number", cell: (row) => [sizeText(row)], sortBy: ({ groups, rows, columns }) => groups * rows * columns },
  ]; // prettier-ignore
  const parameters = number("parameters", strings.columnParameters, strings.helpLayerParameters, (row) => row.parameters.before); // prettier-ignore
  const macs = number("macs", strings.columnMacs, strings.helpLayerMacs, (row) => row.macs.before, short);
  if (mode === "inspected") return [...model, parameters, macs];

  const weightShare = ({ weightRank, rows, columns }: LayerRow): number | null =>
    weightRank === null ? null : weightRank / largestRank({ rows, columns });
  if (mode === "weights") {
    return [
      ...model,
      number("weightRank", strings.columnWeightRank, strings.helpWeightRank, (row) => row.weightRank),
      number("largest", strings.columnOf, strings.helpOf, largestRank),
      barColumn("share", strings.columnShare, strings.helpShare, weightShare, () => null, "weights", strings),
      number("stableRank", strings.columnStableRank, strings.helpStableRank, (row) => row.measured?.stableRank ?? null, (rank) => rank.toFixed(1)),
      parameters,
    ]; // prettier-ignore
  }
  return [
    ...model,
    number("kS", strings.columnS, strings.helpS, (row) => row.measured?.kS ?? null),
    number("kT", strings.columnT, strings.helpT, (row) => row.measured?.kT ?? null),
    { ...number("rank", strings.columnRank, strings.helpRank, (row) => row.utilizedRank), cell: (row) => rankCell(row, strings) },
    barColumn("utilization", strings.columnUsed, strings.helpUsed, (row) => row.utilization, weightShare, "data", strings),
    number("error", strings.columnError, strings.helpError, (row) => row.measured?.outputError ?? null, errorText),
    savedColumn("parametersSaved", strings.columnParametersSaved, strings.helpParametersSaved, (row) => row.parameters, strings),
    savedColumn("macsSaved", strings.columnMacsSaved, strings.helpMacsSaved, (row) => row.macs, strings),
    { id: "outcome", title: strings.columnOutcome, help: strings.helpOutcome, kind: "text", cell: (row) => outcomeCell(row, strings), sortBy: outcomeOrder },
  ]; // prettier-ignore
}

/** A dash for what was not measured, or will be. */
function unmeasured({ measured }: LayerRow, { pending }: PanelStrings): Node | string {
  return measured ? UNMEASURED : element("span", { class: "pending", "aria-label": pending, role: "img" }, "·");
}

function barColumn(
  id: string,
  title: string,
  help: string,
  share: (row: LayerRow) => number | null,
  mark: (row: LayerRow) => number | null,
  of: "data" | "weights",
  strings: PanelStrings,
): Column {
  const cell = (row: LayerRow): Content => {
    const value = share(row);
    if (value === null) return [unmeasured(row, strings)];
    const picture = bar({ share: value, mark: mark(row), of });
    return [element("span", { class: "labelled" }, picture, element("span", {}, percent(value, 0)))];
  };
  return { id, title, help, kind: "bar", cell, sortBy: share };
}

/** The rank, and below it the band that one validation sample more or less would give. */
function rankCell(row: LayerRow, strings: PanelStrings): Content {
  if (row.utilizedRank === null) return [unmeasured(row, strings)];
  const band = row.measured?.fragility?.utilizedRank;
  const rank = element("strong", {}, String(row.utilizedRank));
  return !band || band[0] === band[1] ? [rank] : [rank, element("small", {}, `${band[0]}–${band[1]}`)];
}

function savedColumn(
  id: string,
  title: string,
  help: string,
  of: (row: LayerRow) => LayerRow["parameters"] | LayerRow["macs"],
  strings: PanelStrings,
): Column {
  const saved = (row: LayerRow): number | null => {
    const { before, after } = of(row);
    return row.outcome?.kind !== "decomposed" || before === null || after === null ? null : before - after;
  };
  const cell = (row: LayerRow): Content => {
    const value = saved(row);
    if (value === null) return [unmeasured(row, strings)];
    return [short(value), element("small", {}, percent(savedShare(of(row)), 0))];
  };
  return { id, title, help, kind: "number", cell, sortBy: saved };
}

function outcomeCell({ outcome, ...row }: LayerRow, strings: PanelStrings): Content {
  if (outcome === null) return [unmeasured({ outcome, ...row }, strings)];
  return outcome.kind === "decomposed"
    ? [fill(strings.twoLayers, outcome.rank)]
    : [strings.keptAlone, element("small", { class: "reason" }, outcome.reason)];
}

/** Decomposed layers first, then by the reason. */
function outcomeOrder({ outcome }: LayerRow): string | null {
  if (outcome === null) return null;
  return outcome.kind === "decomposed" ? "" : outcome.reason;
}
