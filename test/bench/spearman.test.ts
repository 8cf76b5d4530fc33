import { describe, expect, it } from "vitest";
import { chanceCorrelation, spearman } from "../../bench/spearman";

describe("Spearman's rank correlation", () => {
  it("is 1 for any rising and −1 for any falling relation", () => {
    const x = [3, -1, 7, 100, 0.5];
    expect(spearman(x, x.map(Math.exp))).toBeCloseTo(1, 12);
    expect(spearman(x, x.map((value) => -(value ** 3)))).toBeCloseTo(-1, 12); // prettier-ignore
  });

  it("is 1 − 6Σd²/(n(n²−1)) without ties", () => {
    // d = 1, −1, −1, 1, 0.
    expect(spearman([10, 20, 30, 40, 50], [2, 1, 4, 3, 5])).toBeCloseTo(1 - (6 * 4) / (5 * 24), 12);
  });

  it("gives equal values their mean rank", () => {
    // Ranks 1, 2.5, 2.5, 4 beside 1, 2, 3, 4: 4.5/√(4.5·5).
    expect(spearman([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(4.5 / Math.sqrt(22.5), 12);
  });

  it("is not defined for a constant, nor for lists of two lengths", () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN();
    expect(() => spearman([1], [1, 2])).toThrow(RangeError);
  });

  it("stays below the bound of chance 19 times out of 20", () => {
    // All orders of 7 values are equally likely where nothing is related.
    const orders = permutations([1, 2, 3, 4, 5, 6, 7]);
    expect(orders).toHaveLength(5040);
    const bound = chanceCorrelation(7);
    const beyond = orders.filter((order) => Math.abs(spearman([1, 2, 3, 4, 5, 6, 7], order)) > bound).length;
    expect(beyond / orders.length).toBeGreaterThan(0.03);
    expect(beyond / orders.length).toBeLessThan(0.06);
  });
});

function permutations(values: readonly number[]): number[][] {
  if (values.length === 0) return [[]];
  return values.flatMap((first) =>
    permutations(values.filter((value) => value !== first)).map((rest) => [first, ...rest]),
  );
}
