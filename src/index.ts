export { analyze, type AnalyzeOptions } from "./analyze";
export type { AnalysisEvent, Stage } from "./analysis/progress";
export { compress, type CompressOptions } from "./compress";
export { configJsonSchema, loadConfig, type Config, type ResolvedConfig } from "./config";
export { ExpectedError, isExpected } from "./errors";
export { reportHtml, writeHtmlReport } from "./html";
export { inspect, type InspectedLayer, type InspectedValue, type Inspection } from "./inspect";
export {
  modelReportSchema,
  reportJsonSchema,
  type CompressionReport,
  type LayerReport,
  type ModelReport,
  type Outcome,
} from "./report";
export { readReport, writeReport } from "./reportFile";
