import type { AnalysisState, ModelState, PanelLayer, ReportState, ToPanel } from "../../src/editor/panelProtocol";

/** All that the host has told. */
export interface PanelState {
  readonly fileName: string;
  readonly model: ModelState | null;
  readonly trusted: boolean;
  readonly analysis: AnalysisState;
  /** Layers of the analysis that runs, or that ended before its report, by the name of their weight. */
  readonly found: ReadonlyMap<string, PanelLayer>;
  readonly report: ReportState | null;
  /** Whether the analysis that runs, or ran last, is a preview. */
  readonly preview: boolean;
}

export type Opened = Extract<ModelState, { kind: "opened" }>;
export type Running = Extract<AnalysisState, { kind: "running" }>;
type DataMessage = Exclude<ToPanel, { kind: "showLayer" }>;

export const INITIAL_STATE: PanelState = {
  fileName: "",
  model: null,
  trusted: true,
  analysis: { kind: "idle" },
  found: new Map(),
  report: null,
  preview: false,
};

/** The state after a message of the host. */
export function received(state: PanelState, message: DataMessage): PanelState {
  switch (message.kind) {
    case "model":
      return { ...state, model: message.model, fileName: message.fileName, trusted: message.trusted };
    case "analysis":
      return withAnalysis(state, message.state);
    case "layer":
      return { ...state, found: new Map(state.found).set(message.layer.initializer, message.layer) };
    case "report":
      // The report of a run has all of its layers.
      return { ...state, report: message.state, found: isBusy(state.analysis) ? state.found : new Map() };
  }
}

function withAnalysis(state: PanelState, analysis: AnalysisState): PanelState {
  // A panel that is opened during a run may be told of layers before it is told of the run: idle forgets nothing.
  const begins = isBusy(analysis) && (state.analysis.kind === "cancelled" || state.analysis.kind === "failed");
  return {
    ...state,
    analysis,
    found: begins ? new Map() : state.found,
    preview: analysis.kind === "running" ? analysis.preview : state.preview,
  };
}

export function isBusy({ kind }: AnalysisState): boolean {
  return kind === "queued" || kind === "running";
}

/** What the page as a whole shows; `data-state` of the body. */
export type PageState = "loading" | "ready" | "running" | "report" | "failed";

export function pageState({ model, analysis, report }: PanelState): PageState {
  if (model === null) return "loading";
  if (isBusy(analysis)) return "running";
  if (model.kind === "unreadable" || analysis.kind === "failed") return "failed";
  return report === null ? "ready" : "report";
}

/** The report, where it is what is shown: while an analysis runs, its own layers are. */
export function shownReport({ report, analysis }: PanelState): ReportState | null {
  return analysis.kind === "running" ? null : report;
}

export function openedModel({ model }: PanelState): Opened["inspection"] | null {
  return model?.kind === "opened" ? model.inspection : null;
}
