import type { Decomposition } from "../lowrank/decompose";
import { decompositionEdit, projectionEdit } from "../lowrank/decompose";
import { editedModelBytes, type GraphEdit } from "../onnx/edit";
import type { ModelReport } from "../report";
import type { AnalyzedLayer } from "./layerReport";
import type { MetricValue } from "./metrics/scoring";
import type { Subject } from "./prepare";
import type { Scoring } from "./scoring";

/** Accuracy of the whole network with every layer replaced: by W′, and by factors where they are smaller. */
export async function replacedAccuracy(
  subject: Subject,
  analyzed: readonly AnalyzedLayer[],
  scoring: Scoring | null,
  onWork: (samples: number) => void,
): Promise<ModelReport["accuracy"]> {
  if (!scoring) return NOT_MEASURED;
  const { metric, output, samples, answers, original } = scoring;
  const measured = (edit: GraphEdit, what: string): Promise<MetricValue> => {
    const { path, folder } = subject.model;
    const model = editedModelBytes(subject.model, edit);
    return scoring.measure({ model, what: `${path} (${what})`, folder }, onWork);
  };
  const replaced = analyzed.map(({ layer, projected }) => ({ layer, matrices: projected }));
  const projected = await measured(projectionEdit(subject.index, replaced), "projected");
  const smaller = decompositionEdit(subject, analysisDecompositions(analyzed));
  const decomposed = await measured(smaller, "decomposed");
  const perplexity = {
    original: original.perplexity,
    projected: projected.perplexity,
    decomposed: decomposed.perplexity,
  };
  return {
    metric,
    output,
    samples,
    answers,
    original: original.value,
    projected: projected.value,
    decomposed: decomposed.value,
    perplexity: metric === "next-token" ? perplexity : null,
  };
}

/** Of an analysis without validation data. */
export const NOT_MEASURED: ModelReport["accuracy"] = {
  metric: null,
  output: null,
  samples: null,
  answers: null,
  original: null,
  projected: null,
  decomposed: null,
  perplexity: null,
};

/** The layers that get smaller, with their factors. */
export function analysisDecompositions(analyzed: readonly AnalyzedLayer[]): Decomposition[] {
  return analyzed.flatMap(({ layer, factors }) => (factors ? [{ layer, factors }] : []));
}
