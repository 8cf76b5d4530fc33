import { cutIntoBatches, rearranged } from "../calibration/batches";
import { checkLabels } from "../calibration/labels";
import type { EvaluatorContext } from "../lowrank/evaluator";
import { parameterCount, type Layer } from "../layers/layer";
import { TEST_BATCH, testSamples } from "../lowrank/pairedTest";
import { evaluationBatch, fragileFirst, fragileOutside } from "../lowrank/sampleOrder";
import { elementCount } from "../onnx/tensor";
import type { Probe } from "../runtime/probe";
import type { SearchKind } from "../searchKind";
import { accuracyOf, answersOfOriginal, chooseOutput, type ScoringContext } from "./accuracy";
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
  /** The validation samples as evaluations take them: in an order, and in batches, that let them stop early. */
  readonly evaluator: (search: SearchKind) => Omit<EvaluatorContext, "onWork" | "cacheBytes">;
}

/** The original's predictions on the validation data, and what every later accuracy is measured against. */
export async function scoreOriginal(
  { model, index, layers }: Subject,
  { validation, validationBatches, probe, macShare, macsPerSample, device }: SubjectData,
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
  const { predicted, margins } = await answersOfOriginal(model.path, context, labels);
  const targets = labels ?? predicted;
  const right = Uint8Array.from(targets, (target, sample) => Number(predicted[sample] === target));
  return {
    context,
    classes: output.classes,
    metric: labels ? "top-1" : "agreement",
    targets,
    original: accuracyOf(predicted, targets),
    evaluator: (search) => {
      const order = search === "exact" ? fragileOutside(margins, right) : fragileFirst(margins);
      const most = validationBatches.size;
      const size =
        search === "exact" ? evaluationBatch(targets.length, macsPerSample, most) : Math.min(TEST_BATCH, most);
      const used = search === "exact" ? order : order.subarray(0, testSamples(order.length));
      return {
        model,
        index,
        batches: cutIntoBatches(rearranged(validation, used), index.dataInputs, size),
        outputName: output.name,
        targets: Int32Array.from(order, (sample) => targets[sample]),
        right: Uint8Array.from(order, (sample) => right[sample]),
        margins: Float64Array.from(order, (sample) => margins[sample]),
        macShare,
        device: device.used,
        sharing: { macs: macsPerSample * used.length, bytesEach: bytesBesideKept(layers, probe, size) },
        signal,
      };
    },
  };
}

/** Copies of a weight while a part of the model is loaded: in the part, and as onnxruntime lays it out. */
const WEIGHT_COPIES = 2;
/** Values of the largest size that are there at a time: one, what it is computed from, and both in another layout. */
const VALUES_AT_A_TIME = 4;

/** About the bytes that running `samples` at a time takes: the weights, and the largest values between layers. */
function bytesBesideKept(layers: readonly Layer[], { dims, rows }: Probe, samples: number): number {
  const weights = layers.reduce((sum, { view }) => sum + parameterCount(view), 0);
  const values = layers.flatMap(({ uses }) => uses.flatMap(({ input, output }) => [input, output]));
  const largest = Math.max(0, ...values.map((name) => elementCount(dims.get(name) ?? []) / rows));
  return Float32Array.BYTES_PER_ELEMENT * (WEIGHT_COPIES * weights + VALUES_AT_A_TIME * samples * largest);
}
