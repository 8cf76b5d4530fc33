import { ExpectedError } from "../../errors";
import type { MetricChoice, MetricName } from "../../metricNames";
import { agreement, top1 } from "./classes";
import type { Measured, Metric } from "./metric";
import { outputError } from "./outputError";
import { nextToken, positionAgreement } from "./positions";

/** All metrics. Of those that fit an output the first is taken. */
const METRICS: readonly Metric[] = [top1, agreement, nextToken, positionAgreement, outputError];

export interface ChosenMetric {
  readonly metric: Metric;
  readonly why: string;
}

/**
 * The metric that is asked for, or the first that fits the output.
 * @param not one that was found to be of no use.
 * @throws ExpectedError where the one that is asked for is not for this output.
 */
export async function chooseMetric(
  measured: Measured,
  choice: MetricChoice,
  not: { readonly name: MetricName; readonly why: string } | null = null,
): Promise<ChosenMetric> {
  const reasons: string[] = not === null ? [] : [not.why];
  for (const metric of METRICS) {
    const wanted = metric.name === choice;
    if ((choice !== "auto" && !wanted) || metric.name === not?.name) continue;
    const { fits, why, telling } = await metric.fit(measured, wanted);
    if (fits) return { metric, why: wanted ? "it was asked for" : because(metric, why, reasons) };
    if (telling) reasons.push(why);
    if (!wanted) continue;
    throw new ExpectedError(
      `${measured.path}: the metric "${choice}" is not for the output "${measured.output.name}": ${why}. ` +
        `Leave "metric" out, or name another output with "output".`,
    );
  }
  throw new Error("there is a metric for every output");
}

/** A metric for whatever is left needs no reason of its own where there are others. */
function because({ questions }: Metric, why: string, reasons: readonly string[]): string {
  return (questions || reasons.length === 0 ? [why, ...reasons] : reasons).join("; ");
}
