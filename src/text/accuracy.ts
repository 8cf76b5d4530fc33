import type { ModelReport } from "../report";
import { errorText, percent, short, thousands } from "./numbers";
import type { ReportWords } from "./reportWords";
import { counted, fill } from "./template";

type Accuracy = ModelReport["accuracy"];
type Metric = Accuracy["metric"];

/** Of an error less is better, and the original has none. */
export function isError(metric: Metric): boolean {
  return metric === "output-error";
}

/** What a metric is called. */
export function metricName(metric: Metric, words: ReportWords): string {
  switch (metric) {
    case "agreement":
      return words.agreement;
    case "next-token":
      return words.nextToken;
    case "position-agreement":
      return words.positionAgreement;
    case "output-error":
      return words.relativeError;
    default:
      return words.accuracy;
  }
}

/** "81.20%"; errors reach over many orders. */
export function accuracyText(value: number | null, metric: Metric): string {
  return isError(metric) ? errorText(value) : percent(value, 2);
}

/** "output \"logits\" [N, 128, 512]: next-token accuracy, since it scores 512 tokens at …"; null where a report does not say. */
export function measuredText({ metric, output }: Accuracy, words: ReportWords): string | null {
  if (!output) return null;
  return fill(
    words.measuredOf,
    output.name,
    `[${output.shape.join(", ")}]`,
    metricName(metric, words).toLowerCase(),
    output.why,
  );
}

/** "perplexity 2.31 → 2.40", as smaller layers; null where there is none. */
export function perplexityText(perplexity: Accuracy["perplexity"] | null, words: ReportWords): string | null {
  const text = (value: number | null): string => (value === null ? "–" : short(Number(value.toPrecision(4))));
  return perplexity ? fill(words.perplexity, text(perplexity.original), text(perplexity.decomposed)) : null;
}

/** "100 validation samples"; where each has several answers, how many those are. */
export function answersText({ samples, answers }: Accuracy, words: ReportWords): string {
  const count = counted(samples ?? 0, words.oneValidationSample, words.validationSamples);
  return answers === null || answers === undefined || answers === samples
    ? count
    : fill(words.answersOf, thousands(answers), count);
}
