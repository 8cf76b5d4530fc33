import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { energy, rankAtEnergy, stableRank, sumSpectra, WEIGHT_RANK_ENERGY } from "../../src/numerics/spectrum";
import { isDecomposable, utilization, utilizedRank, weightParameters } from "../../src/numerics/utilizedRank";

const of = (...values: number[]): Float64Array => Float64Array.from(values);
const spectra = fc
  .array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 })
  .map((values) => Float64Array.from(values).sort((a, b) => b - a));

describe("energy", () => {
  it("is the leading share of the sum", () => {
    const spectrum = of(6, 3, 1);
    expect([0, 1, 2, 3, 4].map((k) => energy(spectrum, k))).toEqual([0, 0.6, 0.9, 1, 1]);
    expect(energy(of(0, 0), 1)).toBe(1);
  });

  it("grows with k from 0 to 1", () => {
    fc.assert(
      fc.property(spectra, (spectrum) => {
        const shares = Array.from({ length: spectrum.length + 1 }, (_, k) => energy(spectrum, k));
        for (let k = 1; k < shares.length; k++) expect(shares[k]).toBeGreaterThanOrEqual(shares[k - 1]);
        expect(shares[spectrum.length]).toBe(1);
        expect(shares[0]).toBe(spectrum[0] > 0 ? 0 : 1);
      }),
      { seed: 1 },
    );
  });
});

describe("the rank at a share of energy", () => {
  it("is the smallest k that reaches it", () => {
    const spectrum = of(6, 3, 1);
    expect([0, 0.5, 0.6, 0.61, 0.9, 0.91, 1].map((share) => rankAtEnergy(spectrum, share))).toEqual([
      1, 1, 1, 2, 2, 3, 3,
    ]);
    expect(rankAtEnergy(of(5, 0, 0), 1)).toBe(1);
    expect(rankAtEnergy(of(0, 0), 0.99)).toBe(1);
    expect(rankAtEnergy(of(7), 0.99)).toBe(1);
    expect(rankAtEnergy(of(), 0.99)).toBe(1);
  });

  it("is not put off by rounding: equal values reach k/n with k of them", () => {
    for (let n = 1; n <= 200; n++) {
      const spectrum = new Float64Array(n).fill(1);
      for (let k = 1; k <= n; k++) {
        const found = rankAtEnergy(spectrum, k / n);
        expect(found, `${k} of ${n}`).toBe(k);
      }
    }
  });

  it("is monotonic, and has that energy, and one less has not", () => {
    fc.assert(
      fc.property(spectra, fc.double({ min: 0.01, max: 0.999, noNaN: true }), (spectrum, share) => {
        const k = rankAtEnergy(spectrum, share);
        expect(k).toBeGreaterThanOrEqual(1);
        expect(k).toBeLessThanOrEqual(spectrum.length);
        expect(energy(spectrum, k)).toBeGreaterThanOrEqual(share - 1e-14);
        if (k > 1) expect(energy(spectrum, k - 1)).toBeLessThan(share);
        expect(rankAtEnergy(spectrum, share / 2)).toBeLessThanOrEqual(k);
      }),
      { seed: 2, numRuns: 300 },
    );
  });

  it("is the weight rank at 99.99%", () => {
    expect(WEIGHT_RANK_ENERGY).toBe(0.9999);
    expect(rankAtEnergy(of(1, 0.99e-4), WEIGHT_RANK_ENERGY)).toBe(1);
    expect(rankAtEnergy(of(1, 1.01e-4), WEIGHT_RANK_ENERGY)).toBe(2);
  });
});

describe("the stable rank", () => {
  it("is ‖W‖_F² / ‖W‖₂²", () => {
    expect(stableRank(of(4, 2, 1, 1))).toBe(2);
    expect(stableRank(of(3, 3, 3))).toBe(3);
    expect(stableRank(of(5, 0, 0))).toBe(1);
    expect(stableRank(of(0, 0))).toBe(0);
    expect(stableRank(of())).toBe(0);
  });
});

it("spectra of groups are added entry by entry", () => {
  expect(sumSpectra([of(3, 1), of(2, 2)])).toEqual(of(5, 3));
});

describe("the utilized rank", () => {
  const size = { groups: 2, rows: 6, columns: 12 };

  it("is the smaller of both, and the utilization its share of what is possible", () => {
    expect(utilizedRank(3, 5)).toBe(3);
    expect(utilizedRank(9, 5)).toBe(5);
    expect(utilization(3, size)).toBe(0.5);
    expect(utilization(3, { ...size, rows: 30 })).toBe(0.25);
  });

  it("makes two smaller layers below m·d/(m+d) only", () => {
    expect([1, 3, 4, 5].map((rank) => isDecomposable(rank, size))).toEqual([true, true, false, false]);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        fc.nat(60),
        (rows, columns, rank) => {
          const layer = { groups: 3, rows, columns };
          expect(isDecomposable(rank, layer)).toBe(weightParameters(layer, rank) < weightParameters(layer, null));
          expect(weightParameters(layer, null)).toBe(3 * rows * columns);
        },
      ),
      { seed: 3 },
    );
  });
});
