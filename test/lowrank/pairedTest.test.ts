import { describe, expect, it } from "vitest";
import { MarginModel, Moves } from "../../src/lowrank/marginModel";
import { PairedTest, testSamples, type TestVerdict } from "../../src/lowrank/pairedTest";
import { normal } from "../fixtures/data";

const SAMPLES = 2000;

function normals(count: number, seed: number): Float64Array {
  const next = normal(seed);
  return Float64Array.from({ length: count }, next);
}

/** Margins as of a network with four fifths right, the most fragile samples first. */
function original(seed: number): { margins: Float64Array; right: Uint8Array; model: MarginModel } {
  const margins = normals(SAMPLES, seed).map((value) => 3 * (value + 0.84));
  margins.sort((a, b) => Math.abs(a) - Math.abs(b));
  const right = Uint8Array.from(margins, (margin) => Number(margin > 0));
  return { margins, right, model: new MarginModel(margins, right) };
}

/** Tests a candidate that moves margins by independent normal amounts; with its true number of right answers. */
function run(seed: number, spread: number, allowed: number, alpha: number): { verdict: TestVerdict; correct: boolean } {
  const { margins, right, model } = original(seed);
  const moved = normals(SAMPLES, seed + 1_000_000).map((value, i) => margins[i] + spread * value);
  const needed = model.originalRight - allowed;
  const test = new PairedTest(model, needed, alpha, 1);
  const moves = new Moves(SAMPLES);
  let fall = 0;
  for (let start = 0; start < SAMPLES; start += 32) {
    const part = moved.subarray(start, start + 32);
    part.forEach((margin, i) => (fall += right[start + i] - Number(margin > 0)));
    moves.add(start, margins.subarray(start, start + 32), part);
    const verdict = test.verdict(moves, fall);
    if (!verdict) continue;
    const truth = moved.reduce((sum, margin) => sum + Number(margin > 0), 0);
    return { verdict, correct: verdict.passed === truth >= needed };
  }
  throw new Error("no verdict");
}

describe("the paired test", () => {
  it("is wrong no more often than it says where it is certain, at any distance from the threshold", () => {
    const alpha = 0.05;
    let certain = 0;
    let wrong = 0;
    for (let seed = 1; seed <= 400; seed++) {
      // From no change of any answer to hundreds of them.
      const { verdict, correct } = run(seed, 0.02 * 1.02 ** (seed % 300), 20, alpha);
      if (!verdict.certain) continue;
      certain++;
      if (!correct) wrong++;
    }
    expect(certain).toBeGreaterThan(150);
    expect(wrong / certain).toBeLessThan(alpha);
  });

  it("estimates the fall without bias, and so decides most of what it cannot be certain of", () => {
    const errors: number[] = [];
    let decided = 0;
    for (let seed = 500; seed < 600; seed++) {
      const { model, margins } = original(seed);
      const { verdict, correct } = run(seed, 1.3, 20, 1e-3);
      const spreadOfAll = model.expectedFall(1.3, new Uint8Array(SAMPLES));
      errors.push(model.originalRight - verdict.estimate - spreadOfAll.mean);
      expect(margins).toHaveLength(SAMPLES);
      if (correct) decided++;
    }
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    expect(Math.abs(mean)).toBeLessThan(3);
    expect(decided).toBeGreaterThan(60);
  });

  it("passes what changes nothing, and fails what is no number, at the first look", () => {
    const { margins, right, model } = original(7);
    const test = (candidate: Float64Array): TestVerdict | null => {
      const moves = new Moves(SAMPLES);
      const part = candidate.subarray(0, 32);
      moves.add(0, margins.subarray(0, 32), part);
      const fall = part.reduce((sum, margin, i) => sum + right[i] - Number(margin > 0), 0);
      return new PairedTest(model, model.originalRight - 10, 1e-3, 1).verdict(moves, fall);
    };
    expect(test(margins)).toEqual({ passed: true, estimate: model.originalRight, certain: true });
    expect(test(new Float64Array(SAMPLES).fill(NaN))).toMatchObject({ passed: false, certain: true });
  });

  it("runs a share of the samples, more of them where they cost less", () => {
    expect(testSamples(20)).toBe(20);
    expect(testSamples(2000, 1)).toBeLessThan(150);
    expect(testSamples(2000, 0.1)).toBeGreaterThan(2 * testSamples(2000, 1));
    expect(testSamples(50_000, 0)).toBeLessThan(5000);
  });
});

describe("the model of margins", () => {
  it("finds the spread at which a number of right answers is expected to go", () => {
    const { model } = original(3);
    for (const fall of [1, 10, 100]) {
      const spread = model.spreadFor(fall);
      expect(model.expectedFall(spread, new Uint8Array(SAMPLES)).mean).toBeCloseTo(fall, 3);
    }
  });
});
