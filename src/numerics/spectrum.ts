/** Share of Σσ² that defines the weight rank (paper, section 3: 99.99% of the spectral energy). */
export const WEIGHT_RANK_ENERGY = 0.9999;
/** e(k) = Σ_{i≤k} σ²ᵢ / Σ σ², for a descending spectrum σ²; 1 where the spectrum is all zero. */
export function energy(spectrum: Float64Array, k: number): number {
  let leading = 0;
  let total = 0;
  for (let i = 0; i < spectrum.length; i++) {
    total += spectrum[i];
    if (i < k) leading += spectrum[i];
  }
  return total === 0 ? 1 : leading / total;
}

/** The smallest k ≥ 1 with e(k) ≥ `share`, for a descending spectrum σ². */
export function rankAtEnergy(spectrum: Float64Array, share: number): number {
  const total = spectrum.reduce((sum, value) => sum + value, 0);
  // The sums are rounded, the share is not: what is within their rounding error of it has reached it.
  const needed = (share - spectrum.length * Number.EPSILON) * total;
  let leading = 0;
  for (let k = 1; k < spectrum.length; k++) {
    leading += spectrum[k - 1];
    if (leading >= needed) return k;
  }
  return Math.max(spectrum.length, 1);
}

/** ‖W‖_F² / ‖W‖₂², from the squared singular values of W, descending; 0 for a zero matrix. */
export function stableRank(weightSpectrum: Float64Array): number {
  if (!(weightSpectrum[0] > 0)) return 0;
  return weightSpectrum.reduce((sum, value) => sum + value, 0) / weightSpectrum[0];
}

/** Adds up spectra of equal length, entry by entry: the groups of one layer keep the same k. */
export function sumSpectra(spectra: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(spectra[0].length);
  for (const spectrum of spectra) for (let i = 0; i < sum.length; i++) sum[i] += spectrum[i];
  return sum;
}
