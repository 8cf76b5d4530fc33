import { ExpectedError } from "../errors";
import { gramKey, type Layer } from "../layers/layer";
import type { Decomposition } from "../lowrank/decompose";
import { factorizeLayer, layerBasis } from "../lowrank/layerBasis";
import { chooseEigensolver } from "../tensorflow";
import { readConstant } from "../onnx/readConstant";
import type { LayerReport, ModelReport } from "../report";
import { calibrate, gramGroups } from "./calibrate";
import type { Subject, SubjectData } from "./prepare";
import { KeptResults } from "./kept";
import { gramsOf } from "./recall";
import { keepingEigensolver } from "./solving/keptEigen";
import { ProgressMeter, type AnalysisEvent } from "./progress";

interface RebuildOptions {
  /** Whether the model and the data are what they were before the first was hashed and the second opened. */
  readonly unchanged: () => boolean;
  /** The folder in which an analysis has kept its results. */
  readonly cache?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: AnalysisEvent) => void;
}

/** The factors of every decomposed layer of a report, computed anew from its ranks and its data. */
export async function rebuildDecompositions(
  subject: Subject,
  data: SubjectData,
  report: ModelReport,
  file: string,
  { cache, unchanged, signal, onEvent = () => undefined }: RebuildOptions,
): Promise<Decomposition[]> {
  const ranks = new Map<Layer, { kS: number; kT: number }>();
  for (const entry of report.layers) {
    const layer = matchingLayer(subject, entry, file);
    if (entry.outcome.kind !== "decomposed" || entry.kS === null || entry.kT === null) continue;
    ranks.set(layer, { kS: entry.kS, kT: entry.kT });
  }
  const eigensolver = chooseEigensolver();
  const kept = KeptResults.open(cache, report.model.sha256, data, report.settings, eigensolver.name, unchanged);
  const eigen = cache === undefined ? eigensolver.solve : keepingEigensolver(cache, eigensolver);
  const decompositions: Decomposition[] = [];
  const groups = gramGroups([...ranks.keys()]);
  const meter = new ProgressMeter(groups.length * data.calibration.count, onEvent);
  meter.enter("calibration");
  for (const group of groups) {
    const before = meter.total;
    const grams = await gramsOf(
      group,
      kept,
      (missing) => calibrate(subject, data, missing, signal, (samples) => meter.work(samples)),
      () => data.fallbacks.length === 0,
    );
    if (meter.total === before) meter.settle(data.calibration.count, before);
    for (const layer of group) {
      const weight = readConstant(subject.model.wire, layer.weight);
      const { kS, kT } = ranks.get(layer)!;
      const basis = layerBasis(layer, weight, grams.get(gramKey(layer))!, { kS, kT }, eigen);
      decompositions.push({ layer, factors: factorizeLayer(basis, kS, kT).factors });
    }
  }
  return decompositions;
}

function matchingLayer({ layers, model }: Subject, entry: LayerReport, file: string): Layer {
  const layer = layers.find(({ weightName }) => weightName === entry.initializer);
  if (!layer || layer.view.rows !== entry.rows || layer.view.columns !== entry.columns) {
    throw new ExpectedError(
      `${file}: layer ${entry.name} (${entry.rows}×${entry.columns}) is not in ${model.path}. Analyze the model again.`,
    );
  }
  const { kS, kT } = entry;
  if ((kS !== null && (kS < 1 || kS > entry.columns)) || (kT !== null && (kT < 1 || kT > entry.rows))) {
    throw new ExpectedError(
      `${file}: layer ${entry.name} has ranks kS ${kS}, kT ${kT}, beyond ${entry.rows}×${entry.columns}.`,
    );
  }
  return layer;
}
