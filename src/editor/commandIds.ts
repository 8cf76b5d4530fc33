/** Every command, as package.json lists them. */
export const COMMANDS = [
  "ranklens.analyze",
  "ranklens.preview",
  "ranklens.cancel",
  "ranklens.export",
  "ranklens.showLayer",
  "ranklens.showLog",
  "ranklens.openConfig",
  "ranklens.analyzeSample",
  "ranklens.installGpu",
  "ranklens.copyMarkdown",
  "ranklens.copyCsv",
  "ranklens.copyJson",
] as const;

export type CommandId = (typeof COMMANDS)[number];

/** The custom editor of `.onnx` files, as package.json names it. */
export const MODEL_EDITOR = "ranklens.model";

/** Where the workspace's state lists the models with a report: fingerprints by path. */
export const REPORTS_STATE = "ranklens.reports";
