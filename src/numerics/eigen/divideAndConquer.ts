import { allocationSize, type Arena, GEMM_STORE, gemmWorkspace, type Pointer } from "../kernels/index";
import { deflationThreshold, qlVectors, tridiagonalNorm } from "./ql";
import { type RankOneUpdate, rankOneVectors } from "./secular";

/** Problems up to this order are left to QL. */
const LEAF_SIZE = 32;
/** A coupling below this many units of rounding error in T is dropped: LAPACK's factor. */
const DEFLATION_FACTOR = 8 * 2 ** -53;

/** In which half of the coordinates an eigenvector of the two uncoupled halves is nonzero. */
const FIRST_HALF = 0;
const BOTH_HALVES = 1;
const SECOND_HALF = 2;
const DEFLATED = 3;

/** Float64 values that `divideAndConquer` allocates. */
export function divideAndConquerCapacity(n: number): number {
  const even = n + (n % 2);
  const sizes = [n * n, n * even, even + 1, even + 1, even + 1, even + 1, even + 1, 4, gemmWorkspace(n, n)];
  return sizes.reduce((sum, size) => sum + allocationSize(size), 0);
}

/**
 * All eigenvalues of the n×n tridiagonal matrix (diagonal, offDiagonal), both overwritten, and the eigenvectors of the
 * `leading` largest at least: diagonal[i] becomes the eigenvalue of the eigenvector that row i of `q` (n×n, leading
 * dimension ld) receives; the rows of the others hold anything. Returns the row numbers by ascending eigenvalue. Cuppen (1981), with the orthogonality-preserving vectors of Gu & Eisenstat (1995);
 * deflation and the sparse products follow LAPACK dlaed1–dlaed3.
 */
