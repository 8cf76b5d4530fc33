import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { basisOfRows, computeBasis, type Basis } from "../../src/numerics/basis";
import {
  factorize,
  projectWeight,
  squaredErrorBound,
  squaredOutput,
  squaredOutputError,
} from "../../src/numerics/projection";
import { relativeDifference } from "../fixtures/data";
import {
  flipped,
  genericCases,
  plus,
  product,
  projectionCases,
  randomMatrix,
  singularValues,
  squared,
  type ProjectionCase,
} from "../fixtures/dataMatrices";

const ROUNDING = 1e-12;
/** A singular value below this share of the largest is none. */
const RANK_NOISE = 1e-10;

function forAll(property: (test: ProjectionCase) => void, cases = projectionCases): void {
  fc.assert(fc.property(cases, property), { seed: 21, numRuns: 200 });
}

describe("W′ = P_T W P_S", () => {
  it("is W itself at full ranks, bit by bit", () =>
    forAll(({ weight, gram }) => {
      expect(projectWeight(computeBasis(weight, gram), weight.columns, weight.rows)).toEqual(weight);
    }));

  it("has rank min(kS, kT) on data that spans every direction", () =>
    forAll(({ weight, gram, kS, kT }) => {
      const values = singularValues(projectWeight(computeBasis(weight, gram), kS, kT));
      const rank = Math.min(kS, kT, weight.rows, weight.columns);
      expect([...values].filter((value) => value > RANK_NOISE * values[0])).toHaveLength(rank);
      for (const value of values.subarray(rank)) expect(value).toBeLessThan(RANK_NOISE * values[0]);
    }, genericCases));

  it("changes nothing when projected again", () =>
    forAll(({ weight, gram, kS, kT }) => {
      const basis = computeBasis(weight, gram);
      const once = projectWeight(basis, kS, kT);
      const mapped = product(basis.inputVectors, flipped(once));
      const again = projectWeight({ ...basis, weight: once, mappedVectors: mapped }, kS, kT);
      expect(Math.sqrt(squared(plus(again, -1, once)) / squared(weight))).toBeLessThan(ROUNDING);
    }));
});

describe("the output error", () => {
  it("by the trace formula equals the one measured on activations", () =>
    forAll(({ weight, x, gram, kS, kT }) => {
      const basis = computeBasis(weight, gram);
      const projected = projectWeight(basis, kS, kT);
      const output = product(x, flipped(weight));
      const measured = squared(plus(output, -1, product(x, flipped(projected))));
      expect(Math.abs(squaredOutput(basis) / squared(output) - 1)).toBeLessThan(ROUNDING);
      expect(Math.abs(squaredOutputError(basis, projected) - measured)).toBeLessThan(ROUNDING * squared(output));
    }));

  it("is never above its bound, nor below what the output basis leaves out", () =>
    forAll(({ weight, gram, kS, kT }) => {
      const basis = computeBasis(weight, gram);
      const slack = ROUNDING * squaredOutput(basis);
      const error = squaredOutputError(basis, projectWeight(basis, kS, kT));
      expect(error).toBeLessThanOrEqual(squaredErrorBound(basis, kS, kT) + slack);
      const leftOut = (spectrum: Float64Array, k: number): number => spectrum.subarray(k).reduce((a, b) => a + b, 0);
      const bound = leftOut(basis.outputSpectrum, kT) + leftOut(basis.inputSpectrum, kS) * squared(weight);
      expect(Math.abs(squaredErrorBound(basis, kS, kT) - bound)).toBeLessThan(
        ROUNDING * (bound + squaredOutput(basis)),
      );
      // P_T alone leaves out exactly the trailing output directions: nothing of that rank does better.
      expect(error).toBeGreaterThanOrEqual(leftOut(basis.outputSpectrum, Math.min(kS, kT)) - slack);
    }));

  it("is zero where the data spans no more directions than are kept", () =>
    forAll(({ weight, gram, rankX }) => {
      const basis = computeBasis(weight, gram);
      const error = squaredOutputError(basis, projectWeight(basis, rankX, weight.rows));
      expect(error).toBeLessThan(ROUNDING * squaredOutput(basis));
    }));
});

describe("the factors of W′", () => {
  function check(basis: Basis, kS: number, kT: number, tolerance: number): void {
    const { weight } = basis;
    const projected = projectWeight(basis, kS, kT);
    const { a, b, spectrum } = factorize(basis, kS, kT);
    const rank = Math.min(kS, kT);
    expect([a.rows, a.columns, b.rows, b.columns]).toEqual([weight.rows, rank, rank, weight.columns]);
    const scale = Math.sqrt(squared(weight));
    expect(Math.sqrt(squared(plus(product(a, b), -1, projected)))).toBeLessThanOrEqual(tolerance * scale);
    expect(spectrum).toHaveLength(rank);
    expect([...spectrum]).toEqual([...spectrum].sort((x, y) => y - x));
  }

  it("have W′ as their product, whatever the shape, for rank-deficient data too", () =>
    forAll(({ weight, x, gram, kS, kT }) => {
      check(computeBasis(weight, gram), kS, kT, ROUNDING);
      check(basisOfRows(weight, x), kS, kT, ROUNDING);
      check(basisOfRows(weight, x), weight.columns, kT, ROUNDING);
    }));

  it("share its singular values evenly", () =>
    forAll(({ weight, gram, kS, kT }) => {
      const basis = computeBasis(weight, gram);
      const { a, b, spectrum } = factorize(basis, kS, kT);
      const rank = Math.min(kS, kT, weight.rows, weight.columns);
      const values = singularValues(projectWeight(basis, kS, kT)).subarray(0, rank);
      expect(relativeDifference(spectrum.subarray(0, rank), values.map((value) => value * value))).toBeLessThan(ROUNDING); // prettier-ignore
      for (const gramOfFactor of [product(flipped(a), a), product(b, flipped(b))]) {
        const expected = Float64Array.from(gramOfFactor.data, (_, at) => {
          const [i, j] = [Math.floor(at / gramOfFactor.rows), at % gramOfFactor.rows];
          return i === j && i < rank ? values[i] : 0;
        });
        expect(relativeDifference(gramOfFactor.data, expected)).toBeLessThan(1e-8);
      }
    }, genericCases));

  it("are zero for a zero weight", () => {
    const x = randomMatrix(20, 6, 1);
    const gram = product(flipped(x), x);
    for (const rows of [4, 6, 9]) {
      const weight = { rows, columns: 6, data: new Float64Array(rows * 6) };
      for (const [kS, kT] of [[1, 1], [6, rows], [2, 4], [5, 2]]) check(computeBasis(weight, gram), kS, kT, 0); // prettier-ignore
    }
  });

  it("lose nothing that float32 would keep where W′ is badly conditioned", () => {
    const columns = 12;
    const decaying = randomMatrix(12, columns, 3);
    decaying.data.forEach((value, at) => (decaying.data[at] = value * 10 ** -Math.floor(at / columns)));
    const x = randomMatrix(40, columns, 4);
    const gram = product(flipped(x), x);
    for (const [kS, kT] of [[12, 12], [10, 12], [12, 10], [9, 7]]) check(computeBasis(decaying, gram), kS, kT, 2 ** -24); // prettier-ignore
  });
});
