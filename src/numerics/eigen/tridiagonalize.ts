import { type Arena, GEMM_SUBTRACT, gemmWorkspace, indexOf, type Pointer } from "../kernels/index";

/** Reflectors gathered before the rest of the matrix is updated with one product (LAPACK's choice for this reduction). */
export const PANEL_WIDTH = 32;
/** A column shorter than this (the matrix is scaled to entries ≤ 1) counts as zero: its square would be denormal. */
const NEGLIGIBLE_SQUARE = 1e-280;

/** A symmetric matrix as Q·T·Qᵀ: T tridiagonal, Q = H₀H₁…, Hᵢ = I − τᵢ·vᵢvᵢᵀ. */
export interface Tridiagonal {
  /** Length n. */
  readonly diagonal: Float64Array;
  /** Length n, the last entry 0: entry i couples i and i + 1. */
  readonly offDiagonal: Float64Array;
  /** τ, length n. vᵢ lies in row i of the reduced matrix, columns i + 1 … n − 1, its first entry 1. */
  readonly reflectorScales: Float64Array;
}

/** Float64 values that `tridiagonalize` needs at `work`. */
export function tridiagonalizeWorkspace(n: number, ld: number): number {
  return 3 * PANEL_WIDTH * ld + 2 * PANEL_WIDTH + gemmWorkspace(n, 2 * PANEL_WIDTH);
}

/**
 * Reduces the n×n symmetric matrix at `a` (row-major, leading dimension `ld`, upper triangle read, entries ≤ 1 in size) to
 * tridiagonal form and leaves the Householder vectors in its rows. Half of the work is matrix–vector products, half a
 * rank-2b update per panel: Dongarra, Hammarling & Sorensen, LAPACK Working Note 2 (dsytrd/dlatrd).
 */
export function tridiagonalize(arena: Arena, n: number, a: Pointer, ld: number, work: Pointer): Tridiagonal {
  const { kernels } = arena;
  const row = ld * 8;
  const matrix = arena.floats(a, n * ld);
  const panel = arena.floats(work, 3 * PANEL_WIDTH * ld);
  const factors = work + 3 * PANEL_WIDTH * row;
  const gemmWork = factors + 2 * PANEL_WIDTH * 8;
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  const reflectorScales = new Float64Array(n);

  for (let start = 0; start < n - 1; start += PANEL_WIDTH) {
    const width = Math.min(PANEL_WIDTH, n - 1 - start);
    // Three stacks of rows, [V; W; V]: the update VᵀW + WᵀV is then one product of the first two with the last two.
    const v = work;
    const w = work + width * row;
    for (let j = 0; j < width; j++) {
      const i = start + j;
      const column = i * 8;
      const pivot = a + i * row + column;
      kernels.subtractRows(j, n - i, w + column, ld, v + column, ld, pivot);
      kernels.subtractRows(j, n - i, v + column, ld, w + column, ld, pivot);
      diagonal[i] = matrix[i * ld + i];

      const length = n - i - 1;
      const next = column + 8;
      const x = pivot + 8;
      const tau = reflect(arena, length, x, offDiagonal, i);
      reflectorScales[i] = tau;
      const vj = v + j * row + next;
      const wj = w + j * row + next;
      kernels.copy(length, x, vj);
      if (tau === 0) {
        panel.fill(0, (width + j) * ld + i + 1, (width + j) * ld + n);
        continue;
      }
      kernels.symv(length, pivot + row + 8, ld, vj, wj);
      kernels.rowDots(j, length, v + next, ld, vj, factors);
      kernels.rowDots(j, length, w + next, ld, vj, factors + PANEL_WIDTH * 8);
      kernels.subtractRows(j, length, w + next, ld, factors, 1, wj);
      kernels.subtractRows(j, length, v + next, ld, factors + PANEL_WIDTH * 8, 1, wj);
      kernels.scale(length, tau, wj);
      kernels.axpy(length, -0.5 * tau * kernels.dot(length, wj, vj), vj, wj);
    }
    panel.copyWithin(2 * width * ld, 0, width * ld);
    const rest = start + width;
    const p = v + rest * 8;
    const q = w + rest * 8;
    const c = a + rest * (row + 8);
    kernels.gemm(n - rest, n - rest, 2 * width, p, 1, ld, q, ld, 1, c, ld, GEMM_SUBTRACT, true, gemmWork);
  }
  if (n > 0) diagonal[n - 1] = matrix[(n - 1) * ld + n - 1];
  return { diagonal, offDiagonal, reflectorScales };
}

/** Turns x (length n) into the Householder vector that maps it to (β, 0, …); stores β in `out[at]`, returns τ. */
function reflect(arena: Arena, n: number, x: Pointer, out: Float64Array, at: number): number {
  const { kernels, memory } = arena;
  const first = indexOf(x);
  const alpha = memory[first];
  const tail = kernels.dot(n - 1, x + 8, x + 8);
  const square = alpha * alpha + tail;
  if (tail === 0 || square < NEGLIGIBLE_SQUARE) {
    out[at] = square < NEGLIGIBLE_SQUARE ? 0 : alpha;
    memory.fill(0, first, first + n);
    memory[first] = 1;
    return 0;
  }
  const beta = alpha > 0 ? -Math.sqrt(square) : Math.sqrt(square);
  kernels.scale(n - 1, 1 / (alpha - beta), x + 8);
  memory[first] = 1;
  out[at] = beta;
  return (beta - alpha) / beta;
}
