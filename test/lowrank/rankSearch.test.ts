import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  fragilityBand,
  mostEvaluations,
  searchRank,
  slackAnswers,
  type Evaluation,
} from "../../src/lowrank/rankSearch";

/** The procedure as the definition words it. */
function literally(full: number, passes: (k: number) => boolean): { k: number; tried: number[] } {
  let lo = 1;
  let hi = full;
  const tried: number[] = [];
  while (lo < hi) {
    const mid = Math.floor((lo + hi) / 2);
    tried.push(mid);
    if (passes(mid)) hi = mid;
    else lo = mid + 1;
  }
  return { k: lo, tried };
}

/** Right answers for k = 1…full, in any order: accuracy need not grow with k. */
const networks = fc.array(fc.nat(100), { minLength: 1, maxLength: 80 });
const monotonic = networks.map((correct) => [...correct].sort((a, b) => a - b));

const search = (correct: readonly number[], needed: number) =>
  searchRank(correct.length, async (k) => {
    const found = correct[k - 1];
    return Promise.resolve({ k, result: found, passed: found >= needed });
  });

describe("the rank search", () => {
  it("makes the decisions of the definition, one by one", () =>
    fc.assert(
      fc.asyncProperty(networks, fc.nat(101), async (correct, needed) => {
        const expected = literally(correct.length, (k) => correct[k - 1] >= needed);
        const { k, evaluations } = await search(correct, needed);
        expect(k).toBe(expected.k);
        expect(evaluations.map((evaluation) => evaluation.k)).toEqual(expected.tried);
        for (const evaluation of evaluations) {
          expect(evaluation.result).toBe(correct[evaluation.k - 1]);
          expect(evaluation.passed).toBe(correct[evaluation.k - 1] >= needed);
        }
      }),
      { seed: 31, numRuns: 300 },
    ));

  it("never evaluates the full rank, which passes by definition", () =>
    fc.assert(
      fc.asyncProperty(networks, async (correct) => {
        const { k, evaluations } = await search(correct, 101);
        expect(k).toBe(correct.length);
        expect(evaluations.every((evaluation) => evaluation.k < correct.length)).toBe(true);
        expect(evaluations.length).toBeLessThanOrEqual(mostEvaluations(correct.length));
      }),
      { seed: 32 },
    ));

  it("finds the smallest passing rank where accuracy grows with k", () =>
    fc.assert(
      fc.asyncProperty(monotonic, fc.nat(100), async (correct, needed) => {
        const smallest = correct.findIndex((found) => found >= needed);
        expect((await search(correct, needed)).k).toBe(smallest < 0 ? correct.length : smallest + 1);
      }),
      { seed: 33, numRuns: 200 },
    ));

  it("evaluates nothing for a full rank of 1", async () => {
    expect(await search([0], 5)).toEqual({ k: 1, evaluations: [] });
  });

  it("makes exactly as many evaluations at most as planned", () => {
    for (let full = 1; full <= 300; full++) {
      let most = 0;
      for (let rank = 1; rank <= full; rank++) most = Math.max(most, literally(full, (k) => k >= rank).tried.length);
      expect(mostEvaluations(full)).toBe(most);
    }
  });
});

describe("the samples that a tolerance allows to go wrong", () => {
  it("are ⌊ε/100·n⌋, without being cheated by rounding", () => {
    expect(slackAnswers(0.1, 1000)).toBe(1);
    expect(slackAnswers(0.1, 999)).toBe(0);
    expect(slackAnswers(0.1, 10_000)).toBe(10);
    expect(slackAnswers(0, 10_000)).toBe(0);
    expect(slackAnswers(100, 7)).toBe(7);
  });

  it("are exact for every tolerance of whole tenths", () => {
    for (let tenths = 0; tenths <= 1000; tenths++) {
      for (const n of [1, 7, 100, 500, 1000, 2500, 10_000, 50_000]) {
        expect(slackAnswers(tenths / 10, n)).toBe(Math.floor((tenths * n) / 1000));
      }
    }
  });
});

describe("the fragility band", () => {
  const band = (full: number, evaluations: readonly Evaluation[], needed: number) => [
    ...fragilityBand(full, evaluations, needed),
  ];

  it("contains the rank found, and all ranks found one sample lower or higher", () =>
    fc.assert(
      fc.asyncProperty(networks, fc.nat(100), async (correct, needed) => {
        const { k, evaluations } = await search(correct, needed);
        const [lowest, highest] = band(correct.length, evaluations, needed);
        for (const threshold of [needed - 1, needed, needed + 1]) {
          const found = literally(correct.length, (at) => correct[at - 1] >= threshold).k;
          expect(lowest).toBeLessThanOrEqual(found);
          expect(highest).toBeGreaterThanOrEqual(found);
        }
        expect(lowest).toBeLessThanOrEqual(k);
        expect(highest).toBeGreaterThanOrEqual(k);
      }),
      { seed: 34, numRuns: 300 },
    ));

  it("is exactly those where every k is known", () =>
    fc.assert(
      fc.property(networks, fc.nat(100), (correct, needed) => {
        const known = correct.map((found, at) => ({ k: at + 1, result: found, passed: found >= needed }));
        const ends = [needed - 1, needed, needed + 1].map(
          (threshold) => literally(correct.length, (k) => correct[k - 1] >= threshold).k,
        );
        expect(band(correct.length, known, needed)).toEqual([Math.min(...ends), Math.max(...ends)]);
      }),
      { seed: 35, numRuns: 300 },
    ));

  it("is as wide as what is left where evaluations stopped early", () => {
    const evaluations = [
      { k: 4, result: null, passed: true },
      { k: 2, result: 10, passed: false },
    ];
    expect(band(8, evaluations, 20)).toEqual([1, 8]);
    expect(band(8, [], 20)).toEqual([1, 8]);
    expect(band(1, [], 20)).toEqual([1, 1]);
  });
});
