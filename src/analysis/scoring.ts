import { checkLabels } from "../calibration/labels";
import type { EvaluatorContext } from "../lowrank/evaluator";
import { accuracyOf, chooseOutput, predictOriginal, type ScoringContext } from "./accuracy";
import type { Subject, SubjectData } from "./prepare";

/** How accuracy is measured in one analysis. */
export interface Scoring {
  readonly context: ScoringContext;
  readonly metric: "top-1" | "agreement";
  readonly classes: number;
  /** The right class of each validation sample: its label, or the original's own prediction. */
  readonly targets: Int32Array;
  /** Accuracy of the original, 0…1. */
  readonly original: number;
  readonly evaluator: Omit<EvaluatorContext, "onWork" | "cacheBytes">;
}

/** The original's predictions on the validation data, and what every later accuracy is measured against. */
export async function scoreOriginal(
  { model, index }: Subject,
  { validation, validationBatches, probe, macShare, device }: SubjectData,
  signal: AbortSignal | undefined,
  onWork: (samples: number) => void,
): Promise<Scoring | null> {
  if (!validation || !validationBatches) return null;
  const output = chooseOutput(index, probe, model.path);
  const { labels, labelOrigin } = validation;
  if (labels && labelOrigin) checkLabels(labels, output.classes, labelOrigin);
  const context: ScoringContext = {
    batches: validationBatches,
    outputName: output.name,
    device: device.used,
    signal,
    onWork,
  };
  const predicted = await predictOriginal(model.path, context);
  const targets = labels ?? predicted;
  return {
    context,
    classes: output.classes,
    metric: labels ? "top-1" : "agreement",
    targets,
    original: accuracyOf(predicted, targets),
    evaluator: {
      model,
      index,
      batches: validationBatches,
      outputName: output.name,
      targets,
      macShare,
      device: device.used,
      signal,
    },
  };
}
