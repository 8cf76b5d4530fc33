import { type Arena, GEMM_STORE, GEMM_SUBTRACT, gemmWorkspace, type Pointer } from "../kernels/index";

/** Reflectors applied at once. */
const BLOCK_WIDTH = 32;

/** Float64 values that `backTransform` needs at `work` for `count` vectors of length n. */
export function backTransformWorkspace(n: number, count: number, ld: number): number {
  return (
    2 * BLOCK_WIDTH ** 2 +
    BLOCK_WIDTH * ld +
    count * BLOCK_WIDTH +
    gemmWorkspace(Math.max(n, count, BLOCK_WIDTH), Math.max(n, BLOCK_WIDTH))
  );
}

/**
 * Z ← Z·Qᵀ for the `count` rows of length n at `z`: eigenvectors of T become those of Q·T·Qᵀ. The reflectors lie in the
 * rows of `a` as `tridiagonalize` leaves them; what its rows hold below the diagonal is overwritten. A block of reflectors
 * is H₁…H_b = I − VᵀTV with T upper triangular: Schreiber & Van Loan (1989), LAPACK dlarft/dlarfb.
 */
export function backTransform(
  arena: Arena,
  n: number,
  a: Pointer,
  ld: number,
  reflectorScales: Float64Array,
  z: Pointer,
  count: number,
  work: Pointer,
): void {
  const { kernels } = arena;
  const matrix = arena.floats(a, n * ld);
  const grams = work;
  const factor = grams + BLOCK_WIDTH ** 2 * 8;
  const scaled = factor + BLOCK_WIDTH ** 2 * 8;
  const coefficients = scaled + BLOCK_WIDTH * ld * 8;
  const gemmWork = coefficients + count * BLOCK_WIDTH * 8;
  const lastBlock = Math.floor(Math.max(n - 2, 0) / BLOCK_WIDTH) * BLOCK_WIDTH;
  for (let start = lastBlock; start >= 0; start -= BLOCK_WIDTH) {
    const b = Math.min(BLOCK_WIDTH, n - 1 - start);
    // One column more than the reflectors reach, all zeros: whole register tiles on aligned addresses are worth more.
    const length = n - start;
    for (let i = start; i < start + b; i++) matrix.fill(0, i * ld + start, i * ld + i + 1);
    const v = a + (start * ld + start) * 8;
    kernels.gemm(b, b, length, v, ld, 1, v, 1, ld, grams, b, GEMM_STORE, true, gemmWork);
    blockFactor(arena.floats(grams, b * b), reflectorScales.subarray(start, start + b), arena.floats(factor, b * b));
    kernels.gemm(b, length, b, factor, 1, b, v, ld, 1, scaled, ld, GEMM_STORE, false, gemmWork);
    const rows = z + start * 8;
    kernels.gemm(count, b, length, rows, ld, 1, v, 1, ld, coefficients, b, GEMM_STORE, false, gemmWork);
    kernels.gemm(count, length, b, coefficients, b, 1, scaled, ld, 1, rows, ld, GEMM_SUBTRACT, false, gemmWork);
  }
}

/** T (b×b, upper triangular) of a block of reflectors from the upper triangle of VVᵀ (b×b) and their scales τ. */
function blockFactor(gram: Float64Array, tau: Float64Array, t: Float64Array): void {
  const b = tau.length;
  t.fill(0);
  for (let j = 0; j < b; j++) {
    for (let i = 0; i < j; i++) {
      let sum = 0;
      for (let l = i; l < j; l++) sum += t[i * b + l] * gram[l * b + j];
      t[i * b + j] = -tau[j] * sum;
    }
    t[j * b + j] = tau[j];
  }
}