export function divideAndConquer(
  arena: Arena,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  q: Pointer,
  ld: number,
  leading: number,
): Int32Array {
  const n = diagonal.length;
  const { kernels } = arena;
  const even = n + (n % 2);
  const packed = arena.allocate(n * n);
  const secular = arena.allocate(n * even);
  const [dPointer, zPointer, wPointer, scratch, orderPointer] = Array.from({ length: 5 }, () =>
    arena.allocate(even + 1),
  );
  const sumsPointer = arena.allocate(4);
  const gemmWork = arena.allocate(gemmWorkspace(n, n));
  const vectors = arena.floats(q, n * ld);
  const sortedD = arena.floats(dPointer, n);
  const sortedZ = arena.floats(zPointer, n);
  const workspace = { w: wPointer, scratch };
  const typeOrder = arena.integers(orderPointer, n);
  const sums = arena.floats(sumsPointer, 4);

  const tolerance = DEFLATION_FACTOR * tridiagonalNorm(diagonal, offDiagonal);
  const qlThreshold = deflationThreshold(diagonal, offDiagonal);
  const order = new Int32Array(n);
  const merged = new Int32Array(n);
  const z = new Float64Array(n);
  const halves = new Uint8Array(n);
  const kept = new Int32Array(n);
  const deflated = new Int32Array(n);
  vectors.fill(0);
  solve(0, n);
  return order;

  function solve(low: number, size: number): void {
    if (size <= LEAF_SIZE) {
      for (let i = low; i < low + size; i++) vectors[i * ld + i] = 1;
      const d = diagonal.subarray(low, low + size);
      qlVectors(arena, d, offDiagonal.subarray(low, low + size), qlThreshold, q + low * (ld + 1) * 8, ld);
      order.set(
        Array.from(d.keys()).sort((i, j) => d[i] - d[j]),
        low,
      );
      return;
    }
    const first = size >> 1;
    const cut = low + first;
    const coupling = offDiagonal[cut - 1];
    // Tearing: T = diag(T₁, T₂) + |coupling|·uuᵀ, u the two unit vectors at the cut, the second with the coupling's sign.
    offDiagonal[cut - 1] = 0;
    diagonal[cut - 1] -= Math.abs(coupling);
    diagonal[cut] -= Math.abs(coupling);
    solve(low, first);
    solve(cut, size - first);
    merge(low, first, size - first, coupling);
  }

  function merge(low: number, first: number, second: number, coupling: number): void {
    const size = first + second;
    const d = diagonal.subarray(low, low + size);
    const sign = coupling < 0 ? -Math.SQRT1_2 : Math.SQRT1_2;
    for (let i = 0; i < first; i++) z[i] = Math.SQRT1_2 * vectors[(low + i) * ld + low + first - 1];
    for (let i = first; i < size; i++) z[i] = sign * vectors[(low + i) * ld + low + first];
    for (let i = 0; i < second; i++) order[low + first + i] += first;
    mergeSorted(d, order.subarray(low, low + first), order.subarray(low + first, low + size), merged);

    const rho = 2 * Math.abs(coupling);
    const { keptCount, deflatedCount } = deflate(low, size, first, d, rho);
    const counts = gatherVectors(low, first, second, keptCount, deflatedCount, d);
    if (keptCount > 0) {
      const update: RankOneUpdate = {
        size: keptCount,
        rho,
        d: sortedD,
        z: sortedZ,
        dPointer,
        zPointer,
        sums,
        sumsPointer,
      };
      const rowLength = keptCount + (keptCount % 2);
      // Only the last merge can leave vectors out; the values of the kept ones ascend.
      const skipped = size === n ? Math.max(0, keptCount - leading) : 0;
      rankOneVectors(arena, update, secular, rowLength, d, orderPointer, workspace, skipped);
      multiplyHalves(low, first, second, counts, rowLength, skipped);
    }
    const keptOrder = Int32Array.from({ length: keptCount }, (_, i) => i);
    const deflatedOrder = Int32Array.from({ length: deflatedCount }, (_, i) => keptCount + i);
    mergeSorted(d, keptOrder, deflatedOrder, order.subarray(low, low + size));
  }

  /** Sets aside vectors whose coupling is negligible, and one of each pair with eigenvalues too close to separate. */
  function deflate(low: number, size: number, first: number, d: Float64Array, rho: number) {
    let keptCount = 0;
    let deflatedCount = 0;
    let candidate = -1;
    for (let i = 0; i < size; i++) halves[i] = i < first ? FIRST_HALF : SECOND_HALF;
    for (let position = 0; position < size; position++) {
      const i = merged[position];
      if (rho * Math.abs(z[i]) <= tolerance) {
        halves[i] = DEFLATED;
        deflated[deflatedCount++] = i;
        continue;
      }
      if (candidate >= 0) {
        const norm = Math.hypot(z[i], z[candidate]);
        const c = z[i] / norm;
        const s = -z[candidate] / norm;
        const di = d[i];
        const dc = d[candidate];
        if (Math.abs((di - dc) * c * s) <= tolerance) {
          z[i] = norm;
          if (halves[i] !== halves[candidate]) halves[i] = BOTH_HALVES;
          halves[candidate] = DEFLATED;
          kernels.rotate(size, q + ((low + candidate) * ld + low) * 8, q + ((low + i) * ld + low) * 8, c, s);
          d[candidate] = dc * c * c + di * s * s;
          d[i] = dc * s * s + di * c * c;
          deflated[deflatedCount++] = candidate;
        } else {
          kept[keptCount++] = candidate;
        }
      }
      candidate = i;
    }
    if (candidate >= 0) kept[keptCount++] = candidate;
    deflated.subarray(0, deflatedCount).sort((i, j) => d[i] - d[j]);
    return { keptCount, deflatedCount };
  }

  /**
   * Packs the nonzero halves of the kept vectors, grouped by which halves those are, and moves the deflated vectors and
   * values behind them. Returns the sizes of the three groups.
   */
  function gatherVectors(
    low: number,
    first: number,
    second: number,
    keptCount: number,
    deflatedCount: number,
    d: Float64Array,
  ) {
    const size = first + second;
    const counts = [0, 0, 0];
    let position = 0;
    let upper = 0;
    let lower = 0;
    for (let j = 0; j < keptCount; j++) {
      sortedD[j] = d[kept[j]];
      sortedZ[j] = z[kept[j]];
      counts[halves[kept[j]]]++;
    }
    const lowerStart = (counts[FIRST_HALF] + counts[BOTH_HALVES]) * first;
    for (let group = FIRST_HALF; group <= SECOND_HALF; group++) {
      for (let j = 0; j < keptCount; j++) {
        const i = kept[j];
        if (halves[i] !== group) continue;
        typeOrder[position++] = j;
        const from = q + ((low + i) * ld + low) * 8;
        if (group !== SECOND_HALF) kernels.copy(first, from, packed + upper++ * first * 8);
        if (group !== FIRST_HALF) {
          kernels.copy(second, from + first * 8, packed + (lowerStart + lower++ * second) * 8);
        }
      }
    }
    const deflatedStart = packed + (lowerStart + lower * second) * 8;
    const deflatedValues = new Float64Array(deflatedCount);
    for (let j = 0; j < deflatedCount; j++) {
      deflatedValues[j] = d[deflated[j]];
      kernels.copy(size, q + ((low + deflated[j]) * ld + low) * 8, deflatedStart + j * size * 8);
    }
    for (let j = 0; j < deflatedCount; j++) {
      kernels.copy(size, deflatedStart + j * size * 8, q + ((low + keptCount + j) * ld + low) * 8);
    }
    d.set(deflatedValues, keptCount);
    return counts;
  }

  /** New eigenvectors, but for the first `skipped`: one product per half of the coordinates, over the vectors that are nonzero there. */
  function multiplyHalves(
    low: number,
    first: number,
    second: number,
    counts: number[],
    rowLength: number,
    skipped: number,
  ): void {
    const [one, both, two] = counts;
    const k = one + both + two - skipped;
    const factors = secular + skipped * rowLength * 8;
    const target = q + (low * (ld + 1) + skipped * ld) * 8;
    const lower = packed + (one + both) * first * 8;
    if (one + both > 0) {
      kernels.gemm(
        k,
        first,
        one + both,
        factors,
        rowLength,
        1,
        packed,
        first,
        1,
        target,
        ld,
        GEMM_STORE,
        false,
        gemmWork,
      );
    } else {
      clear(low + skipped, k, low, first);
    }
    if (both + two > 0) {
      const s = factors + one * 8;
      const c = target + first * 8;
      kernels.gemm(k, second, both + two, s, rowLength, 1, lower, second, 1, c, ld, GEMM_STORE, false, gemmWork);
    } else {
      clear(low + skipped, k, low + first, second);
    }
  }

  function clear(row: number, rows: number, column: number, columns: number): void {
    for (let i = row; i < row + rows; i++) vectors.fill(0, i * ld + column, i * ld + column + columns);
  }
}

/** Merges two lists of indices, each ascending in d, into `target`. */
function mergeSorted(d: Float64Array, a: Int32Array, b: Int32Array, target: Int32Array): void {
  let i = 0;
  let j = 0;
  const total = a.length + b.length;
  // `target` may share memory with the lists.
  const result = new Int32Array(total);
  for (let position = 0; position < total; position++) {
    result[position] = j === b.length || (i < a.length && d[a[i]] <= d[b[j]]) ? a[i++] : b[j++];
  }
  target.set(result);
}
