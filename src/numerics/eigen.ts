import { allocationSize, type Arena, type Pointer, withArena } from "./kernels/index";
import { backTransform, backTransformWorkspace } from "./eigen/backTransform";
import { divideAndConquer, divideAndConquerCapacity } from "./eigen/divideAndConquer";
import { qlValues } from "./eigen/ql";
import { tridiagonalize, tridiagonalizeWorkspace } from "./eigen/tridiagonalize";
import type { Matrix } from "./matrix";

/** A = Σ valuesᵢ·xᵢxᵢᵀ. */
export interface SymmetricEigen {
  /** Length n, descending. */
  readonly values: Float64Array;
  /** Row i is the unit eigenvector of values[i], its entry of largest magnitude positive; n×n, or as many as asked for. */
  readonly vectors: Matrix;
}

/** Solves a symmetric eigenproblem, as {@link symmetricEigen} does. */
export type SymmetricEigensolver = (a: Matrix, leading?: number) => SymmetricEigen;

/**
 * All eigenvalues and the eigenvectors of the `leading` largest (default: all) of a symmetric n×n matrix, of which only
 * the upper triangle is used. Residual and orthogonality are a few n·ε; the same input gives the same bits, and fewer
 * vectors are those that all of them begin with. A quarter of the vectors costs about half of the time of all. Householder
 * tridiagonalisation, divide and conquer, back-transformation. Throws RangeError for a matrix that is not square or holds
 * NaN or infinities, and unless 0 ≤ leading ≤ n.
 */
export function symmetricEigen(a: Matrix, leading = a.rows): SymmetricEigen {
  const n = a.rows;
  const scale = scaleOf(a);
  if (!Number.isInteger(leading) || leading < 0 || leading > n) {
    throw new RangeError(`${leading} eigenvectors of a matrix of order ${n}: expected an integer between 0 and ${n}.`);
  }
  const values = new Float64Array(n);
  const data = new Float64Array(leading * n);
  const vectors: Matrix = { rows: leading, columns: n, data };
  if (scale === 0 || n === 0) {
    for (let i = 0; i < leading; i++) data[i * n + i] = 1;
    return { values, vectors };
  }
  const ld = leadingDimension(n);
  const workspace = Math.max(tridiagonalizeWorkspace(n, ld), backTransformWorkspace(n, leading, ld));
  const capacity = 2 * allocationSize(n * ld) + allocationSize(workspace) + divideAndConquerCapacity(n);
  withArena(capacity, (arena) => {
    const matrix = arena.allocate(n * ld);
    const q = arena.allocate(n * ld);
    const work = arena.allocate(workspace);
    loadScaled(arena, a, scale, matrix, ld);
    const { diagonal, offDiagonal, reflectorScales } = tridiagonalize(arena, n, matrix, ld, work);
    const order = divideAndConquer(arena, diagonal, offDiagonal, q, ld, leading);
    order.forEach((row, i) => (values[n - 1 - i] = diagonal[row] / scale));
    const rows = arena.floats(q, n * ld);
    const wanted = order.slice(n - leading).sort();
    // The wanted rows move together at the top; each lies at its place or below.
    wanted.forEach((row, i) => rows.copyWithin(i * ld, row * ld, row * ld + n));
    backTransform(arena, n, matrix, ld, reflectorScales, q, leading, work);
    const placeOf = new Map(Array.from(wanted, (row, i) => [row, i]));
    for (let i = 0; i < leading; i++) {
      const at = placeOf.get(order[n - 1 - i])! * ld;
      const row = q + at * 8;
      if (arena.kernels.largestEntry(n, row) < 0) arena.kernels.scale(n, -1, row);
      data.set(rows.subarray(at, at + n), i * n);
    }
  });
  return { values, vectors };
}

/**
 * All eigenvalues of a symmetric n×n matrix, descending, at about a third of the cost with vectors. Only the upper triangle
 * is used. Throws RangeError for a matrix that is not square or holds NaN or infinities.
 */
export function symmetricEigenvalues(a: Matrix): Float64Array {
  const n = a.rows;
  const scale = scaleOf(a);
  if (scale === 0 || n === 0) return new Float64Array(n);
  const ld = leadingDimension(n);
  const workspace = tridiagonalizeWorkspace(n, ld);
  return withArena(allocationSize(n * ld) + allocationSize(workspace), (arena) => {
    const matrix = arena.allocate(n * ld);
    loadScaled(arena, a, scale, matrix, ld);
    const { diagonal, offDiagonal } = tridiagonalize(arena, n, matrix, ld, arena.allocate(workspace));
    qlValues(diagonal, offDiagonal);
    return diagonal.reverse().map((value) => value / scale);
  });
}

/** Power of two that brings the largest entry near 1, so that no square over- or underflows; 0 for a zero matrix. */
function scaleOf(a: Matrix): number {
  if (a.rows !== a.columns) {
    throw new RangeError(`Eigenvalues are defined for square matrices, not for one of shape ${a.rows}×${a.columns}.`);
  }
  let largest = 0;
  const { data } = a;
  const length = a.rows * a.columns;
  for (let i = 0; i < length; i++) {
    const size = Math.abs(data[i]);
    if (size > largest) largest = size;
    else if (size !== size) largest = NaN;
  }
  if (!Number.isFinite(largest)) {
    const at = data.findIndex((value) => !Number.isFinite(value));
    const where = `(${Math.floor(at / a.columns)}, ${at % a.columns})`;
    throw new RangeError(`Entry ${where} of the matrix is ${data[at]}: eigenvalues need finite entries.`);
  }
  // A scale beyond the exponent range would be infinite or zero; entries that small need no exact scaling.
  return largest === 0 ? 0 : 2 ** -Math.max(-1022, Math.min(1022, Math.floor(Math.log2(largest))));
}

/** Rows start on cache lines, and not a multiple of 4 KiB apart, where columns would compete for the same cache sets. */
function leadingDimension(n: number): number {
  const padded = Math.ceil(n / 8) * 8;
  return padded % 512 === 0 ? padded + 8 : padded;
}

function loadScaled(arena: Arena, a: Matrix, scale: number, target: Pointer, ld: number): void {
  const n = a.rows;
  const view = arena.floats(target, n * ld);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) view[i * ld + j] = a.data[i * n + j] * scale;
}
