import type { Arena, Pointer } from "../kernels/index";

const UNIT_ROUNDOFF = 2 ** -53;
/** QL sweeps allowed per eigenvalue; the Wilkinson shift needs fewer than two on average. */
const SWEEPS_PER_VALUE = 50;
/** Below this a sum of squares may have lost digits to underflow. */
const UNDERFLOW_SQUARE = 1e-280;

/**
 * Off-diagonal entries up to this size count as zero: ½·ε·‖T‖, an absolute test. The relative one, ε·√|dᵢdᵢ₊₁|, can stall
 * on clusters of eigenvalues near zero, whose rounding errors are of this size anyway.
 */
export function deflationThreshold(diagonal: Float64Array, offDiagonal: Float64Array): number {
  return UNIT_ROUNDOFF * tridiagonalNorm(diagonal, offDiagonal);
}

/** Largest entry of a symmetric tridiagonal matrix in size, within a factor 3 of its 2-norm and never above it. */
export function tridiagonalNorm(diagonal: Float64Array, offDiagonal: Float64Array): number {
  let norm = 0;
  for (const value of diagonal) norm = Math.max(norm, Math.abs(value));
  for (const value of offDiagonal) norm = Math.max(norm, Math.abs(value));
  return norm;
}

/**
 * Implicit QL with Wilkinson shifts on the tridiagonal matrix (d, e), both overwritten: d receives the eigenvalues in no
 * order. The rotations are applied to the n rows of length n at `q`, so that rows of the identity become eigenvectors.
 * Bowdler, Martin, Reinsch & Wilkinson (1968), EISPACK imtql2.
 */
export function qlVectors(
  arena: Arena,
  d: Float64Array,
  e: Float64Array,
  threshold: number,
  q: Pointer,
  ld: number,
): void {
  const n = d.length;
  const row = ld * 8;
  let sweeps = 0;
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > threshold) m++;
      if (m === l) break;
      if (++sweeps > SWEEPS_PER_VALUE * n) throw noConvergence(n);
      let g = (d[l + 1] - d[l]) / (2 * e[l]);
      let r = Math.hypot(g, 1);
      g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
      let s = 1;
      let c = 1;
      let p = 0;
      let split = false;
      for (let i = m - 1; i >= l; i--) {
        const f = s * e[i];
        const b = c * e[i];
        const square = f * f + g * g;
        r = square < UNDERFLOW_SQUARE ? Math.hypot(f, g) : Math.sqrt(square);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= p;
          e[m] = 0;
          split = true;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        arena.kernels.rotate(n, q + (i + 1) * row, q + i * row, c, s);
      }
      if (split) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}

/**
 * Eigenvalues alone of the tridiagonal matrix (d, e), both overwritten; ascending in d. The square-root-free QL of Pal,
 * Walker & Kahan (LAPACK dsterf), with the absolute deflation test.
 */
export function qlValues(d: Float64Array, e: Float64Array): void {
  const n = d.length;
  const threshold = deflationThreshold(d, e) ** 2;
  for (let i = 0; i < n; i++) e[i] *= e[i];
  let sweeps = 0;
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l;
      while (m < n - 1 && e[m] > threshold) m++;
      if (m === l) break;
      if (++sweeps > SWEEPS_PER_VALUE * n) throw noConvergence(n);
      const root = Math.sqrt(e[l]);
      let sigma = (d[l + 1] - d[l]) / (2 * root);
      const length = Math.hypot(sigma, 1);
      sigma = d[l] - root / (sigma + (sigma < 0 ? -length : length));
      let c = 1;
      let s = 0;
      let gamma = d[m] - sigma;
      let p = gamma * gamma;
      for (let i = m - 1; i >= l; i--) {
        const square = e[i];
        const r = p + square;
        if (i !== m - 1) e[i + 1] = s * r;
        const previous = c;
        c = p / r;
        s = square / r;
        const old = gamma;
        const alpha = d[i];
        gamma = c * (alpha - sigma) - s * old;
        d[i + 1] = old + (alpha - gamma);
        p = c === 0 ? previous * square : (gamma * gamma) / c;
      }
      e[l] = s * p;
      d[l] = sigma + gamma;
      e[m] = 0;
    }
  }
  d.sort();
}

function noConvergence(n: number): Error {
  return new Error(`The QL iteration on a tridiagonal matrix of order ${n} did not converge.`);
}
