import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { symmetricEigen, type SymmetricEigen, symmetricEigenvalues } from "../../src/numerics/eigen";
import { identity, type Matrix, multiply, multiplyTransposed, transposeMultiply } from "../../src/numerics/matrix";

/** Largest entry of AV − VΛ over ‖A‖₂, and of VᵀV − I. */
const RESIDUAL_GATE = 1e-13;
const ORTHOGONALITY_GATE = 1e-13;
/** Eigenvalue error over λmax·√n. */
const VALUE_GATE = 1e-14;

const SIZES = [1, 2, 3, 5, 17, 33, 64, 100, 257, 768];

/** Standard normal entries: a linear congruential generator under the Box–Muller transform. */
function normal(seed: number): () => number {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

function random(rows: number, columns: number, seed: number): Matrix {
  const next = normal(seed);
  return { rows, columns, data: new Float64Array(rows * columns).map(next) };
}

function symmetric(n: number, entry: (i: number, j: number) => number): Matrix {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) data[i * n + j] = data[j * n + i] = entry(i, j);
  return { rows: n, columns: n, data };
}

const tridiagonal = (n: number, diagonal: (i: number) => number, coupling: (i: number) => number): Matrix =>
  symmetric(n, (i, j) => (i === j ? diagonal(i) : j === i + 1 ? coupling(i) : 0));

/** Q·diag(values)·Qᵀ, Q = (I − 2uuᵀ)·(I − 2ww)ᵀ for random unit u and w; the entries carry rounding errors. */
function withSpectrum(n: number, value: (i: number) => number): Matrix {
  let a = tridiagonal(n, value, () => 0);
  for (const seed of [11, 12]) {
    const u = random(1, n, seed).data;
    const squares = u.reduce((sum, x) => sum + x * x, 0);
    const h = symmetric(n, (i, j) => (i === j ? 1 : 0) - (2 * u[i] * u[j]) / squares);
    a = multiply(multiply(h, a), h);
  }
  return symmetric(n, (i, j) => a.data[i * n + j]);
}

function gram(n: number, samples: number, decay: number): Matrix {
  const x = random(samples, n, 21);
  const scaled = x.data.map((value, i) => value * decay ** (i % n));
  const c = transposeMultiply({ ...x, data: scaled }, { ...x, data: scaled });
  return symmetric(n, (i, j) => c.data[i * n + j]);
}

const MATRICES: Record<string, (n: number) => Matrix> = {
  random: (n) => {
    const x = random(n, n, 31);
    return symmetric(n, (i, j) => x.data[i * n + j]);
  },
  "all eigenvalues of one sign": (n) => gram(n, n + 10, 1),
  "Gram matrix of decaying features, condition 1e16": (n) => gram(n, n + 10, 10 ** (-8 / n)),
  "Gram matrix of fewer rows than features": (n) => gram(n, Math.ceil(n / 3), 1),
  "geometric spectrum": (n) => withSpectrum(n, (i) => 10 ** ((-16 * i) / n)),
  "one value far above the rest": (n) => withSpectrum(n, (i) => (i === 0 ? 1e12 : 1 + i / n)),
  clusters: (n) => withSpectrum(n, (i) => Math.floor((4 * i) / n) + 1e-14 * (i % 7)),
  "two eigenvalues": (n) => withSpectrum(n, (i) => (i % 2 === 0 ? 1 : -1)),
  "rank one": (n) => symmetric(n, () => 1),
  "tiny cluster": (n) => withSpectrum(n, (i) => (i === 0 ? 1 : 1e-15 * (1 + i))),
  diagonal: (n) =>
    tridiagonal(
      n,
      (i) => ((i * 7919) % 101) - 50,
      () => 0,
    ),
  zero: (n) => symmetric(n, () => 0),
  identity,
  "tridiagonal, 2 and −1": (n) =>
    tridiagonal(
      n,
      () => 2,
      () => -1,
    ),
  "tridiagonal, random": (n) => {
    const x = random(2, n, 41).data;
    return tridiagonal(
      n,
      (i) => x[i],
      (i) => x[n + i],
    );
  },
  "tridiagonal, some couplings tiny": (n) =>
    tridiagonal(
      n,
      (i) => i % 3,
      (i) => 10 ** -(i % 20),
    ),
  "glued Wilkinson": (n) =>
    tridiagonal(
      n,
      (i) => Math.abs((i % 21) - 10),
      (i) => (i % 21 === 20 ? 1e-8 : 1),
    ),
  arrowhead: (n) => symmetric(n, (i, j) => (i === j ? i + 1 : i === 0 ? 1 : 0)),
  graded: (n) => symmetric(n, (i, j) => 10 ** ((-30 * (i + j)) / n) * (i === j ? 2 : Math.cos(i * j))),
  "blocks that do not meet": (n) => symmetric(n, (i, j) => (i % 2 === j % 2 ? 1 / (i + j + 1) : 0)),
  "scale 1e200": (n) => symmetric(n, (i, j) => 1e200 * Math.cos(i * i + 3 * j)),
  "scale 1e-200": (n) => symmetric(n, (i, j) => 1e-200 * Math.cos(i * i + 3 * j)),
  "scale 1e-310": (n) => symmetric(n, (i, j) => 1e-310 * Math.round(9 * Math.cos(i * i + 3 * j))),
  "entries from 1e-200 to 1": (n) => symmetric(n, (i, j) => 10 ** -((i * 37 + j * 37) % 200)),
};

