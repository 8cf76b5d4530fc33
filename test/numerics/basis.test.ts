import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { basisOfRows, computeBasis, weightSpectrum } from "../../src/numerics/basis";
import { symmetricEigen } from "../../src/numerics/eigen";
import { identity, rowsOf, type Matrix } from "../../src/numerics/matrix";
import { factorize, projectWeight } from "../../src/numerics/projection";
import { relativeDifference } from "../fixtures/data";
import {
  flipped,
  plus,
  product,
  projectionCases,
  randomMatrix,
  singularValues,
  squared,
  type ProjectionCase,
} from "../fixtures/dataMatrices";

/** Backward errors of the eigensolver and of products: some 10 n·ε of the largest value. */
const ROUNDING = 1e-12;

function forAll(property: (test: ProjectionCase) => void): void {
  fc.assert(fc.property(projectionCases, property), { seed: 11, numRuns: 150 });
}

const defect = (rows: Matrix): number =>
  Math.sqrt(squared(plus(product(rows, flipped(rows)), -1, identity(rows.rows))));

describe("the basis of a layer", () => {
  it("holds orthonormal directions with descending, non-negative spectra", () =>
    forAll(({ weight, gram }) => {
      const basis = computeBasis(weight, gram);
      expect(basis.inputSpectrum).toHaveLength(weight.columns);
      expect(basis.outputSpectrum).toHaveLength(weight.rows);
      expect(defect(basis.inputVectors)).toBeLessThan(ROUNDING);
      expect(defect(basis.outputVectors)).toBeLessThan(ROUNDING);
      for (const spectrum of [basis.inputSpectrum, basis.outputSpectrum]) {
        expect([...spectrum]).toEqual([...spectrum].sort((a, b) => b - a));
        expect(spectrum[spectrum.length - 1]).toBeGreaterThanOrEqual(0);
      }
    }));

  it("takes C and W C Wᵀ apart, and maps the input directions", () =>
    forAll(({ weight, gram }) => {
      const basis = computeBasis(weight, gram);
      const rebuilt = (vectors: Matrix, spectrum: Float64Array): Matrix => {
        const scaled = vectors.data.map((value, at) => value * spectrum[Math.floor(at / vectors.columns)]);
        return product(flipped(vectors), { ...vectors, data: scaled });
      };
      const outputGram = product(product(weight, gram), flipped(weight));
      expect(relativeDifference(rebuilt(basis.inputVectors, basis.inputSpectrum).data, gram.data)).toBeLessThan(
        ROUNDING,
      );
      expect(relativeDifference(rebuilt(basis.outputVectors, basis.outputSpectrum).data, outputGram.data)).toBeLessThan(ROUNDING); // prettier-ignore
      expect(relativeDifference(flipped(basis.mappedVectors).data, product(weight, flipped(basis.inputVectors)).data)).toBeLessThan(ROUNDING); // prettier-ignore
    }));

  it("gives the same spectrum and projections from the smaller problem (m > d) as from the m×m one", () => {
    let compared = 0;
    forAll(({ weight, gram, kS, rankX }) => {
      if (weight.rows <= weight.columns) return;
      const basis = computeBasis(weight, gram);
      const direct = symmetricEigen(product(product(weight, gram), flipped(weight)));
      expect(relativeDifference(basis.outputSpectrum, direct.values)).toBeLessThan(ROUNDING);
      expect(basis.outputVectors.rows).toBe(rankX);
      const narrowed = projectWeight(basis, kS, weight.rows);
      for (let kT = 1; kT <= rankX; kT++) {
        const leading = rowsOf(direct.vectors, kT);
        const expected = product(flipped(leading), product(leading, narrowed));
        // Directions turn into one another by ε over the gap between the values kept and those left out.
        const gap = (direct.values[kT - 1] - Math.max(direct.values[kT], 0)) / direct.values[0];
        const difference = plus(projectWeight(basis, kS, kT), -1, expected);
        expect(Math.sqrt(squared(difference) / squared(weight))).toBeLessThan(ROUNDING / gap);
        compared++;
      }
    });
    expect(compared).toBeGreaterThan(300);
  });

  it("gives the same spectra and projections from X itself", () => {
    let fewer = 0;
    forAll(({ weight, x, gram, kS, rankX }) => {
      const basis = basisOfRows(weight, x);
      const direct = computeBasis(weight, gram);
      expect(relativeDifference(basis.inputSpectrum, direct.inputSpectrum)).toBeLessThan(ROUNDING);
      expect(relativeDifference(basis.outputSpectrum, direct.outputSpectrum)).toBeLessThan(ROUNDING);
      expect(basis.inputVectors.rows).toBe(rankX);
      expect(defect(basis.inputVectors)).toBeLessThan(ROUNDING);
      expect(defect(basis.outputVectors)).toBeLessThan(ROUNDING);
      if (x.rows < weight.columns) fewer++;
      // Beyond what X spans, the directions of the Gram matrix are any; within, they are these.
      const k = Math.min(kS, rankX);
      const spectrum = direct.inputSpectrum;
      const gap = (spectrum[k - 1] - (k < spectrum.length ? spectrum[k] : 0)) / spectrum[0];
      const difference = plus(projectWeight(basis, k, weight.rows), -1, projectWeight(direct, k, weight.rows));
      expect(Math.sqrt(squared(difference) / squared(weight))).toBeLessThan(ROUNDING / gap);
    });
    expect(fewer).toBeGreaterThan(20);
  });

  it("projects on what the data spans where more directions are asked for than it spans", () => {
    const [weight, x] = [randomMatrix(7, 9, 1), randomMatrix(4, 9, 2)];
    const basis = basisOfRows(weight, x);
    const spanned = projectWeight(basis, 4, 7);
    expect(projectWeight(basis, 8, 7)).toEqual(spanned);
    expect(projectWeight(basis, 9, 7)).toEqual(weight);
    const onData = (w: Matrix): Matrix => product(x, flipped(w));
    expect(squared(plus(onData(spanned), -1, onData(weight)))).toBeLessThan(ROUNDING * squared(onData(weight)));
  });

  it("has the first of all directions, bit by bit, where only leading ones are asked for", () =>
    forAll(({ weight, x, gram, kS, kT }) => {
      const pairs = [
        [computeBasis(weight, gram, { kS, kT }), computeBasis(weight, gram)],
        [basisOfRows(weight, x, { kS, kT }), basisOfRows(weight, x)],
      ];
      for (const [some, all] of pairs) {
        expect(some.inputSpectrum).toEqual(all.inputSpectrum);
        expect(some.outputSpectrum).toEqual(all.outputSpectrum);
        expect(projectWeight(some, kS, kT)).toEqual(projectWeight(all, kS, kT));
        expect(factorize(some, kS, kT)).toEqual(factorize(all, kS, kT));
      }
    }));

  it("keeps its output directions orthonormal where some of them carry next to nothing (m > d)", () => {
    for (const decay of [0.5, 0.1, 0.03]) {
      const x = randomMatrix(40, 10, 3);
      x.data.forEach((value, at) => (x.data[at] = value * decay ** (at % 10)));
      const basis = computeBasis(randomMatrix(25, 10, 4), product(flipped(x), x));
      expect(basis.outputVectors.rows).toBeGreaterThan(3);
      expect(defect(basis.outputVectors)).toBeLessThan(ROUNDING);
    }
  });

  it("is defined for a zero weight and for zero data", () => {
    for (const [m, d] of [
      [3, 5],
      [5, 3],
      [4, 4],
    ]) {
      // prettier-ignore
      const zero = { rows: m, columns: d, data: new Float64Array(m * d) };
      const noData = { rows: d, columns: d, data: new Float64Array(d * d) };
      const x = randomMatrix(9, d, 1);
      for (const [weight, gram] of [
        [zero, product(flipped(x), x)],
        [randomMatrix(m, d, 2), noData],
      ]) {
        // prettier-ignore
        const basis = computeBasis(weight, gram);
        expect(basis.outputSpectrum).toEqual(new Float64Array(m));
        for (const k of [1, 2, 3]) expect(projectWeight(basis, k, k).data.every(Number.isFinite)).toBe(true);
        expect(projectWeight(basis, d, m).data).toEqual(weight.data);
      }
    }
  });
});

it("squared singular values of W are those of a Jacobi decomposition", () => {
  forAll(({ weight }) => {
    const expected = singularValues(weight).map((value) => value * value);
    expect(weightSpectrum(weight)).toHaveLength(Math.min(weight.rows, weight.columns));
    expect(relativeDifference(weightSpectrum(weight), expected)).toBeLessThan(ROUNDING);
  });
});
