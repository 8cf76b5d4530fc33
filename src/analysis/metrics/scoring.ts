import type { Batches } from "../../calibration/batches";
import type { AnswerReference } from "../../lowrank/answerJudge";
import type { Criterion } from "../../lowrank/criterion";
import type { OutputReference } from "../../lowrank/errorJudge";
import type { SearchKind } from "../../searchKind";
import type { WholeModel } from "../accuracy";

/** What a metric says of one model. */
export interface MetricValue {
  /** The share of right answers, or the relative error of the output; null where it is no finite number. */
  readonly value: number | null;
  /** Of a language model, where it is finite. */
  readonly perplexity: number | null;
}

/** The original by one metric, and how other models are held against it. */
export interface MetricScoring {
  /** Answers that count; null where errors are summed up. */
  readonly answers: number | null;
  /** Of which class each answer may be; null where errors are summed up. */
  readonly classes: number | null;
  /** The right class of each answer; null where errors are summed up. */
  readonly targets: Int32Array | null;
  /** The error of a model that gives the mean output whatever it sees; null where no errors are summed up. */
  readonly errorOfMean: number | null;
  readonly original: MetricValue & { readonly value: number };
  /** Runs another model with the same inputs and outputs on the validation data. */
  measure(model: WholeModel, onWork: (samples: number) => void): Promise<MetricValue>;
  /** What passes. @param tolerance in percentage points, or points of 100 of the error. */
  criterion(tolerance: number): Criterion;
  /** The samples as evaluations take them: in an order, and in batches, that let them stop early. */
  evaluation(
    search: SearchKind,
    macsPerSample: number,
  ): { readonly batches: Batches; readonly reference: AnswerReference | OutputReference };
}
