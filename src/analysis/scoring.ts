import { ExpectedError } from "../errors";
import type { EvaluatorContext } from "../lowrank/evaluator";
import { parameterCount, type Layer } from "../layers/layer";
import type { MetricName } from "../metricNames";
import { elementCount } from "../onnx/tensor";
import type { Probe } from "../runtime/probe";
import type { SearchKind } from "../searchKind";
import type { ScoringContext } from "./accuracy";
import { chooseMetric, type ChosenMetric } from "./metrics";
import { scoreAnswersOfOriginal } from "./metrics/answerScoring";
import { scoreOutputOfOriginal } from "./metrics/errorScoring";
import type { Measured } from "./metrics/metric";
import { outputShape } from "./metrics/modelOutput";
import { mostFrequentShare } from "./metrics/positions";
import type { MetricScoring } from "./metrics/scoring";
import { findTokens, readTokens } from "./metrics/tokens";
import type { Subject, SubjectData } from "./prepare";

/** How accuracy is measured in one analysis. */
export interface Scoring extends Omit<MetricScoring, "evaluation"> {
  readonly metric: MetricName;
  /** The output that is measured, and why so. */
  readonly output: { readonly name: string; readonly shape: (number | "N")[]; readonly why: string };
  readonly samples: number;
  /** The validation samples as evaluations take them. */
  readonly evaluator: (search: SearchKind) => Omit<EvaluatorContext, "onWork" | "cacheBytes">;
}

/** The fast search models the answers of samples: one each. */
export function isFastSearchable(metric: MetricName): boolean {
  return metric === "top-1" || metric === "agreement";
}

/**
 * The original's output on the validation data by the metric that fits it, which every later one is measured against. Null
 * without validation data.
 * @throws ExpectedError where there is no output that can be measured, or the original gives no numbers.
 */
export async function scoreOriginal(
  { model, index, layers }: Subject,
  data: SubjectData,
  signal: AbortSignal | undefined,
  onWork: (samples: number) => void,
): Promise<Scoring | null> {
  const { validation, validationBatches: batches, output, probe, macShare, macsPerSample, device } = data;
  if (!validation || !batches) return null;
  if (!output) throw nothingToMeasure(model.path, probe);
  const context: ScoringContext = { batches, outputName: output.name, device: device.used, signal, onWork };
  const found = findTokens(index.dataInputs, batches.smallest().values, output);
  const tokens = found && readTokens(found, index.dataInputs, batches);
  const measured: Measured = { path: model.path, index, validation, output, tokens, context };
  const { metric, why, scored } = await chosenScoring(measured, data);
  return {
    ...scored,
    metric,
    output: { name: output.name, shape: outputShape(output), why },
    samples: validation.count,
    evaluator: (search) => {
      const evaluation = scored.evaluation(search, macsPerSample);
      const { samples, size } = evaluation.batches;
      return {
        model,
        index,
        ...evaluation,
        outputName: output.name,
        macShare,
        device: device.used,
        sharing: { macs: macsPerSample * samples, bytesEach: bytesBesideKept(layers, probe, size) },
        signal,
      };
    },
  };
}

function nothingToMeasure(path: string, { outputs }: Probe): ExpectedError {
  const found = [...outputs].map(([name, { type, dims }]) => `"${name}" [${dims.join(", ")}] ${type}`);
  return new ExpectedError(
    `${path} has no floating-point output (found: ${found.join("; ") || "none that is a tensor of numbers"}). ` +
      `Accuracy cannot be measured: leave "validation" out and choose ranks with --energy 0.99.`,
  );
}

/** A language model that does no better than one token everywhere says nothing by what comes next. */
async function chosenScoring(
  measured: Measured,
  { metric: choice }: SubjectData,
): Promise<{ metric: MetricName; why: string; scored: MetricScoring }> {
  const score = ({ metric: { questions } }: ChosenMetric): Promise<MetricScoring> =>
    questions ? scoreAnswersOfOriginal(measured, questions(measured)) : scoreOutputOfOriginal(measured);
  const first = await chooseMetric(measured, choice);
  const scored = await score(first);
  const { name } = first.metric;
  const found = scored.original.value;
  if (choice === "auto" && name === "next-token" && found <= mostFrequentShare(scored.targets!)) {
    const why = `its next token is right in ${(100 * found).toFixed(1)}%, no more than one token everywhere would be`;
    const second = await chooseMetric(measured, choice, { name, why });
    return { metric: second.metric.name, why: second.why, scored: await score(second) };
  }
  return { metric: name, why: first.why, scored };
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
