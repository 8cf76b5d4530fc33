import type { Evaluation } from "./rankSearch";

/** The first step away from where a search starts, as a share of k; every further step is twice as long. */
const FIRST_STEP = 0.08;
/** Nearer than this share of k the rank found is near enough. */
const RESOLUTION = 0.1;

/** An evaluation, and where it lets the answer be expected. */
export interface Aimed {
  readonly evaluation: Evaluation;
  readonly expected: number;
}

/**
 * A rank that passes, with one that fails just below it: from `start` in growing steps down while ranks pass, or up while
 * they fail, and then by halves. Where `start` is near the answer this takes a few evaluations, whatever `full` is, which
 * passes by definition.
 */
export async function gallop(
  full: number,
  start: number,
  evaluate: (k: number) => Promise<Aimed>,
): Promise<{ k: number; evaluations: readonly Evaluation[] }> {
  const evaluations: Evaluation[] = [];
  // `low` fails (0: not known), `high` passes.
  let [low, high] = [0, full];
  let step = FIRST_STEP;
  let expected = start;
  const proposal = (): number => {
    if (evaluations.length === 0) return start;
    if (evaluations.length === 1) return expected;
    if (low > 0 && high < full) return Math.floor((low + high) / 2);
    const next = low === 0 ? Math.floor(high / (1 + step)) : Math.ceil(low * (1 + step));
    step *= 2;
    return next;
  };
  while (high - low > Math.max(1, RESOLUTION * high)) {
    const k = Math.max(low + 1, Math.min(high - 1, proposal()));
    const { evaluation, ...aim } = await evaluate(k);
    evaluations.push(evaluation);
    expected = aim.expected;
    if (evaluation.passed) high = k;
    else low = k;
  }
  return { k: high, evaluations };
}
