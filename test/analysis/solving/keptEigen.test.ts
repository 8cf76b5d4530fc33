import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepingEigensolver, LEAST_KEPT } from "../../../src/analysis/solving/keptEigen";
import { symmetricEigen } from "../../../src/numerics/eigen";
import type { Matrix } from "../../../src/numerics/matrix";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ranklens-eigen-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function symmetric(n: number, seed: number): Matrix {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) data[i * n + j] = Math.sin(seed + i * j) + Math.cos(i + j);
  return { rows: n, columns: n, data };
}

/** A solver that counts what it is asked, with what it solved kept in the folder. */
function counted(name: string | null = null): { solve: ReturnType<typeof keepingEigensolver>; solved: () => number } {
  let solved = 0;
  const solve: typeof symmetricEigen = (a, leading) => {
    solved++;
    return symmetricEigen(a, leading);
  };
  return { solve: keepingEigensolver(folder, { solve, name }), solved: () => solved };
}

describe("an eigensolver whose solutions are kept", () => {
  it("gives the same bits without solving a matrix again, all vectors or the leading ones", () => {
    const matrix = symmetric(LEAST_KEPT, 1);
    expect(counted().solve(matrix)).toEqual(symmetricEigen(matrix));
    const { solve, solved } = counted();
    for (const leading of [undefined, 10, 0]) expect(solve(matrix, leading)).toEqual(symmetricEigen(matrix, leading));
    expect(solved()).toBe(0);
  });

  it("solves where more vectors are needed than are kept, and keeps those", () => {
    const matrix = symmetric(LEAST_KEPT, 1);
    const { solve, solved } = counted();
    for (const leading of [5, 5, 20, 20, 5]) expect(solve(matrix, leading).vectors.rows).toBe(leading);
    expect(solved()).toBe(2);
  });

  it("tells matrices and solvers apart, and leaves small problems alone", () => {
    const one = counted();
    one.solve(symmetric(LEAST_KEPT, 1));
    one.solve(symmetric(LEAST_KEPT, 2));
    const other = counted("another");
    other.solve(symmetric(LEAST_KEPT, 1));
    expect([one.solved(), other.solved()]).toEqual([2, 1]);
    expect(readdirSync(folder)).toHaveLength(3);
    one.solve(symmetric(LEAST_KEPT - 1, 1));
    expect(readdirSync(folder)).toHaveLength(3);
  });
});
