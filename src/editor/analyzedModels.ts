import type { Event, Uri } from "vscode";
import type { ModelReport } from "../report";

/** A model with its latest report. */
export interface AnalyzedModel {
  readonly modelUri: Uri;
  /** For people: the file's name. */
  readonly modelName: string;
  readonly report: ModelReport;
}

/** The models that have been analysed; whoever keeps the reports provides this. */
export interface AnalyzedModels {
  reports(): readonly AnalyzedModel[];
  readonly onDidChange: Event<void>;
}
