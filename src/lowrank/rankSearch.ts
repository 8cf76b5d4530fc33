/** One evaluation of a search. */
export interface Evaluation {
  /** The rank tried. */
  readonly k: number;
  /** Right answers, or the relative error of the output; null where the evaluation stopped early. */
  readonly result: number | null;
  readonly passed: boolean;
  /** Where it stopped early, the result as far as was seen. */
  readonly estimate?: number;
  /** Where it stopped early, answers that are right for certain, and those that may be. */
  readonly bounds?: readonly [atLeast: number, atMost: number];
}

/** Guards floor(ε/100·n) against a product that rounds to just below a whole number (0.1% of 1,000 is one sample). */
const SLACK_ROUNDING = 1e-9;

/** ⌊ε/100·n⌋: how many more of n answers may go wrong at a tolerance of ε percentage points. */
export function slackAnswers(tolerance: number, answers: number): number {
  return Math.floor((tolerance / 100) * answers + SLACK_ROUNDING);
}

/**
 * The paper's rank search by bisection over 1…full; `full` passes by definition and is never evaluated. Accuracy need
 * not be monotonic in k: the result is what this procedure finds, so that it can be reproduced decision by decision.
 */
export async function searchRank(
  full: number,
  evaluate: (k: number) => Promise<Evaluation>,
): Promise<{ k: number; evaluations: readonly Evaluation[] }> {
  const evaluations: Evaluation[] = [];
  let low = 1;
  let high = full;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const evaluation = await evaluate(middle);
    evaluations.push(evaluation);
    if (evaluation.passed) high = middle;
    else low = middle + 1;
  }
  return { k: low, evaluations };
}

/** Evaluations that a search over 1…full makes at most. */
export function mostEvaluations(full: number): number {
  return Math.ceil(Math.log2(Math.max(full, 1)));
}

/**
 * The ranks that the search could have ended at, had the threshold `needed` been one answer lower or higher, as far as
 * the recorded evaluations tell: [lowest, highest].
 */
export function fragilityBand(
  full: number,
  evaluations: readonly Evaluation[],
  needed: number,
): readonly [number, number] {
  const tried = new Map(evaluations.map((evaluation) => [evaluation.k, evaluation]));
  const ends = [needed - 1, needed, needed + 1].map((threshold) => {
    let low = 1;
    let high = full;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const evaluation = tried.get(middle);
      const passes = evaluation === undefined ? null : reaches(evaluation, threshold);
      if (passes === null) break;
      if (passes) high = middle;
      else low = middle + 1;
    }
    return [low, high] as const;
  });
  return [Math.min(...ends.map(([low]) => low)), Math.max(...ends.map(([, high]) => high))];
}

/** Whether at least `threshold` answers are right; null where the evaluation stopped before that was certain. */
function reaches({ result, bounds }: Evaluation, threshold: number): boolean | null {
  if (result !== null) return result >= threshold;
  if (!bounds) return null;
  const [atLeast, atMost] = bounds;
  return atLeast >= threshold ? true : atMost < threshold ? false : null;
}
