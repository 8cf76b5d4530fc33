// The power-law fit behind weightwatcher's alpha.

export interface PowerLawFit {
  /** The exponent α of ρ(λ) ~ λ^−α. */
  readonly alpha: number;
  /** λ_min: where the tail begins. */
  readonly from: number;
  /** Values in the tail. */
  readonly count: number;
  /** Kolmogorov–Smirnov distance between the tail and the fit. */
  readonly distance: number;
}

/**
 * Fits ρ(λ) ~ λ^−α to the tail of `values` by maximum likelihood, α = 1 + n / Σ ln(λᵢ/λ_min), at the λ_min among the
 * values whose fit has the smallest Kolmogorov–Smirnov distance (Clauset, Shalizi and Newman, 2009). Values that are not
 * positive are left out. Null where fewer than two different values are left.
 */
export function fitPowerLaw(values: Iterable<number>): PowerLawFit | null {
  const sorted = Float64Array.from(values)
    .filter((value) => value > 0)
    .sort();
  const logs = sorted.map(Math.log);
  let best: PowerLawFit | null = null;
  let sumOfLogs = 0;
  for (let start = sorted.length - 1; start >= 0; start--) {
    sumOfLogs += logs[start];
    const count = sorted.length - start;
    const excess = sumOfLogs - count * logs[start];
    // Not a tail but one value, or several that are equal.
    if (!(logs[sorted.length - 1] > logs[start])) continue;
    const alpha = 1 + count / excess;
    const distance = tailDistance(logs.subarray(start), alpha);
    if (best === null || distance < best.distance) best = { alpha, from: sorted[start], count, distance };
  }
  return best;
}

/** Largest difference between 1 − (λ/λ_min)^(1−α) and the share of the tail below λ. */
function tailDistance(logs: Float64Array, alpha: number): number {
  let largest = 0;
  for (let i = 0; i < logs.length; i++) {
    const fitted = 1 - Math.exp((1 - alpha) * (logs[i] - logs[0]));
    largest = Math.max(largest, Math.abs(fitted - i / logs.length));
  }
  return largest;
}
