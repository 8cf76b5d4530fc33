import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitPowerLaw } from "../../bench/powerLaw";

/** Quantiles of ρ(λ) ~ λ^−α above λ_min: a sample without chance. */
function powerLawSample(alpha: number, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from * (1 - (i + 0.5) / count) ** (-1 / (alpha - 1)));
}

/** The estimate's standard error is (α − 1)/√n; quantiles lie far closer. */
const CLOSE = 0.02;

describe("the power-law fit", () => {
  it.each([1.8, 2.5, 4])("finds the exponent %d of a power law", (alpha) => {
    const fit = fitPowerLaw(powerLawSample(alpha, 0.3, 2000))!;
    expect(Math.abs(fit.alpha / alpha - 1)).toBeLessThan(CLOSE);
    expect(fit.distance).toBeLessThan(CLOSE);
  });

  it("finds where the tail begins above a bulk of another shape", () => {
    const bulk = Array.from({ length: 2000 }, (_, i) => (0.2 * (i + 0.5)) / 2000 + 0.8);
    const fit = fitPowerLaw([...bulk, ...powerLawSample(3, 1, 2000)])!;
    expect(fit.from).toBeGreaterThan(0.98);
    expect(fit.from).toBeLessThan(1.1);
    expect(Math.abs(fit.alpha / 3 - 1)).toBeLessThan(2 * CLOSE);
  });

  it("agrees with the estimate worked out by hand", () => {
    // The tails from 1, 32 and 64 have the distances 0.40, 0.23 and 0.36.
    const fit = fitPowerLaw([64, 1, 256, 32, 0])!;
    expect(fit.from).toBe(32);
    expect(fit.count).toBe(3);
    const slope = 3 / (Math.log(2) + Math.log(8));
    expect(fit.alpha).toBeCloseTo(1 + slope, 12);
    expect(fit.distance).toBeCloseTo(1 - 8 ** -slope - 2 / 3, 12);
  });

  it("does not depend on the unit or the order", () => {
    const values = fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 3, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.integer({ min: -20, max: 20 }), (sample, power) => {
        const fit = fitPowerLaw(sample)!;
        const scaled = fitPowerLaw(sample.map((value) => value * 2 ** power).reverse())!;
        // Two tails may fit equally well but for rounding: the distance is the same for either.
        expect(scaled.distance).toBeCloseTo(fit.distance, 9);
      }),
    );
  });

  it("has nothing to fit where all values are equal or none is positive", () => {
    expect(fitPowerLaw([3, 3, 3])).toBeNull();
    expect(fitPowerLaw([0, -1])).toBeNull();
    expect(fitPowerLaw([])).toBeNull();
  });
});
