import type { PanelLayer } from "../../src/editor/panelProtocol";
import type { SummarizedLayer } from "../../src/text/layer";
import { visible } from "../../src/text/names";
import { compareValues } from "../sortableTable";
import { openedModel, shownReport, type Opened, type PanelState } from "./state";

/** A layer as the table has it, measured or not. */
export interface LayerRow extends SummarizedLayer {
  /** ONNX name of the weight: every layer has its own. */
  readonly key: string;
  /** From 0, in the order of the model. */
  readonly position: number;
  readonly nodes: readonly string[];
  readonly measured: PanelLayer | null;
}

/** Which columns there are something to show in. */
export type TableMode = "inspected" | "measured" | "weights";

export interface ShownLayers {
  readonly mode: TableMode;
  readonly rows: readonly LayerRow[];
}

/** The layers of the report; of the analysis that runs or ended early, among those of the model; or of the model alone. */
export function shownLayers(state: PanelState): ShownLayers {
  const shown = shownReport(state)?.report;
  if (shown) {
    return { mode: shown.settings.ranks === "none" ? "weights" : "measured", rows: shown.layers.map(measuredRow) };
  }
  const inspected = openedModel(state)?.layers ?? [];
  const rows = inspected.map((layer, i) => {
    const found = state.found.get(layer.initializer);
    return found ? measuredRow(found, i) : inspectedRow(layer, i);
  });
  const begun = state.analysis.kind === "running" || rows.some(({ measured }) => measured !== null);
  return { mode: begun ? "measured" : "inspected", rows };
}

function measuredRow(layer: PanelLayer, position: number): LayerRow {
  const { name, op, groups, rows, columns, nodes, parameters, macs, weightRank, utilizedRank, utilization, outcome } =
    layer;
  return {
    key: layer.initializer,
    position,
    name,
    op,
    groups,
    rows,
    columns,
    nodes,
    parameters,
    macs,
    weightRank,
    utilizedRank,
    utilization,
    outcome,
    measured: layer,
  };
}

function inspectedRow(layer: Opened["inspection"]["layers"][number], position: number): LayerRow {
  const { name, op, groups, rows, columns, nodes } = layer;
  return {
    key: layer.initializer,
    position,
    name,
    op,
    groups,
    rows,
    columns,
    nodes,
    parameters: { before: layer.parameters, after: null },
    macs: { before: layer.macs, after: null },
    weightRank: null,
    utilizedRank: null,
    utilization: null,
    outcome: null,
    measured: null,
  };
}

export interface RowFilter {
  readonly text: string;
  readonly decomposedOnly: boolean;
}

/** Whether a row has the text in its name, operator, nodes or reason, whatever the case. */
export function matches(row: LayerRow, { text, decomposedOnly }: RowFilter): boolean {
  if (decomposedOnly && row.outcome?.kind !== "decomposed") return false;
  const wanted = text.trim().toLowerCase();
  if (wanted === "") return true;
  const reason = row.outcome?.kind === "kept" ? row.outcome.reason : "";
  return [row.name, row.op, ...row.nodes, reason].some((part) => visible(part).toLowerCase().includes(wanted));
}

export type Direction = "ascending" | "descending";

/** Rows by a value, those without one last, and in the order of the model where it is the same. */
export function sortRows(
  rows: readonly LayerRow[],
  sortBy: (row: LayerRow) => number | string | null,
  direction: Direction,
): LayerRow[] {
  const sign = direction === "ascending" ? 1 : -1;
  const keyed = rows.map((row) => ({ row, value: sortBy(row) }));
  keyed.sort((a, b) => compareValues(a.value, b.value, sign) || a.row.position - b.row.position);
  return keyed.map(({ row }) => row);
}
