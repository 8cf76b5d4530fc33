import { gallop } from "../lowrank/gallop";
import { inputErrors, outputErrors } from "../lowrank/outputErrors";
import type { Evaluation } from "../lowrank/rankSearch";
import type { FoundRanks } from "./layerReport";
import { candidate, type LayerSearch } from "./ranks";

/** The chance that the test of one candidate gives the wrong verdict. */
export const DEFAULT_ERROR_PROBABILITY = 1e-3;

/** The output error that the first layer's search starts from; the others start from what was seen. */
const FIRST_ERROR = 0.05;
/** The search of k_T starts where the output error grows by this share of what k_S took: there is little left to lose. */
const ERROR_BESIDE_S = 0.1;

/**
 * The fast search. It asks the same question as the exact one, whether a candidate loses more right answers than the
 * tolerance allows, but takes the verdict of a sequential test on the most fragile samples (`PairedTest`), and starts
 * from a rank where the answer is likely to change. Margins move in proportion to the square root of the output error,
 * which is known of every rank without running the model; the factor is carried from layer to layer.
 */
export class FastSearch {
  /** Spread of the margins' moves over the square root of the output error; null before the first test. */
  private gain: number | null = null;
  private undecided = 0;

  constructor(private readonly errorProbability: number) {}

  /** Tests that ended without reaching the error probability, and were decided by their estimate. */
  get decidedByEstimate(): number {
    return this.undecided;
  }

  /** k_S with P_T = I, then k_T on top of it. */
  async searchLayer(task: LayerSearch): Promise<FoundRanks> {
    const { layer, basis, evaluator, scoring, tolerance, baseline, work } = task;
    const { columns, rows } = layer.view;
    const { original, limit, passes } = scoring.criterion(tolerance);
    const matters = await evaluator.start(layer);
    const evaluate = async (k: number, [kS, kT]: Ranks, needed: number, error: number): Promise<Tested> => {
      work.evaluations++;
      if (!matters) return { evaluation: { k, result: original, passed: passes(original, needed) }, scale: 1 };
      const weight = candidate(task, kS, kT);
      const { passed, estimate, certain, spread } = await evaluator.compare(weight, needed, this.errorProbability);
      if (!certain) this.undecided++;
      if (error > 0 && spread > 0 && Number.isFinite(spread)) this.gain = spread / Math.sqrt(error);
      const right = Math.max(0, Math.min(scoring.samples, estimate));
      const scale = errorScale(original - estimate, original - needed);
      return { evaluation: { k, result: null, passed, estimate: right }, scale };
    };
    const neededS = limit(original);
    const likely =
      this.gain === null ? FIRST_ERROR : (evaluator.answered.spreadFor(original - neededS + 0.5) / this.gain) ** 2;
    const errorS = inputErrors(basis);
    const S = await gallop(columns, rankWithError(columns, errorS, likely), async (k) => {
      const { evaluation, scale } = await evaluate(k, [k, rows], neededS, errorS(k));
      return { evaluation, expected: rankWithError(columns, errorS, scale * errorS(k)) };
    });
    const atS = S.evaluations.find(({ k }) => k === S.k)?.estimate ?? original;
    const neededT = limit(baseline === "previous" ? atS : original);
    const errorT = outputErrors(basis, S.k);
    const T = await gallop(rows, rankWithError(rows, errorT, (1 + ERROR_BESIDE_S) * errorS(S.k)), async (k) => {
      const { evaluation, scale } = await evaluate(k, [S.k, k], neededT, errorT(k));
      return { evaluation, expected: rankWithError(rows, errorT, scale * errorT(k)) };
    });
    return { kS: S.k, kT: T.k, search: { S: S.evaluations, T: T.evaluations, needed: null } };
  }
}

type Ranks = readonly [kS: number, kT: number];

interface Tested {
  readonly evaluation: Evaluation;
  /** What the output error would have to be multiplied by for the fall in right answers to be the one allowed. */
  readonly scale: number;
}

/** Right answers fall about as this power of the output error, as far as it was seen. */
const FALL_POWER = 1.25;
/** One test does not move the expected output error further than by this factor. */
const MOST_SCALE = 3;

function errorScale(fall: number, allowed: number): number {
  const scale = ((allowed + 0.5) / Math.max(fall, 1)) ** (1 / FALL_POWER);
  return Math.max(1 / MOST_SCALE, Math.min(MOST_SCALE, scale));
}

/** The smallest k of 1…full whose output error, which falls as k grows, is at most `most`. */
function rankWithError(full: number, errorAt: (k: number) => number, most: number): number {
  let [low, high] = [1, full];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (errorAt(middle) <= most) high = middle;
    else low = middle + 1;
  }
  return low;
}
