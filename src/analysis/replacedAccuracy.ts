import type { Decomposition } from "../lowrank/decompose";
import { decompositionEdit, projectionEdit } from "../lowrank/decompose";
import { editedModelBytes, type GraphEdit } from "../onnx/edit";
import type { ModelReport } from "../report";
import { accuracyOf, predictAll } from "./accuracy";
import type { AnalyzedLayer } from "./layerReport";
import type { Subject } from "./prepare";
import type { Scoring } from "./scoring";

/** Accuracy of the whole network with every layer replaced: by W′, and by factors where they are smaller. */
export async function replacedAccuracy(
  subject: Subject,
  analyzed: readonly AnalyzedLayer[],
  scoring: Scoring | null,
  onWork: (samples: number) => void,
): Promise<ModelReport["accuracy"]> {
  if (!scoring) return { metric: null, samples: null, original: null, projected: null, decomposed: null };
  const accuracy = async (edit: GraphEdit, what: string): Promise<number> => {
    const bytes = editedModelBytes(subject.model, edit);
    const predicted = await predictAll(
      bytes,
      `${subject.model.path} (${what})`,
      { ...scoring.context, onWork },
      subject.model.folder,
    );
    return accuracyOf(predicted, scoring.targets);
  };
  return {
    metric: scoring.metric,
    samples: scoring.targets.length,
    original: scoring.original,
    projected: await accuracy(
      projectionEdit(
        subject.index,
        analyzed.map(({ layer, projected }) => ({ layer, matrices: projected })),
      ),
      "projected",
    ),
    decomposed: await accuracy(decompositionEdit(subject, analysisDecompositions(analyzed)), "decomposed"),
  };
}

/** The layers that get smaller, with their factors. */
export function analysisDecompositions(analyzed: readonly AnalyzedLayer[]): Decomposition[] {
  return analyzed.flatMap(({ layer, factors }) => (factors ? [{ layer, factors }] : []));
}
