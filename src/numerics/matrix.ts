import { allocationSize, GEMM_STORE, gemmWorkspace, withArena } from "./kernels/index";

/** A dense real matrix, row-major: entry (i, j) is `data[i * columns + j]`. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** Products of fewer multiplications than this are done in place: copying operands to the kernels would cost more. */
const KERNEL_THRESHOLD = 4096;
/** Edge of the square blocks in which `transpose` goes, so that both sides of a block stay in cache. */
const TRANSPOSE_BLOCK = 32;

/** n×n identity. */
export function identity(n: number): Matrix {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) data[i * n + i] = 1;
  return { rows: n, columns: n, data };
}

/** m×n → n×m, a copy. */
export function transpose(a: Matrix): Matrix {
  const { rows, columns } = a;
  const data = new Float64Array(rows * columns);
  for (let i0 = 0; i0 < rows; i0 += TRANSPOSE_BLOCK) {
    const i1 = Math.min(i0 + TRANSPOSE_BLOCK, rows);
    for (let j0 = 0; j0 < columns; j0 += TRANSPOSE_BLOCK) {
      const j1 = Math.min(j0 + TRANSPOSE_BLOCK, columns);
      for (let i = i0; i < i1; i++) for (let j = j0; j < j1; j++) data[j * rows + i] = a.data[i * columns + j];
    }
  }
  return { rows: columns, columns: rows, data };
}

/** First k rows: (m×n, k) → k×n, a view of the same values. Throws RangeError unless 0 ≤ k ≤ m. */
export function rowsOf(a: Matrix, k: number): Matrix {
  if (!Number.isInteger(k) || k < 0 || k > a.rows) {
    throw new RangeError(`${k} rows of a ${shape(a)} matrix: expected an integer between 0 and ${a.rows}.`);
  }
  return { rows: k, columns: a.columns, data: a.data.subarray(0, k * a.columns) };
}

/** AB: (m×k, k×n) → m×n. Throws RangeError where the shapes do not fit. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows) throw mismatch("AB", a, b);
  return product(a.rows, b.columns, a.columns, a, a.columns, 1, b, b.columns, 1);
}

/** ABᵀ: (m×k, n×k) → m×n. Throws RangeError where the shapes do not fit. */
export function multiplyTransposed(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.columns) throw mismatch("ABᵀ", a, b);
  return product(a.rows, b.rows, a.columns, a, a.columns, 1, b, 1, b.columns);
}

/** AᵀB: (k×m, k×n) → m×n. Throws RangeError where the shapes do not fit. */
export function transposeMultiply(a: Matrix, b: Matrix): Matrix {
  if (a.rows !== b.rows) throw mismatch("AᵀB", a, b);
  return product(a.columns, b.columns, a.rows, a, 1, a.columns, b, b.columns, 1);
}

/** The m×n product over an inner dimension k; row and column strides say how each operand is read. */
function product(
  m: number,
  n: number,
  k: number,
  a: Matrix,
  rsa: number,
  csa: number,
  b: Matrix,
  rsb: number,
  csb: number,
): Matrix {
  const data = new Float64Array(m * n);
  const result: Matrix = { rows: m, columns: n, data };
  if (m * n * k === 0) return result;
  if (m * n * k < KERNEL_THRESHOLD) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += a.data[i * rsa + l * csa] * b.data[l * rsb + j * csb];
        data[i * n + j] = sum;
      }
    }
    return result;
  }
  const sizeA = m * k;
  const sizeB = k * n;
  const workspace = gemmWorkspace(n, k);
  const capacity = [sizeA, sizeB, m * n, workspace].reduce((sum, size) => sum + allocationSize(size), 0);
  withArena(capacity, (arena) => {
    const pa = arena.allocate(sizeA);
    const pb = arena.allocate(sizeB);
    const pc = arena.allocate(m * n);
    const work = arena.allocate(workspace);
    arena.floats(pa, sizeA).set(a.data.subarray(0, sizeA));
    arena.floats(pb, sizeB).set(b.data.subarray(0, sizeB));
    arena.kernels.gemm(m, n, k, pa, rsa, csa, pb, rsb, csb, pc, n, GEMM_STORE, false, work);
    data.set(arena.floats(pc, m * n));
  });
  return result;
}

/** ‖row‖² of every row: (m×n) → m. */
export function squaredRowNorms({ rows, columns, data }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += data[i] * data[i];
    return sum;
  });
}

function shape(a: Matrix): string {
  return `${a.rows}×${a.columns}`;
}

function mismatch(name: string, a: Matrix, b: Matrix): RangeError {
  return new RangeError(`${name} is not defined for A of shape ${shape(a)} and B of shape ${shape(b)}.`);
}
