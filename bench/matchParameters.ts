import { rankAtEnergy } from "../src/numerics/spectrum";
import { isDecomposable, weightParameters, type LayerSize } from "../src/numerics/utilizedRank";

export interface WeightedLayer {
  readonly size: LayerSize;
  /** Squared singular values of W, descending. */
  readonly spectrum: Float64Array;
}

/** A rank for each layer; null where two layers of it would not be smaller, so that the layer is kept. */
export interface RankPlan {
  readonly ranks: readonly (number | null)[];
  /** Parameters of all layers at these ranks. */
  readonly parameters: number;
}

/** Halvings of a share between 0 and 1 until no float64 lies between its bounds. */
const MOST_HALVINGS = 60;

/** The smallest ranks that keep `share` of Σσ² of W in every layer. */
export function ranksAtShare(layers: readonly WeightedLayer[], share: number): RankPlan {
  const ranks = layers.map(({ size, spectrum }) => {
    const rank = rankAtEnergy(spectrum, share);
    return isDecomposable(rank, size) ? rank : null;
  });
  return { ranks, parameters: layers.reduce((sum, { size }, i) => sum + weightParameters(size, ranks[i]), 0) };
}

/**
 * The plan with one share of energy for all layers whose parameters come nearest to `target`. They are a staircase that
 * rises with the share, so that bisection finds the two steps on both sides of the target.
 */
export function matchParameters(layers: readonly WeightedLayer[], target: number): RankPlan {
  let [low, high] = [0, 1];
  for (let i = 0; i < MOST_HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (ranksAtShare(layers, middle).parameters <= target) low = middle;
    else high = middle;
  }
  const [below, above] = [ranksAtShare(layers, low), ranksAtShare(layers, high)];
  return target - below.parameters <= above.parameters - target ? below : above;
}
