import { isNearChance } from "../lowrank/accuracy";
import { slackAnswers } from "../lowrank/rankSearch";
import type { MetricName } from "../metricNames";
import type { LayerReport, ModelReport } from "../report";
import { errorText } from "../text/numbers";
import type { Subject, SubjectData } from "./prepare";
import type { Scoring } from "./scoring";

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
/** With a tolerance above this share of it, an output that tells samples apart and one that does not are too much alike. */
const MOST_OF_MEAN = 1 / 4;
/** Layers named in one warning; the rest is counted. */
const MOST_NAMES = 3;

function named(layers: readonly string[]): string {
  const rest = layers.length - MOST_NAMES;
  return layers.slice(0, MOST_NAMES).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** Beyond rounding, also that of numbers quantized sample by sample. */
const MOST_DEPENDENCE = 0.01;

/** What makes the numbers doubtful before any rank is looked at. `tolerance` is null where nothing is searched. */
export function dataWarnings(
  { layers }: Subject,
  { calibration, validation, probe, calibrationBatches, positions, validationIsCalibration, fallbacks }: SubjectData,
  scoring: Scoring | null,
  tolerance: number | null,
): string[] {
  const warnings = [...new Set([...calibration.warnings, ...(validation?.warnings ?? []), ...fallbacks])];
  if ((probe.dependence ?? 0) > MOST_DEPENDENCE) {
    warnings.push(
      `The samples of a batch change one another's outputs (by ${percent(probe.dependence ?? 0)}): the first axis may be another ` +
        `than that of the samples, such as time, or the model is random or quantizes a batch as a whole. Then the numbers ` +
        `here are not those of single samples: export the model with the batch first.`,
    );
  }
  if (validationIsCalibration) {
    warnings.push(
      "Calibration and validation data are the same: ranks fit to these samples may lose more accuracy on new ones. " +
        "Keep some samples apart for validation.",
    );
  }
  if (scoring?.metric === "top-1" && isNearChance(scoring.original.value, scoring.samples, scoring.classes!)) {
    warnings.push(
      `The original's accuracy, ${percent(scoring.original.value)}, is near chance for ${scoring.classes} classes: ` +
        `check the preprocessing (layout, scale, mean, std) and the order of the classes before reading the ranks.`,
    );
  }
  if (scoring && scoring.metric !== "top-1" && validation?.labels) {
    warnings.push(
      `The labels of the validation data are not used: what is measured is ${scoring.metric} of the output ` +
        `"${scoring.output.name}", since ${scoring.output.why}.`,
    );
  }
  const errorOfMean = scoring?.errorOfMean ?? null;
  if (errorOfMean !== null && tolerance !== null && tolerance / 100 > MOST_OF_MEAN * errorOfMean) {
    warnings.push(
      `The output "${scoring!.output.name}" is much the same for all samples: always giving its mean has a relative error of ` +
        `only ${errorText(errorOfMean)}, and the tolerance is ${tolerance}%. Use a smaller tolerance, or data that differ more.`,
    );
  }
  const answers = scoring?.answers ?? null;
  if (answers !== null && tolerance !== null && slackAnswers(tolerance, answers) === 0) {
    const what = answers === scoring?.samples ? "sample" : "answer";
    warnings.push(
      `The tolerance of ${tolerance} points is less than one of ${answers} validation ${what}s ` +
        `(${(100 / answers).toPrecision(2)} points): no ${what} more may go wrong. Use more samples or a larger tolerance.`,
    );
  }
  const used = calibrationBatches.padded
    ? calibration.count - (calibration.count % calibrationBatches.size)
    : calibration.count;
  if (used < calibration.count) {
    warnings.push(
      `The model takes batches of exactly ${calibrationBatches.size} samples: ` +
        `${calibration.count - used} of ${calibration.count} calibration samples are left over and not used.`,
    );
  }
  const short = layers.filter((layer) => used * positions.get(layer)! < layer.view.columns);
  if (short.length > 0) {
    const rows = Math.round(used * positions.get(short[0])!);
    warnings.push(
      `Too few calibration samples for ${short.length} of ${layers.length} layers (${named(short.map(({ name }) => name))}): ` +
        `${short[0].name} sees ${rows} rows for ${short[0].view.columns} features, so its rank cannot pass ${rows}.`,
    );
  }
  return warnings;
}

/** Ranks of two halves that lie further apart than this share of the greater, and than one, are no accident of rounding. */
const STABLE_SHARE = 0.1;

function isWide([lowest, highest]: readonly [number, number]): boolean {
  return highest - lowest > Math.max(1, STABLE_SHARE * highest);
}

/** What the results themselves say about how far to trust them. */
export function resultWarnings(
  layers: readonly LayerReport[],
  accuracy: ModelReport["accuracy"],
  /** Null where ranks were not searched. */
  tolerance: number | null,
): string[] {
  const warnings: string[] = [];
  const fragile = layers.filter(({ fragility }) => fragility && fragility.utilizedRank[0] < fragility.utilizedRank[1]);
  if (fragile.length > 0) {
    const examples = fragile
      .slice(0, MOST_NAMES)
      .map(({ name, fragility }) => `${name} ${fragility!.utilizedRank.join("–")}`);
    const single = accuracy.answers === accuracy.samples ? "validation sample" : "right answer";
    const rest = fragile.length > MOST_NAMES ? ` and ${fragile.length - MOST_NAMES} more` : "";
    warnings.push(
      `One ${single} more or less would change the rank of ${fragile.length} of ${layers.length} layers ` +
        `(${examples.join(", ")}${rest}). More validation samples make ranks firmer.`,
    );
  }
  const unstable = layers.filter(({ stability }) => stability && isWide(stability.utilizedRank));
  if (unstable.length > 0) {
    const examples = unstable
      .slice(0, MOST_NAMES)
      .map(({ name, stability }) => `${name} ${stability!.utilizedRank.join("–")}`);
    const rest = unstable.length > MOST_NAMES ? ` and ${unstable.length - MOST_NAMES} more` : "";
    warnings.push(
      `Each half of the calibration data alone gives another rank for ${unstable.length} of ${layers.length} layers ` +
        `(${examples.join(", ")}${rest}). More calibration samples make ranks firmer.`,
    );
  }
  const { original, projected, metric, samples } = accuracy;
  const why =
    tolerance === null
      ? "keep a larger share of the energy for a better model."
      : "the tolerance holds for each layer alone, and the drops add up.";
  const lost = projected === null || original === null ? 0 : Math.abs(original - projected);
  const worse = metric === "output-error" || (projected ?? 0) < (original ?? 0);
  if (worse && 100 * lost > Math.max(1, 2 * (tolerance ?? 0))) {
    const change =
      metric === "output-error" ? "the output's relative error is" : `accuracy falls from ${percent(original!)} to`;
    warnings.push(`With all layers replaced at once, ${change} ${percent(projected!)}: ${why}`);
  }
  if (samples !== null && projected === null) {
    warnings.push(
      "With all layers replaced at once, the output has values that are no numbers: do not use this model.",
    );
  }
  return warnings;
}

/** How far the verdicts of the fast search reach their error probability. */
export function fastSearchWarnings(byEstimate: number, evaluations: number, errorProbability: number): string[] {
  if (byEstimate === 0) return [];
  return [
    `${byEstimate} of ${evaluations} tests of the fast search ended before the chance of a wrong verdict was below ` +
      `${errorProbability}; their best estimate decided. --search exact counts all samples where it has to.`,
  ];
}

/** Where the fast search was asked for and is not made. */
export function exactSearchWarning(metric: MetricName): string {
  return (
    `The fast search is made for one answer to each sample, and what is measured is ${metric}: ` +
    `ranks were searched exactly.`
  );
}
