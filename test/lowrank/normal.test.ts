import { describe, expect, it } from "vitest";
import { normalDensity, normalQuantile, normalTail } from "../../src/lowrank/normal";

describe("the normal distribution", () => {
  it("has the tails of the tables", () => {
    const known: [number, number][] = [
      [0, 0.5],
      [1, 0.1586552539],
      [1.959964, 0.025],
      [3.090232, 0.001],
      [-1, 0.8413447461],
    ];
    for (const [x, p] of known) expect(normalTail(x)).toBeCloseTo(p, 6);
    expect(normalTail(Infinity)).toBe(0);
    expect(normalTail(-Infinity)).toBe(1);
    expect(normalDensity(0)).toBeCloseTo(0.3989422804, 9);
  });

  it("has quantiles that give their tails back", () => {
    for (const p of [0.4, 0.1, 0.025, 1e-3, 1e-4]) expect(normalTail(normalQuantile(p)) / p).toBeCloseTo(1, 6);
  });
});