function check(a: Matrix): { values: Float64Array; vectors: Matrix } {
  const n = a.rows;
  const before = a.data.slice();
  const { values, vectors } = symmetricEigen(a);
  // Vitest's own comparison takes a second per million entries.
  expect(a.data.every((value, at) => value === before[at])).toBe(true);
  expect([values.length, vectors.rows, vectors.columns, vectors.data.length]).toEqual([n, n, n, n * n]);
  const norm = Math.max(Math.abs(values[0]), Math.abs(values[n - 1]));
  // Denormal entries carry an absolute error of their own, half of the smallest denormal.
  const unit = norm === 0 ? 1 : norm;
  const images = multiplyTransposed(vectors, { ...a, data: a.data.map((value) => value / unit) });
  const grams = multiplyTransposed(vectors, vectors);
  let residual = 0;
  let orthogonality = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const at = i * n + j;
      residual = Math.max(residual, Math.abs(images.data[at] - (values[i] / unit) * vectors.data[at]));
      orthogonality = Math.max(orthogonality, Math.abs(grams.data[at] - (i === j ? 1 : 0)));
    }
  }
  expect(values.every((value, i) => i === 0 || value <= values[i - 1])).toBe(true);
  expect(residual).toBeLessThanOrEqual(RESIDUAL_GATE);
  expect(orthogonality).toBeLessThanOrEqual(ORTHOGONALITY_GATE);
  expectValues(symmetricEigenvalues(a), values);
  expectLeading(a, Math.ceil(n / 4), { values, vectors });
  return { values, vectors };
}

/** The leading vectors alone are the first of all, bit by bit, so that they meet the same gates. */
function expectLeading(a: Matrix, k: number, all: SymmetricEigen): void {
  const { values, vectors } = symmetricEigen(a, k);
  expect([vectors.rows, vectors.columns, vectors.data.length]).toEqual([k, a.rows, k * a.rows]);
  expect(values.every((value, i) => value === all.values[i])).toBe(true);
  expect(vectors.data.every((value, at) => value === all.vectors.data[at])).toBe(true);
}

function expectValues(actual: Float64Array, expected: ArrayLike<number>): void {
  const n = actual.length;
  expect(n).toBe(expected.length);
  const largest = Math.max(Math.abs(expected[0]), Math.abs(expected[n - 1]));
  let worst = 0;
  for (let i = 0; i < n; i++) worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
  expect(worst).toBeLessThanOrEqual(VALUE_GATE * Math.sqrt(n) * largest);
}

const descending = (n: number, value: (i: number) => number) =>
  Float64Array.from({ length: n }, (_, i) => value(i))
    .sort()
    .reverse();

