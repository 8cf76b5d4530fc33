export { analyze, type AnalyzeOptions } from "./analyze";
export type { AnalysisEvent, Stage } from "./analysis/progress";
export { compress, type CompressOptions } from "./compress";
export { configJsonSchema, loadConfig, type Config, type ResolvedConfig } from "./config";
export { configText, writeConfig } from "./config/write";
export { ExpectedError, isExpected } from "./errors";
export { reportHtml, writeHtmlReport } from "./html";
export { inspect, type InspectedLayer, type InspectedValue, type Inspection } from "./inspect";
export { proposeConfig } from "./propose";
export type { Assumption, Option, Proposal, Question } from "./propose/proposal";
export { tryProposal } from "./propose/trial";
export {
  modelReportSchema,
  reportJsonSchema,
  type CompressionReport,
  type LayerReport,
  type ModelReport,
  type Outcome,
} from "./report";
export { readReport, writeReport } from "./reportFile";
