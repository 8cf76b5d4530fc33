import type { PanelStrings } from "../../src/editor/panelProtocol";
import { largestRank, savedShare, sizeText } from "../../src/text/layer";
import { errorText, percent, short, thousands } from "../../src/text/numbers";
import { contained, labelledBar, outcome, rank, unmeasured, type Content } from "./cells";
import type { LayerRow, TableMode } from "./rows";
import { element } from "./dom";
import { nameText } from "./shapes";

/** A column: its title, what it is in a sentence, and for each row the cell and what it is sorted by (null goes last). */
export interface Column {
  readonly id: string;
  readonly title: string;
  readonly help: string;
  readonly kind: "text" | "number" | "bar" | "name";
  /** The least width in rem: widths that do not depend on the rows are laid out fast, and nothing jumps while rows fill in. */
  readonly width: number;
  /** Share of the room that the columns leave; without it, none. */
  readonly grows?: number;
  readonly sortBy: (row: LayerRow) => number | string | null;
  readonly cell: (row: LayerRow) => Content;
}

const COLUMNS = {
  inspected: ["position", "layer", "op", "size", "parameters", "macs"],
  weights: ["position", "layer", "op", "size", "weightRank", "largest", "share", "stableRank", "parameters"],
  measured: [
    ...["position", "layer", "op", "size", "kS", "kT", "rank", "utilization", "error"],
    ...["parametersSaved", "macsSaved", "outcome"],
  ],
} as const satisfies Readonly<Record<TableMode, readonly string[]>>;

/** The columns that there is something to show in. */
export function columnsOf(mode: TableMode, strings: PanelStrings): Column[] {
  const all = [...modelColumns(strings), ...weightColumns(strings), ...dataColumns(strings), ...savingColumns(strings)];
  return COLUMNS[mode].map((id) => all.find((column) => column.id === id)!);
}

function modelColumns(strings: PanelStrings): Column[] {
  return [
    {
      ...number("position", "#", strings.layerAxis, 3, ({ position }) => position, strings),
      cell: ({ position }) => [String(position + 1)],
    },
    {
      id: "layer",
      title: strings.columnLayer,
      help: strings.helpLayer,
      kind: "name",
      width: 9,
      grows: 1,
      sortBy: ({ name }) => name,
      cell: ({ name }) => [nameText(name)],
    },
    {
      id: "op",
      title: strings.columnOp,
      help: strings.helpOp,
      kind: "text",
      width: 5,
      sortBy: ({ op }) => op,
      cell: ({ op }) => [contained(op)],
    },
    {
      ...number("size", strings.columnSize, strings.helpSize, 6, (row) => row.groups * row.rows * row.columns, strings),
      cell: (row) => [sizeText(row)],
    },
    number("parameters", strings.columnParameters, strings.helpLayerParameters, 7, (row) => row.parameters.before, strings),
    number("macs", strings.columnMacs, strings.helpLayerMacs, 6, (row) => row.macs.before, strings, short),
  ]; // prettier-ignore
}

function weightColumns(strings: PanelStrings): Column[] {
  const stableRank = (row: LayerRow): number | null => row.measured?.stableRank ?? null;
  return [
    number("weightRank", strings.columnWeightRank, strings.helpWeightRank, 6, ({ weightRank }) => weightRank, strings),
    number("largest", strings.columnOf, strings.helpOf, 4, largestRank, strings),
    {
      id: "share",
      title: strings.columnShare,
      help: strings.helpShare,
      kind: "bar",
      width: 9,
      sortBy: weightShare,
      cell: (row) => labelledBar(row, weightShare(row), null, "weights", strings),
    },
    number("stableRank", strings.columnStableRank, strings.helpStableRank, 6, stableRank, strings, (value) => value.toFixed(1)),
  ]; // prettier-ignore
}

function dataColumns(strings: PanelStrings): Column[] {
  const error = (row: LayerRow): number | null => row.measured?.outputError ?? null;
  return [
    number("kS", strings.columnS, strings.helpS, 3.75, (row) => row.measured?.kS ?? null, strings),
    number("kT", strings.columnT, strings.helpT, 3.75, (row) => row.measured?.kT ?? null, strings),
    {
      ...number("rank", strings.columnRank, strings.helpRank, 4.75, ({ utilizedRank }) => utilizedRank, strings),
      cell: (row) => rank(row, strings),
    },
    {
      id: "utilization",
      title: strings.columnUsed,
      help: strings.helpUsed,
      kind: "bar",
      width: 7.5,
      sortBy: ({ utilization }) => utilization,
      cell: (row) => labelledBar(row, row.utilization, weightShare(row), "data", strings),
    },
    number("error", strings.columnError, strings.helpError, 4.75, error, strings, errorText),
  ];
}

function savingColumns(strings: PanelStrings): Column[] {
  return [
    saved("parametersSaved", strings.columnParametersSaved, strings.helpParametersSaved, (row) => row.parameters, strings),
    saved("macsSaved", strings.columnMacsSaved, strings.helpMacsSaved, (row) => row.macs, strings),
    {
      id: "outcome",
      title: strings.columnOutcome,
      help: strings.helpOutcome,
      kind: "text",
      width: 11,
      grows: 0.5,
      sortBy: outcomeOrder,
      cell: (row) => outcome(row, strings),
    },
  ]; // prettier-ignore
}

function number(
  id: string,
  title: string,
  help: string,
  width: number,
  sortBy: (row: LayerRow) => number | null,
  strings: PanelStrings,
  text: (value: number) => string = thousands,
): Column {
  const cell = (row: LayerRow): Content => {
    const value = sortBy(row);
    return [value === null ? unmeasured(row, strings) : text(value)];
  };
  return { id, title, help, kind: "number", width, sortBy, cell };
}

/** What goes, and below it the share of what there was; nothing for a layer that is kept. */
function saved(
  id: string,
  title: string,
  help: string,
  of: (row: LayerRow) => LayerRow["parameters"] | LayerRow["macs"],
  strings: PanelStrings,
): Column {
  const less = (row: LayerRow): number | null => {
    const { before, after } = of(row);
    return row.outcome?.kind !== "decomposed" || before === null || after === null ? null : before - after;
  };
  const column = number(id, title, help, 6, less, strings, short);
  const share = (row: LayerRow): Content =>
    less(row) === null ? [] : [element("small", {}, percent(savedShare(of(row)), 0))];
  return { ...column, cell: (row) => [...column.cell(row), ...share(row)] };
}

function weightShare({ weightRank, rows, columns }: LayerRow): number | null {
  return weightRank === null ? null : weightRank / largestRank({ rows, columns });
}

/** Decomposed layers first, then by the reason. */
function outcomeOrder({ outcome: found }: LayerRow): string | null {
  if (found === null) return null;
  return found.kind === "decomposed" ? "" : found.reason;
}
