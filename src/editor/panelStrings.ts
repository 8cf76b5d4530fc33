import { REPORT_WORDS } from "../text/reportWords";

/**
 * Every text of the panel but what comes from models, reports and errors. {0}, {1} are places for values. The host has
 * them translated ({@link panelStrings}) and hands them over with the panel's HTML.
 */
export const PANEL_STRINGS = {
  ...REPORT_WORDS,

  // Model
  loading: "Reading the model…",
  unreadable: "This file cannot be read as an ONNX model",
  modelFacts: "Model",
  producer: "Producer",
  unknownProducer: "not named",
  opset: "Opset",
  irVersion: "IR version",
  size: "Size",
  modelMacs: "MACs per sample",
  modelParameters: "Parameters",
  analysableLayers: "Analysable layers",
  inputs: "Inputs",
  outputs: "Outputs",
  none: "none",
  unknown: "unknown",
  unknownShape: "unknown shape",
  atLeast: "at least {0}",

  // Actions
  actions: "Actions",
  analyze: "Analyze Utilized Rank",
  preview: "Preview",
  analyzeAgain: "Analyze Again",
  analyzeFully: "Run the Full Analysis",
  exportModel: "Export Smaller Model…",
  openConfig: "Data and Settings",
  cancel: "Cancel",
  retry: "Retry",
  showLog: "Show Log",
  copyAs: "Copy as",
  markdown: "Markdown",
  csv: "CSV",
  json: "JSON",
  savePng: "Save as PNG…",
  close: "Close",
  previousLayer: "Previous Layer",
  nextLayer: "Next Layer",
  untrusted:
    "Analysis is off because this workspace is not trusted: it would run the model and read the data that its settings name. Trust the workspace to analyze it.",
  noLayers: "No layer of this model can be analyzed. The reasons are listed below.",
  nothingSmaller: "No layer gets smaller: there is nothing to export.",
  exportStale: "The results do not belong to this file any more: analyze it again before you export.",

  // While it runs
  progress: "Progress of the analysis",
  queued: "Waiting for another analysis to end",
  queuedBehind: "Waiting for {0} other analyses to end",
  stageOriginal: "Scoring the original model",
  stageCalibration: "Measuring what the calibration data uses",
  stageSearch: "Searching ranks",
  stageVerification: "Checking the whole model",
  previewRunning: "Preview",
  timeLeft: "about {0} left",
  layersDone: "{0} of {1} layers",
  cancelled: "The analysis was cancelled. Layers that were finished are shown below.",
  cancelledAtOnce: "The analysis was cancelled.",
  failed: "The analysis failed",
  announceDone: "The analysis is done.",
  announceProgress: "{0}, {1}",

  // Report
  results: "Results",
  stale: "These results are out of date.",
  previewBanner: "This is a preview on {0}.",
  previewCalibration: "{0} of {1} calibration samples",
  previewBoth: "{0} of {1} calibration and {2} of {3} validation samples",
  previewFull: "The full run takes about {0} and {1} of memory.",
  oneWarning: "Warning",
  warnings: "{0} warnings",
  howMeasured: "How this was measured",
  snapshot: "Utilization snapshot",
  snapshotAbout: "For each layer: the largest rank that it could have, the rank of its weights, and the rank that the data uses.",
  snapshotLabel: "Chart of the maximum rank, weight rank and utilized rank of {0} layers. The table of layers has the same numbers.",

  // Table
  layers: "Layers",
  filter: "Filter by name, operator or reason",
  decomposedOnly: "Decomposed only",
  rowsShown: "{0} of {1} layers",
  rowsAll: "{0} layers",
  rowsAllOne: "1 layer",
  noMatch: "No layer matches the filter.",
  pending: "not yet",
  columnLayer: "layer",
  columnOp: "op",
  columnSize: "m×d",
  columnParameters: "parameters",
  columnMacs: "MACs",
  columnWeightRank: "weight rank",
  columnOf: "of",
  columnShare: "share",
  columnStableRank: "stable rank",
  columnS: "k_S",
  columnT: "k_T",
  columnRank: "rank r",
  columnUsed: "utilization",
  columnError: "output error",
  columnParametersSaved: "parameters saved",
  columnMacsSaved: "MACs saved",
  columnOutcome: "outcome",

  // Not analysed
  notAnalysed: "Not analysed",
  oneSkipped: "1 node is not analysed",
  skipped: "{0} nodes are not analysed",
  allAnalysed: "Every constant weight of the model is analysed.",
  skippedNode: "node",
  skippedReason: "reason",

  // One layer
  layerView: "Layer {0} of {1}",
  weightEnergy: "Energy of the weights",
  weightEnergyAbout: "Share of the energy of W and of the projected W′ that their first k singular directions hold: what W spreads, the data gathers.",
  inputSubspace: "Keeping k_S input directions",
  inputSubspaceAbout: "As fewer input directions are kept: the energy of the input that stays, the accuracy that the search measured, and how far the weights move.",
  dataEnergy: "Energy of input and output",
  dataEnergyAbout: "Share of the energy of the layer’s input X and output Y that their first k directions hold.",
  rankSearch: "The rank search",
  rankSearchAbout: "Accuracy with this layer alone changed, at each rank tried; filled: enough, hollow: too few right.",
  chartOf: "{0}, layer {1}. {2} The facts above the charts say it in numbers.",

  // One sentence for each figure
  helpMlu: "Mean over all analysed layers of utilized rank / min(m, d); the mark on the bar is the same by the rank of the weights.",
  helpAccuracy: "Right answers on the validation data before, and after every layer that gets smaller is replaced by its two factors.",
  helpSmallerLayers: "Layers of m×d weights for which two layers, d → r → m, have fewer weights than one.",
  helpParameters: "Weights of the analysed layers before, and after the layers that get smaller are split in two.",
  helpMacs: "Multiply–accumulates of the analysed layers for one sample, before and after.",
  helpFileSize: "Bytes of the model file and of the external data that belongs to it.",
  helpLatency: "Time of one run, both models measured in turn on this machine.",
  helpAccuracyWritten: "Accuracy of the two files as onnxruntime runs them afresh.",
  helpLayersWritten: "Layers that the written file has as two layers of their rank.",
  helpLayer: "The layer’s name in the model.",
  helpOp: "The ONNX operator that applies the weight.",
  helpSize: "Outputs × inputs of the weight matrix; of a convolution, the inputs are one patch.",
  helpLayerParameters: "Weights of the layer.",
  helpLayerMacs: "Multiply–accumulates of the layer for one sample.",
  helpWeightRank: "Singular values of W that hold 99.99% of its energy, whatever the data.",
  helpOf: "The largest rank that the layer could have, min(m, d).",
  helpShare: "Weight rank / min(m, d).",
  helpStableRank: "‖W‖²_F / ‖W‖²₂: small where a few directions hold most of the energy.",
  helpS: "Input directions that the layer needs to keep the accuracy.",
  helpT: "Output directions that the layer needs to keep the accuracy, on top of the k_S found.",
  helpRank: "Utilized rank, min(k_S, k_T); the range below is where one validation sample more or less would put it.",
  helpUsed: "Utilized rank / min(m, d); the mark is the same by the rank of the weights.",
  helpError: "How far the layer’s output moves on the calibration data, relative and exact.",
  helpParametersSaved: "Weights that go when the layer becomes two of its rank.",
  helpMacsSaved: "Multiply–accumulates for one sample that go when the layer becomes two of its rank.",
  helpOutcome: "Two layers of the utilized rank where that has fewer weights; otherwise the layer stays, with the reason.",
} as const; // prettier-ignore

export type PanelStrings = Readonly<Record<keyof typeof PANEL_STRINGS, string>>;

/** All texts in the language that `translate` gives, such as `(text) => vscode.l10n.t(text)`. */
export function panelStrings(translate: (english: string) => string): PanelStrings {
  const translated = Object.entries(PANEL_STRINGS).map(([key, english]) => [key, translate(english)] as const);
  return Object.fromEntries(translated) as PanelStrings;
}
