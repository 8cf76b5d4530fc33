export { analyze, type AnalyzeOptions } from "./analyze";
export type { AnalysisEvent, Stage } from "./analysis/progress";
export type { ModelReport, LayerReport, Outcome } from "./report";
export { loadConfig, type ResolvedConfig } from "./config";
export { ExpectedError, isExpected } from "./errors";
