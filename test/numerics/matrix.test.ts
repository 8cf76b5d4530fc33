import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  identity,
  type Matrix,
  multiply,
  multiplyTransposed,
  rowsOf,
  transpose,
  transposeMultiply,
} from "../../src/numerics/matrix";

/** Entries in (−1, 1) from a linear congruential generator: fast and reproducible for large matrices. */
function random(rows: number, columns: number, seed: number): Matrix {
  let state = seed >>> 0;
  const data = new Float64Array(rows * columns).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { rows, columns, data };
}

function naive(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.columns; j++) {
      let sum = 0;
      for (let l = 0; l < a.columns; l++) sum += a.data[i * a.columns + l] * b.data[l * b.columns + j];
      data[i * b.columns + j] = sum;
    }
  }
  return { rows: a.rows, columns: b.columns, data };
}

/** Rounding bound of an inner product of length k of entries in (−1, 1). */
function expectClose(actual: Matrix, expected: Matrix, k: number): void {
  expect([actual.rows, actual.columns]).toEqual([expected.rows, expected.columns]);
  expect(actual.data.length).toBe(expected.data.length);
  let worst = 0;
  for (let i = 0; i < expected.data.length; i++) {
    worst = Math.max(worst, Math.abs(actual.data[i] - expected.data[i]));
  }
  expect(worst).toBeLessThanOrEqual(2 ** -52 * (k + 1));
}

function expectProducts(m: number, n: number, k: number, seed: number): void {
  const a = random(m, k, seed);
  const b = random(k, n, seed + 1);
  const expected = naive(a, b);
  expectClose(multiply(a, b), expected, k);
  expectClose(multiplyTransposed(a, transpose(b)), expected, k);
  expectClose(transposeMultiply(transpose(a), b), expected, k);
}

const dimension = fc.integer({ min: 0, max: 70 });

describe("products", () => {
  it("agree with the triple loop for any shape", () => {
    fc.assert(
      fc.property(dimension, dimension, dimension, fc.nat(), (m, n, k, seed) => expectProducts(m, n, k, seed)),
      { numRuns: 300 },
    );
  });

  it.each([
    [131, 9, 515],
    [257, 130, 256],
    [3, 3077, 40],
    [300, 1, 300],
    [1, 300, 300],
  ])("agree where %i×%i with inner dimension %i crosses a block boundary", (m, n, k) => expectProducts(m, n, k, 7));

  it("leave the operands alone and give the same bits twice", () => {
    const a = random(90, 90, 3);
    const b = random(90, 90, 4);
    const before = [a.data.slice(), b.data.slice()];
    const first = multiply(a, b);
    expect(multiply(a, b).data).toEqual(first.data);
    expect([a.data, b.data]).toEqual(before);
  });

  it("carry NaN and infinities through", () => {
    const a = random(40, 40, 5);
    a.data[40 * 3 + 2] = NaN;
    const product = multiply(a, identity(40));
    expect(product.data.subarray(120, 160).every(Number.isNaN)).toBe(true);
    expect(product.data.subarray(0, 120).every(Number.isFinite)).toBe(true);
  });

  it("accept a view on the leading rows of a larger matrix", () => {
    const a = random(100, 60, 8);
    const leading = rowsOf(a, 30);
    const copy: Matrix = { rows: 30, columns: 60, data: a.data.slice(0, 1800) };
    expect(multiplyTransposed(leading, leading).data).toEqual(multiplyTransposed(copy, copy).data);
  });

  it("name both shapes where they do not fit", () => {
    const a = random(2, 3, 1);
    const b = random(4, 5, 1);
    for (const product of [multiply, multiplyTransposed, transposeMultiply]) {
      expect(() => product(a, b)).toThrow(RangeError);
      expect(() => product(a, b)).toThrow(/2×3.*4×5/);
    }
  });

  it("work after a product whose memory is not kept", () => {
    const a = random(2000, 2000, 9);
    const column = random(2000, 3, 10);
    expectClose(multiply(a, column), naive(a, column), 2000);
    expectProducts(50, 50, 50, 11);
  });
});

describe("transpose, identity, rowsOf", () => {
  it("transposes twice to the same matrix", () => {
    fc.assert(
      fc.property(dimension, dimension, (m, n) => {
        const a = random(m, n, 1);
        const t = transpose(a);
        expect([t.rows, t.columns]).toEqual([n, m]);
        for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) expect(t.data[j * m + i]).toBe(a.data[i * n + j]);
      }),
      { numRuns: 20 },
    );
  });

  it("multiplies by the identity exactly", () => {
    const a = random(33, 47, 2);
    expect(multiply(identity(33), a).data).toEqual(a.data);
    expect(multiply(a, identity(47)).data).toEqual(a.data);
  });

  it("views the leading rows without a copy", () => {
    const a = random(5, 4, 1);
    const view = rowsOf(a, 2);
    view.data[0] = 42;
    expect([view.rows, view.columns, view.data.length, a.data[0]]).toEqual([2, 4, 8, 42]);
    expect(rowsOf(a, 0).data.length).toBe(0);
    for (const k of [-1, 6, 1.5, NaN]) expect(() => rowsOf(a, k)).toThrow(/5×4/);
  });
});
