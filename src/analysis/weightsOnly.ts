import type { ResolvedConfig } from "../config";
import { DEFAULT_TOLERANCE } from "../config";
import { layerWeightSpectrum } from "../lowrank/layerBasis";
import { sha256OfModel } from "../onnx/sha256";
import { readConstant } from "../onnx/readConstant";
import type { LayerReport, ModelReport } from "../report";
import { noDevice } from "./device";
import type { DeviceChoice } from "../runtime/executionProviders";
import { weightReport } from "./layerReport";
import { peakMemory } from "./memory";
import type { Subject } from "./prepare";
import { Stopwatch, type AnalysisEvent } from "./progress";
import { NOT_MEASURED } from "./replacedAccuracy";
import { reportHead } from "./reportHead";
import { reportSettings } from "./settings";

export interface WeightsOnlyOptions {
  readonly tolerance?: number;
  readonly device?: DeviceChoice;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: AnalysisEvent) => void;
}

/** Weight rank and stable rank of every layer: no data, no inference. */
export async function analyzeWeights(
  subject: Subject,
  config: ResolvedConfig,
  options: WeightsOnlyOptions,
): Promise<ModelReport> {
  const watch = new Stopwatch();
  const sha256 = await sha256OfModel(subject.model);
  const layers: LayerReport[] = [];
  for (const layer of subject.layers) {
    options.signal?.throwIfAborted();
    const weight = readConstant(subject.model.wire, layer.weight);
    const report = weightReport(layer, layerWeightSpectrum(layer, weight), null);
    layers.push(report);
    options.onEvent?.({ kind: "layer", layer: report });
  }
  return {
    ...reportHead(subject, layers, { ...noDevice(options.device ?? "auto"), eigensolver: null }, sha256),
    settings: await reportSettings({}, null, {
      tolerance: options.tolerance ?? config.tolerance ?? DEFAULT_TOLERANCE,
      ranks: "none",
      search: null,
      baseline: null,
      energy: null,
    }),
    accuracy: NOT_MEASURED,
    cost: {
      seconds: watch.seconds(),
      evaluations: 0,
      forwardEquivalents: 0,
      stages: {},
      memory: { peak: peakMemory(), cache: 0, spilled: 0 },
    },
    preview: null,
    layers,
    warnings: [...subject.warnings],
  };
}
