import { type Arena, indexOf, type Pointer } from "../kernels/index";

const UNIT_ROUNDOFF = 2 ** -53;
/** Evaluations after which the bracket alone decides; three to five are usual. */
const MAXIMUM_STEPS = 60;

/** The rank-one update diag(d) + rho·zzᵀ in the kernels' memory: d ascending, z without zeros, norm at most 1, rho > 0. */
export interface RankOneUpdate {
  readonly size: number;
  readonly rho: number;
  readonly d: Float64Array;
  readonly z: Float64Array;
  readonly dPointer: Pointer;
  readonly zPointer: Pointer;
  /** Room for four values. */
  readonly sums: Float64Array;
  readonly sumsPointer: Pointer;
}

/**
 * Eigenvalues (into `values`, ascending) and eigenvectors of the update. The vectors become the rows, `rowLength` apart, at
 * `target`, their entries in the order of the int32 indices at `order`. The computed roots are exact for a slightly
 * different z, and with that z, found by Löwner's formula, the vectors are orthogonal: Gu & Eisenstat (1995).
 * Vectors before `first` are not computed: their rows hold anything. `workspace`: size + 1 values each.
 */
export function rankOneVectors(
  arena: Arena,
  update: RankOneUpdate,
  target: Pointer,
  rowLength: number,
  values: Float64Array,
  order: Pointer,
  workspace: { readonly w: Pointer; readonly scratch: Pointer },
  first: number,
): void {
  const { kernels, memory } = arena;
  const { size, d, z, dPointer } = update;
  const row = (j: number): Pointer => target + j * rowLength * 8;
  const w = arena.floats(workspace.w, size);
  for (let j = 0; j < size; j++) {
    values[j] = secularRoot(arena, update, j, row(j));
    w[j] = memory[indexOf(row(j)) + j];
  }
  for (let j = 0; j < size; j++) {
    const after = (j + 1) * 8;
    kernels.scaleByGapRatios(j, dPointer, d[j], row(j), workspace.w);
    kernels.scaleByGapRatios(size - j - 1, dPointer + after, d[j], row(j) + after, workspace.w + after);
  }
  for (let j = 0; j < size; j++) w[j] = Math.sqrt(Math.abs(w[j])) * (z[j] < 0 ? -1 : 1);
  for (let j = first; j < size; j++) kernels.secularVector(size, workspace.w, row(j), order, workspace.scratch);
}

/**
 * Root `i` of the secular equation 1/rho + Σ zⱼ²/(dⱼ − λ) = 0, the one above dᵢ; returns λ and leaves dⱼ − λ, accurate in
 * every entry, at `gaps`. λ is sought as an offset from the nearer pole; each step solves a two-pole model, of fixed weight
 * or the "middle way", inside a shrinking bracket. R.-C. Li, LAPACK Working Note 89 (dlaed4).
 */
