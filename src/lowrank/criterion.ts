import { slackAnswers } from "./rankSearch";

/** Which results of an evaluation are good enough. Results are right answers, or the relative error of the output. */
export interface Criterion {
  /** The result of the original. */
  readonly original: number;
  /** The worst result that passes, where the drop is measured from `from`. */
  readonly limit: (from: number) => number;
  readonly passes: (result: number, limit: number) => boolean;
}

/** At most ⌊ε/100·n⌋ right answers fewer. @param tolerance ε, in percentage points. */
export function rightAnswers(original: number, answers: number, tolerance: number): Criterion {
  const slack = slackAnswers(tolerance, answers);
  return { original, limit: (from) => from - slack, passes: (result, limit) => result >= limit };
}

/** A relative error of at most ε/100 more. @param tolerance ε, in points of 100. */
export function relativeError(tolerance: number): Criterion {
  return { original: 0, limit: (from) => from + tolerance / 100, passes: (result, limit) => result <= limit };
}
