import type { TensorValue } from "../runtime/session";
import { countCorrect, NO_ANSWER, predictions, scoreMargins } from "./accuracy";
import { squaredError, type Counted } from "./squaredError";

/** What a candidate's output of one batch is held against. It can be sent to another thread. */
export type Expected =
  | {
      readonly kind: "answers";
      /** The right class of each answer of the samples that count; `NO_ANSWER` where none is asked for. */
      readonly targets: Int32Array;
      /** Answers of all rows that are fed. */
      readonly fed: number;
    }
  /** The original's output, which is among the kept values. */
  | ({ readonly kind: "output"; readonly name: string } & Counted);

/** Right answers of one batch, and how far the right class is ahead in each that is asked for. */
export interface AnswerScore {
  readonly kind: "answers";
  readonly right: number;
  readonly margins: Float64Array;
}

/** ‖Y − Y′‖² of one batch. */
export interface ErrorScore {
  readonly kind: "output";
  readonly squaredError: number;
}

export type BatchScore = AnswerScore | ErrorScore;

/** @param kept the kept values of the batch, by name. */
export function scoreBatch(output: TensorValue, expected: Expected, kept: (name: string) => TensorValue): BatchScore {
  if (expected.kind === "output") {
    return { kind: "output", squaredError: squaredError(output, kept(expected.name), expected) };
  }
  return scoreAnswers(output, expected);
}

export function scoreAnswers(
  output: TensorValue,
  { targets, fed }: { readonly targets: Int32Array; readonly fed: number },
): AnswerScore {
  const margins = scoreMargins(output, fed, targets);
  return {
    kind: "answers",
    right: countCorrect(predictions(output, fed, targets.length), targets, 0),
    margins: targets.includes(NO_ANSWER) ? margins.filter((_, i) => targets[i] !== NO_ANSWER) : margins,
  };
}
