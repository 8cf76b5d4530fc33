/** What is measured of an output: shares of right answers, and the relative error of the output, where less is better. */
export const metricNames = ["top-1", "agreement", "next-token", "position-agreement", "output-error"] as const;
export type MetricName = (typeof metricNames)[number];

/** What a config may ask for: one of them, or the one that fits the output. */
export const metricChoices = ["auto", ...metricNames] as const;
export type MetricChoice = (typeof metricChoices)[number];
