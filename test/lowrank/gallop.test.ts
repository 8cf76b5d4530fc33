import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gallop } from "../../src/lowrank/gallop";

/** A search in which ranks from `least` on pass, aimed anywhere. */
async function search(full: number, start: number, least: number, aim: (k: number) => number = (k) => k) {
  const tried: number[] = [];
  const { k, evaluations } = await gallop(full, start, (at) => {
    tried.push(at);
    return Promise.resolve({ evaluation: { k: at, result: null, passed: at >= least }, expected: aim(at) });
  });
  expect(evaluations.map((evaluation) => evaluation.k)).toEqual(tried);
  return { k, tried };
}

describe("galloping", () => {
  const cases = fc.integer({ min: 1, max: 700 }).chain((full) =>
    fc.record({
      full: fc.constant(full),
      start: fc.integer({ min: 1, max: full }),
      least: fc.integer({ min: 1, max: full }),
      aims: fc.array(fc.integer({ min: -5, max: 800 }), { minLength: 1, maxLength: 3 }),
    }),
  );

  it("ends within a tenth above the smallest rank that passes, wherever it starts and is aimed", () =>
    fc.assert(
      fc.asyncProperty(cases, async ({ full, start, least, aims }) => {
        const { k, tried } = await search(full, start, least, (at) => aims[at % aims.length]);
        expect(k).toBeGreaterThanOrEqual(least);
        expect(k - least).toBeLessThan(Math.max(1, 0.1 * k));
        expect(new Set(tried).size).toBe(tried.length);
        expect(tried.every((at) => at >= 1 && at < full)).toBe(true);
      }),
      { seed: 51, numRuns: 500 },
    ));

  it("takes few evaluations where it starts near, however many ranks there are", async () => {
    for (const least of [900, 1000, 1100]) {
      expect((await search(100_000, 1000, least)).tried.length).toBeLessThanOrEqual(6);
    }
  });

  it("evaluates nothing for a full rank of 1", async () => {
    expect(await search(1, 1, 1)).toEqual({ k: 1, tried: [] });
  });
});
