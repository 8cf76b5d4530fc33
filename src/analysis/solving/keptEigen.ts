import { createHash } from "node:crypto";
import { ContentCache } from "../../cache/contentCache";
import type { SymmetricEigensolver } from "../../numerics/eigen";
import { rowsOf } from "../../numerics/matrix";
import type { Eigensolver } from "../../tensorflow";
import { bytesOf, floats } from "../floats";

/** Smaller problems are solved about as fast as they are read. */
export const LEAST_KEPT = 256;

/** Raised whenever the same matrix gives other bits. */
const VERSION = 1;

/** A solver whose solutions of large problems are kept in a folder, by the bits of the matrices. */
export function keepingEigensolver(folder: string, eigensolver: Eigensolver): SymmetricEigensolver {
  const cache = new ContentCache(folder);
  return (matrix, leading = matrix.rows) => {
    const n = matrix.rows;
    if (n < LEAST_KEPT) return eigensolver.solve(matrix, leading);
    const key = {
      version: VERSION,
      eigensolver: eigensolver.name,
      matrix: createHash("sha256").update(matrix.data).digest("hex"),
    };
    const known = floats(cache.get("eigen", key), n);
    // Values, then vectors row by row. Fewer vectors are those that all of them begin with.
    if (known && known.length % n === 0 && known.length >= n + leading * n) {
      const vectors = { rows: known.length / n - 1, columns: n, data: known.subarray(n) };
      return { values: known.slice(0, n), vectors: rowsOf(vectors, leading) };
    }
    const solved = eigensolver.solve(matrix, leading);
    cache.put("eigen", key, bytesOf([solved.values, solved.vectors.data]));
    return solved;
  };
}
