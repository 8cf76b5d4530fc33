import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fragilityBand, searchRank, type Evaluation } from "../../src/lowrank/rankSearch";
import { evaluationBatch, fragileOutside } from "../../src/lowrank/sampleOrder";
import { Tally } from "../../src/lowrank/tally";

/** Answers of the original and of a candidate, sample by sample, in the order of an evaluation. */
interface Answers {
  readonly original: readonly boolean[];
  readonly candidate: readonly boolean[];
}

const count = (answers: readonly boolean[]): number => answers.filter(Boolean).length;

function batchesOf(original: readonly boolean[], size: number): { answers: number; right: number }[] {
  return Array.from({ length: Math.ceil(original.length / size) }, (_, i) => {
    const part = original.slice(i * size, (i + 1) * size);
    return { answers: part.length, right: count(part) };
  });
}

/** One evaluation to its end, with the number of samples that were run. */
function evaluate({ original, candidate }: Answers, size: number, needed: number): { tally: Tally; run: number } {
  const tally = new Tally(batchesOf(original, size), needed);
  const seen = new Set<number>();
  let run = 0;
  const promised: number[] = [];
  for (let batch = tally.next(); batch !== null; batch = tally.next()) {
    expect(seen.has(batch)).toBe(false);
    promised.push(tally.leastLeft);
    seen.add(batch);
    const part = candidate.slice(batch * size, (batch + 1) * size);
    run += part.length;
    tally.add(batch, count(part));
  }
  // It stops before only where no batch is left.
  const all = seen.size === batchesOf(original, size).length;
  promised.forEach((least, before) => expect(promised.length - before).toBeGreaterThanOrEqual(all ? 1 : least));
  return { tally, run };
}

const answers = fc.integer({ min: 1, max: 120 }).chain((samples) => {
  const each = fc.array(fc.boolean(), { minLength: samples, maxLength: samples });
  return fc.record({ original: each, candidate: each });
});

describe("an evaluation that stops early", () => {
  it("has the verdict of a full count, for its threshold and for one sample beside it", () =>
    fc.assert(
      fc.property(answers, fc.integer({ min: 1, max: 30 }), fc.integer({ min: -2, max: 122 }), (both, size, needed) => {
        const { tally } = evaluate(both, size, needed);
        const truth = count(both.candidate);
        expect(tally.passed).toBe(truth >= needed);
        if (tally.correct !== null) expect(tally.correct).toBe(truth);
        const [atLeast, atMost] = tally.bounds;
        expect(atLeast).toBeLessThanOrEqual(truth);
        expect(atMost).toBeGreaterThanOrEqual(truth);
        for (const threshold of [needed - 1, needed, needed + 1]) {
          expect(atLeast >= threshold || atMost < threshold).toBe(true);
        }
        for (const fall of [-200, -3, 0, 5, 200, Infinity]) {
          const estimate = tally.estimate(fall);
          expect(estimate >= needed).toBe(tally.passed);
          expect(estimate).toBeGreaterThanOrEqual(atLeast);
          expect(estimate).toBeLessThanOrEqual(atMost);
        }
      }),
      { seed: 41, numRuns: 2000 },
    ));

  it("leads a search to the same ranks, verdicts and band of ranks", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(answers, { minLength: 2, maxLength: 40 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(60),
        async (ranks, size, needed) => {
          const full = ranks.length + 1;
          const [early, whole] = await Promise.all([
            searchRank(full, (k) => {
              const { correct: result, passed, bounds } = evaluate(ranks[k - 1], size, needed).tally;
              return Promise.resolve<Evaluation>({ k, result, passed, ...(result === null ? { bounds } : {}) });
            }),
            searchRank(full, (k) => {
              const result = count(ranks[k - 1].candidate);
              return Promise.resolve<Evaluation>({ k, result, passed: result >= needed });
            }),
          ]);
          const verdicts = ({ evaluations }: typeof early): unknown => evaluations.map(({ k, passed }) => [k, passed]);
          expect(early.k).toBe(whole.k);
          expect(verdicts(early)).toEqual(verdicts(whole));
          expect(fragilityBand(full, early.evaluations, needed)).toEqual(
            fragilityBand(full, whole.evaluations, needed),
          );
        },
      ),
      { seed: 42, numRuns: 300 },
    ));

  it("passes without the samples that the original gets wrong, and fails without its safe right answers", () => {
    const original = Array.from({ length: 100 }, (_, i) => i < 80);
    const same = evaluate({ original, candidate: original }, 10, 78);
    expect(same.tally.passed).toBe(true);
    expect(same.run).toBe(80);
    // The 20 most fragile right answers are lost.
    const worse = evaluate({ original, candidate: original.map((right, i) => right && i >= 20) }, 10, 78);
    expect(worse.tally.passed).toBe(false);
    expect(worse.tally.correct).toBeNull();
    expect(worse.run).toBe(30);
  });
});

describe("the order of samples", () => {
  it("has fragile right answers first and fragile wrong ones last", () => {
    const margins = Float64Array.from([3, -1, 0.5, -4, 1, -0.1]);
    const right = Uint8Array.from([1, 0, 1, 0, 1, 0]);
    expect([...fragileOutside(margins, right)]).toEqual([2, 4, 0, 3, 1, 5]);
  });

  it("is a permutation, whatever the margins", () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.double(), fc.boolean()), { maxLength: 50 }), (samples) => {
        const order = fragileOutside(
          Float64Array.from(samples, ([margin]) => margin),
          Uint8Array.from(samples, ([, right]) => Number(right)),
        );
        expect([...order].sort((a, b) => a - b)).toEqual([...samples.keys()]);
      }),
      { seed: 43 },
    ));
});

describe("the batch of an evaluation", () => {
  it("is a fortieth of the samples, more where a sample is cheap, and no more than memory allows", () => {
    expect(evaluationBatch(2000, 40e6, 100)).toBe(50);
    expect(evaluationBatch(64, 17e9, 100)).toBe(2);
    expect(evaluationBatch(2000, 1e5, 100)).toBe(100);
    expect(evaluationBatch(50_000, 17e9, 100)).toBe(100);
    expect(evaluationBatch(1, 0, 100)).toBe(100);
  });
});
