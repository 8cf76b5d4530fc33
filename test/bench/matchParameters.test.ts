import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchParameters, ranksAtShare, type WeightedLayer } from "../../bench/matchParameters";

const layer = (rows: number, columns: number, spectrum: readonly number[]): WeightedLayer => ({
  size: { groups: 1, rows, columns },
  spectrum: Float64Array.from(spectrum).sort().reverse(),
});

const dense = (layers: readonly WeightedLayer[]): number =>
  layers.reduce((sum, { size }) => sum + size.rows * size.columns, 0);

describe("ranks by one share of energy", () => {
  it("are the smallest that keep it, and null where two layers are not smaller", () => {
    const layers = [layer(10, 30, [9, 1, 0, 0, 0, 0, 0, 0, 0, 0]), layer(4, 4, [1, 1, 1, 1])];
    expect(ranksAtShare(layers, 0.9)).toEqual({ ranks: [1, null], parameters: 40 + 16 });
    expect(ranksAtShare(layers, 0.95)).toEqual({ ranks: [2, null], parameters: 80 + 16 });
    expect(ranksAtShare(layers, 0.25)).toEqual({ ranks: [1, 1], parameters: 40 + 8 });
  });
});

describe("matching parameters", () => {
  const layers = [
    layer(
      32,
      288,
      Array.from({ length: 32 }, (_, i) => 0.9 ** i),
    ),
    layer(
      64,
      576,
      Array.from({ length: 64 }, (_, i) => 0.97 ** i),
    ),
    layer(
      64,
      64,
      Array.from({ length: 64 }, (_, i) => 0.8 ** i),
    ),
  ];

  it("comes within 1% of the target where no step of the staircase is higher", () => {
    for (const share of [0.3, 0.5, 0.75]) {
      const target = Math.round(share * dense(layers));
      expect(Math.abs(matchParameters(layers, target).parameters / target - 1)).toBeLessThan(0.01);
    }
  });

  it("gives back a plan that lies on the staircase", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
        const plan = ranksAtShare(layers, share);
        expect(matchParameters(layers, plan.parameters).parameters).toBe(plan.parameters);
      }),
    );
  });

  it("is the nearest of all shares", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: dense(layers) }), fc.double({ min: 0, max: 1, noNaN: true }), (target, share) => {
        const found = Math.abs(matchParameters(layers, target).parameters - target);
        expect(found).toBeLessThanOrEqual(Math.abs(ranksAtShare(layers, share).parameters - target));
      }),
    ); // prettier-ignore
  });
});
