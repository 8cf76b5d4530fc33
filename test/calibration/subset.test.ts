import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseSubset } from "../../src/calibration/subset";

function sizes(labels: Iterable<number>): Map<number, number> {
  const result = new Map<number, number>();
  for (const label of labels) result.set(label, (result.get(label) ?? 0) + 1);
  return result;
}

const cases = fc
  .tuple(fc.array(fc.nat(6), { minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: 220 }), fc.integer())
  .map(([labels, limit, seed]) => ({ labels: Int32Array.from(labels), limit, seed }));

describe("subset", () => {
  test("property: sorted, distinct, in range, of the size asked for, and the same every time", () => {
    fc.assert(
      fc.property(cases, fc.boolean(), ({ labels, limit, seed }, labelled) => {
        const chosen = chooseSubset(labels.length, limit, labelled ? labels : null, seed);
        expect(chosen.length).toBe(Math.min(limit, labels.length));
        expect(chosen.every((index, at) => index < labels.length && (at === 0 || index > chosen[at - 1]))).toBe(true);
        expect(chooseSubset(labels.length, limit, labelled ? labels.slice() : null, seed)).toEqual(chosen);
      }),
    );
  });

  test("property: classes differ by at most 1, unless one gives all it has", () => {
    fc.assert(
      fc.property(cases, ({ labels, limit, seed }) => {
        const chosen = chooseSubset(labels.length, limit, labels, seed);
        const available = sizes(labels);
        const taken = sizes(Array.from(chosen, (index) => labels[index]));
        const counts = [...available].map(([label, all]) => ({ all, got: taken.get(label) ?? 0 }));
        const most = Math.max(...counts.map(({ got }) => got));
        for (const { all, got } of counts) expect(got === all || got >= most - 1).toBe(true);
      }),
    );
  });

  test("a limit of the count or more takes everything", () => {
    expect([...chooseSubset(3, 3, null)]).toEqual([0, 1, 2]);
    expect([...chooseSubset(3, 100, Int32Array.of(1, 1, 0))]).toEqual([0, 1, 2]);
  });

  test("the fixed seed gives a fixed subset", () => {
    const labels = Int32Array.from({ length: 40 }, (_, index) => index % 4);
    expect([...chooseSubset(40, 8, labels)]).toMatchInlineSnapshot(`
      [
        4,
        15,
        17,
        25,
        26,
        30,
        31,
        32,
      ]
    `);
    expect([...chooseSubset(40, 8, null)]).toMatchInlineSnapshot(`
      [
        1,
        2,
        7,
        18,
        28,
        29,
        32,
        35,
      ]
    `);
    expect(chooseSubset(40, 8, null, 1)).not.toEqual(chooseSubset(40, 8, null, 2));
  });

  test("every sample, and every class that wins a spare slot, is about equally likely", () => {
    const rounds = 4000;
    const bySample = new Float64Array(20);
    const byClass = new Float64Array(5);
    for (let seed = 0; seed < rounds; seed++) {
      for (const index of chooseSubset(20, 5, null, seed)) bySample[index] += 1 / rounds;
      const labels = Int32Array.from({ length: 20 }, (_, index) => index % 5);
      for (const index of chooseSubset(20, 2, labels, seed)) byClass[labels[index]] += 1 / rounds;
    }
    // Expected: 1/4 and 2/5; 0.035 is five standard deviations.
    for (const share of bySample) expect(Math.abs(share - 0.25)).toBeLessThan(0.035);
    for (const share of byClass) expect(Math.abs(share - 0.4)).toBeLessThan(0.039);
  });
});