function secularRoot(arena: Arena, update: RankOneUpdate, i: number, gapsPointer: Pointer): number {
  const { size, rho, d, z, dPointer, zPointer, sums, sumsPointer } = update;
  const { kernels, memory } = arena;
  const last = i === size - 1;
  const inverse = 1 / rho;
  // The two poles of the model: those around the root, or the last two for the root above them all.
  const left = last ? i - 1 : i;
  const right = left + 1;
  const width = last ? rho : d[right] - d[left];
  const gaps = indexOf(gapsPointer);

  if (size === 1) {
    const shift = rho * z[0] * z[0];
    memory[gaps] = -shift;
    return d[0] + shift;
  }

  // Which half of the interval: the sign of the secular function in its middle.
  const others = sumWithout(left, d[i], width / 2);
  const zl = z[left] * z[left];
  const zr = z[right] * z[right];
  const middle = others + zl / (d[left] - d[i] - width / 2) + zr / (d[right] - d[i] - width / 2);
  const rightHalf = middle <= 0;
  // The root above all poles is measured from the last one in either case.
  const origin = last || !rightHalf ? i : right;
  const pole = d[origin];
  let low = rightHalf ? width / 2 : 0;
  let high = rightHalf ? width : width / 2;
  if (origin === right && !last) {
    low -= width;
    high -= width;
  }
  let tau = firstGuess();
  if (!(tau > low && tau < high)) tau = low + (high - low) / 2;

  let previous = Infinity;
  let fixedWeight = true;
  for (let step = 0; ; step++) {
    // Left poles give ψ < 0, right ones φ > 0; the model's two poles belong one to each.
    kernels.secularSums(right, dPointer, zPointer, pole, tau, gapsPointer, sumsPointer);
    const psi = sums[0];
    const dpsi = sums[1];
    kernels.secularSums(
      size - right,
      dPointer + right * 8,
      zPointer + right * 8,
      pole,
      tau,
      gapsPointer + right * 8,
      sumsPointer,
    );
    const phi = sums[0];
    const dphi = sums[1];
    const value = inverse + psi + phi;
    const slope = dpsi + dphi;
    const bound = 8 * (Math.abs(phi) + Math.abs(psi)) + 2 * inverse + Math.abs(tau) * slope;
    if (Math.abs(value) <= UNIT_ROUNDOFF * bound || step === MAXIMUM_STEPS) break;
    if (value < 0) low = Math.max(low, tau);
    else high = Math.min(high, tau);
    if (step > 0 && Math.abs(value) > Math.abs(previous) / 10) fixedWeight = !fixedWeight;
    previous = value;

    const gl = memory[gaps + left];
    const gr = memory[gaps + right];
    let eta = last ? stepAboveAll(value, dpsi, dphi, gl, gr) : stepBetween(value, dpsi, dphi, gl, gr);
    if (!(value * eta < 0)) eta = -value / slope;
    let next = tau + eta;
    if (!(next > low && next < high)) next = low + (high - low) / 2;
    if (next === tau || next === low || next === high) break;
    tau = next;
  }
  return pole + tau;

  /** 1/rho + Σ zⱼ²/(dⱼ − at − offset) over all poles but the two of the model. */
  function sumWithout(first: number, at: number, offset: number): number {
    let sum = inverse;
    kernels.secularSums(first, dPointer, zPointer, at, offset, gapsPointer, sumsPointer);
    sum += sums[0];
    const after = (first + 2) * 8;
    kernels.secularSums(size - first - 2, dPointer + after, zPointer + after, at, offset, gapsPointer, sumsPointer);
    return sum + sums[0];
  }

  /** Root of the model that keeps the two poles and freezes all others at the middle of the interval. */
  function firstGuess(): number {
    const c = others;
    if (last) {
      const spread = d[right] - d[left];
      if (rightHalf && c <= zl / (spread + rho) + zr / rho) return rho;
      const a = zl + zr - c * spread;
      const b = zr * spread;
      const root = Math.sqrt(a * a + 4 * b * c);
      return a < 0 ? (2 * b) / (root - a) : (a + root) / (2 * c);
    }
    if (!rightHalf) {
      const a = c * width + zl + zr;
      const b = zl * width;
      const root = Math.sqrt(Math.abs(a * a - 4 * b * c));
      return a > 0 ? (2 * b) / (a + root) : (a - root) / (2 * c);
    }
    const a = c * width - zl - zr;
    const b = zr * width;
    const root = Math.sqrt(Math.abs(a * a + 4 * b * c));
    return a < 0 ? (2 * b) / (a - root) : -(a + root) / (2 * c);
  }

  function stepBetween(value: number, dpsi: number, dphi: number, gl: number, gr: number): number {
    const slope = dpsi + dphi;
    let c: number;
    if (!fixedWeight) c = value - gl * dpsi - gr * dphi;
    else if (!rightHalf) c = value - gr * slope - (d[left] - d[right]) * (z[left] / gl) ** 2;
    else c = value - gl * slope - (d[right] - d[left]) * (z[right] / gr) ** 2;
    const a = (gl + gr) * value - gl * gr * slope;
    const b = gl * gr * value;
    if (c === 0) return b / a;
    const root = Math.sqrt(Math.abs(a * a - 4 * b * c));
    return a <= 0 ? (a - root) / (2 * c) : (2 * b) / (a + root);
  }

  function stepAboveAll(value: number, dpsi: number, dphi: number, gl: number, gr: number): number {
    const c = Math.abs(value - gl * dpsi - gr * dphi);
    const a = (gl + gr) * value - gl * gr * (dpsi + dphi);
    const b = gl * gr * value;
    const root = Math.sqrt(Math.abs(a * a - 4 * b * c));
    return a >= 0 ? (a + root) / (2 * c) : (2 * b) / (a - root);
  }
}