describe("symmetricEigen", () => {
  describe.each(Object.entries(MATRICES))("%s", (_, matrix) => {
    it.each(SIZES)("n = %i", (n) => {
      check(matrix(n));
    });
  });

  it("meets the gates on random matrices of every size up to 80", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.nat(),
        fc.integer({ min: -100, max: 100 }),
        (n, seed, exponent) => {
          const x = random(n, n, seed);
          check(symmetric(n, (i, j) => x.data[i * n + j] * 10 ** exponent));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("meets the gates on matrices of small integers, whose eigenvalues often coincide", () => {
    const entries = fc
      .integer({ min: 1, max: 45 })
      .chain((n) => fc.array(fc.integer({ min: -1, max: 1 }), { minLength: n * n, maxLength: n * n }));
    fc.assert(
      fc.property(entries, (values) => {
        const n = Math.sqrt(values.length);
        check(symmetric(n, (i, j) => values[i * n + j]));
      }),
      { numRuns: 60 },
    );
  });

  it.each(SIZES)("finds the known eigenvalues of the second-difference matrix, n = %i", (n) => {
    const known = descending(n, (i) => 4 * Math.sin(((i + 1) * Math.PI) / (2 * (n + 1))) ** 2);
    expectValues(
      check(
        tridiagonal(
          n,
          () => 2,
          () => -1,
        ),
      ).values,
      known,
    );
  });

  it.each(SIZES)("finds the known eigenvalues of min(i, j), dense and of condition n², n = %i", (n) => {
    const known = descending(n, (i) => 0.25 / Math.sin(((2 * i + 1) * Math.PI) / (2 * (2 * n + 1))) ** 2);
    expectValues(check(symmetric(n, (i, j) => Math.min(i, j) + 1)).values, known);
  });

  it.each([64, 256])("finds integers that an exact Hadamard transform hides, n = %i", (n) => {
    const sign = (i: number, j: number) => ((i & j).toString(2).split("1").length % 2 === 1 ? 1 : -1);
    const h: Matrix = {
      rows: n,
      columns: n,
      data: new Float64Array(n * n).map((_, at) => sign(Math.floor(at / n), at % n)),
    };
    const known = descending(n, (i) => (i % 5) * (i % 11));
    const product = multiplyTransposed(
      multiply(
        h,
        tridiagonal(
          n,
          (i) => (i % 5) * (i % 11),
          () => 0,
        ),
      ),
      h,
    );
    expectValues(check(symmetric(n, (i, j) => product.data[i * n + j] / n)).values, known);
  });

  it("keeps each eigenvector's entry of largest magnitude positive", () => {
    const { vectors } = symmetricEigen(MATRICES.random(60));
    for (let i = 0; i < 60; i++) {
      const row = Array.from(vectors.data.subarray(i * 60, (i + 1) * 60));
      expect(Math.max(...row)).toBe(Math.max(...row.map(Math.abs)));
    }
  });

  it("gives the same bits for the same input, whatever was solved before", () => {
    const a = MATRICES.random(300);
    const first = symmetricEigen(a);
    symmetricEigen(MATRICES.clusters(100));
    const second = symmetricEigen(a);
    expect(second.values).toEqual(first.values);
    expect(second.vectors.data).toEqual(first.vectors.data);
    expect(symmetricEigenvalues(a)).toEqual(symmetricEigenvalues(a));
  });

  it("reads the upper triangle only", () => {
    const a = MATRICES.random(50);
    const upper = { ...a, data: a.data.map((value, at) => (at % 50 < Math.floor(at / 50) ? 0.25 : value)) };
    expect(symmetricEigen(upper)).toEqual(symmetricEigen(a));
  });

  it("names a number of vectors that it does not have", () => {
    for (const k of [-1, 1.5, 6]) expect(() => symmetricEigen(MATRICES.random(5), k)).toThrow(`${k} eigenvectors`);
    expect(symmetricEigen(MATRICES.random(5), 0).vectors.data).toHaveLength(0);
  });

  it("handles an empty matrix", () => {
    const empty: Matrix = { rows: 0, columns: 0, data: new Float64Array(0) };
    expect(symmetricEigen(empty)).toEqual({ values: new Float64Array(0), vectors: empty });
    expect(symmetricEigenvalues(empty)).toEqual(new Float64Array(0));
  });

  it("names the shape of a matrix that is not square", () => {
    const wide: Matrix = { rows: 2, columns: 3, data: new Float64Array(6) };
    for (const solve of [symmetricEigen, symmetricEigenvalues]) {
      expect(() => solve(wide)).toThrow(RangeError);
      expect(() => solve(wide)).toThrow(/2×3/);
    }
  });

  it.each([NaN, Infinity, -Infinity])("rejects %s wherever it stands, naming the entry", (value) => {
    for (const [i, j] of [
      [0, 0],
      [1, 4],
      [4, 1],
    ]) {
      const a = MATRICES.random(5);
      a.data[i * 5 + j] = value;
      for (const solve of [symmetricEigen, symmetricEigenvalues]) {
        expect(() => solve(a)).toThrow(RangeError);
        expect(() => solve(a)).toThrow(`(${i}, ${j})`);
      }
    }
  });
});
