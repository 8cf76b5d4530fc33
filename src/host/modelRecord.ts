import type { AnalysisEvent } from "../analysis/progress";
import { panelLayer, panelReport, type AnalysisState, type ModelState, type ToPanel } from "../editor/panelProtocol";
import type { LayerReport, ModelReport } from "../report";

/** Progress comes with every batch, which may be thousands of times a second: it is passed on at most this often. */
const PROGRESS_MS = 100;

export type RecordListener = (message: ToPanel) => void;

/** Ends what it stands for: a subscription. */
export type Unsubscribe = () => void;

/** An analysis that has done nothing yet. */
function running(preview: boolean): Extract<AnalysisState, { readonly kind: "running" }> {
  return { kind: "running", stage: "original", layer: null, fraction: 0, secondsLeft: null, preview };
}

/** All that is known of one model: what panels show, whether they are open now or open later. */
export class ModelRecord {
  private model: ModelState | null = null;
  private trusted = false;
  private state: AnalysisState = { kind: "idle" };
  /** Layers of the analysis that runs, or of one that was ended before it was done. */
  private found: readonly LayerReport[] = [];
  private current: ModelReport | null = null;
  private stale: string | null = null;
  private readonly listeners = new Set<RecordListener>();
  /** Runs while progress is held back. */
  private holding: NodeJS.Timeout | null = null;

  constructor(readonly fileName: string) {}

  /** Every message from now on. */
  onMessage(listener: RecordListener): Unsubscribe {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** All there is, for a panel that has just opened. */
  messages(): ToPanel[] {
    return [
      ...(this.model === null ? [] : [this.modelMessage(this.model)]),
      this.reportMessage(),
      this.analysisMessage(),
      ...this.found.map((layer): ToPanel => ({ kind: "layer", layer: panelLayer(layer) })),
    ];
  }

  get analysis(): AnalysisState {
    return this.state;
  }

  get report(): ModelReport | null {
    return this.current;
  }

  /** Why the report no longer holds, in a sentence. */
  get staleBecause(): string | null {
    return this.stale;
  }

  /** Whether an analysis runs or waits. */
  get isBusy(): boolean {
    return this.state.kind === "queued" || this.state.kind === "running";
  }

  /** The layers to copy: those of the report or, where there is none, those found so far. */
  get layers(): readonly LayerReport[] {
    return this.current?.layers ?? this.found;
  }

  setModel(model: ModelState, trusted: boolean): void {
    this.model = model;
    this.trusted = trusted;
    this.emit(this.modelMessage(model));
  }

  setTrusted(trusted: boolean): void {
    this.trusted = trusted;
    if (this.model !== null) this.emit(this.modelMessage(this.model));
  }

  setReport(report: ModelReport | null, stale: string | null): void {
    if (report === this.current && stale === this.stale) return;
    this.current = report;
    this.stale = stale;
    this.emit(this.reportMessage());
  }

  queued(ahead: number): void {
    this.enter({ kind: "queued", ahead });
  }

  /** An analysis begins; layers that another one had found are forgotten. */
  started(preview: boolean): void {
    this.found = [];
    this.enter(running(preview));
  }

  /** Takes what the analysis that runs tells. */
  progressed(event: AnalysisEvent): void {
    if (this.state.kind !== "running") return;
    if (event.kind === "layer") {
      this.found = [...this.found, event.layer];
      this.emit({ kind: "layer", layer: panelLayer(event.layer) });
      return;
    }
    const { preview } = this.state;
    this.state =
      event.kind === "images" ? { ...running(preview), images: event } : { ...event, kind: "running", preview };
    if (this.holding !== null) return;
    this.holding = setTimeout(() => {
      this.holding = null;
      this.emit(this.analysisMessage());
    }, PROGRESS_MS);
  }

  /** The analysis is done; what it found is in the report, which is set next. */
  finished(): void {
    this.found = [];
    this.enter({ kind: "idle" });
  }

  /** Layers found so far stay. */
  cancelled(): void {
    this.enter({ kind: "cancelled" });
  }

  failed(message: string): void {
    this.enter({ kind: "failed", message });
  }

  private enter(state: AnalysisState): void {
    if (this.holding !== null) clearTimeout(this.holding);
    this.holding = null;
    this.state = state;
    this.emit(this.analysisMessage());
  }

  private modelMessage(model: ModelState): ToPanel {
    return { kind: "model", model, fileName: this.fileName, trusted: this.trusted };
  }

  private analysisMessage(): ToPanel {
    return { kind: "analysis", state: this.state };
  }

  private reportMessage(): ToPanel {
    const { current, stale } = this;
    return { kind: "report", state: current && { report: panelReport(current), stale } };
  }

  private emit(message: ToPanel): void {
    for (const listener of this.listeners) listener(message);
  }
}
