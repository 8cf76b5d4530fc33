import type { Dataset } from "../../calibration/dataset";
import type { MetricName } from "../../metricNames";
import type { GraphIndex } from "../../onnx/graphIndex";
import type { ScoringContext } from "../accuracy";
import type { ModelOutput } from "./modelOutput";
import type { Tokens } from "./tokens";

/** What metrics are chosen by and made of. */
export interface Measured {
  readonly path: string;
  readonly index: GraphIndex;
  readonly validation: Dataset;
  readonly output: ModelOutput;
  readonly tokens: Tokens | null;
  readonly context: ScoringContext;
}

/** Whether a metric is for this output, and why: text that begins with "it", the output. */
export interface Fit {
  readonly fits: boolean;
  readonly why: string;
  /** Worth telling where another metric is taken instead. */
  readonly telling?: boolean;
}

/** What is asked of a model that answers: for each of its answers, which class is right. */
export interface Questions {
  /** Answers of one sample; those that are not asked for count in. */
  readonly perSample: number;
  /** The right class of each answer, sample by sample, `NO_ANSWER` where none is asked for; null: what the original answers. */
  readonly targets: Int32Array | null;
  /** Of the original's own answers those that are asked for; null for all. */
  readonly asked: Uint8Array | null;
  /** Whether the scores are of what comes next, so that there is a perplexity. */
  readonly likelihood: boolean;
}

/** One way to measure an output. */
export interface Metric {
  readonly name: MetricName;
  /** @param wanted by name: only what the metric cannot do without then speaks against it. */
  fit(measured: Measured, wanted: boolean): Fit | Promise<Fit>;
  /** Null for one that holds outputs against the original's. */
  readonly questions: ((measured: Measured) => Questions) | null;
}
