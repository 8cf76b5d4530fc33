import { describe, expect, it } from "vitest";
import { ExpectedError } from "../../src/errors";
import {
  classCount,
  countCorrect,
  isNearChance,
  NO_PREDICTION,
  predictions,
  scoreMargins,
} from "../../src/lowrank/accuracy";

const scores = (dims: readonly number[], ...data: number[]) => ({
  type: "float32" as const,
  dims,
  data: Float32Array.from(data),
});

describe("score margins", () => {
  it("are how far the target is ahead of the best other class, for the rows that count", () => {
    const output = scores([4, 3], 1, 3, 2, 5, 4, 1, 0, 0, 9, 7, 7, 7);
    expect([...scoreMargins(output, 4, Int32Array.from([1, 1, 2]))]).toEqual([1, -1, 9]);
  });

  it("are infinite for a target that is no class, and where scores are", () => {
    expect([...scoreMargins(scores([1, 2], 1, 2), 1, Int32Array.from([7]))]).toEqual([-Infinity]);
    expect([...scoreMargins(scores([1, 2], -Infinity, -Infinity), 1, Int32Array.from([0]))]).toEqual([0]);
    expect([...scoreMargins(scores([1, 2], -Infinity, 3), 1, Int32Array.from([1]))]).toEqual([Infinity]);
  });
});

describe("predictions", () => {
  it("are the class of the highest score, the first of equals, none where a score is NaN", () => {
    const output = scores([5, 3], 1, 3, 2, 5, 5, 1, 0, NaN, 9, -3, -2, -4, NaN, 1, 2);
    expect([...predictions(output, 5, 5)]).toEqual([1, 0, NO_PREDICTION, 1, NO_PREDICTION]);
    expect([...predictions(scores([1, 3], -Infinity, -Infinity, -Infinity), 1, 1)]).toEqual([0]);
    expect([...predictions(scores([1, 3], -Infinity, Infinity, 1), 1, 1)]).toEqual([1]);
  });

  it("leave out the rows that only fill up a batch, and axes of length 1", () => {
    expect([...predictions(scores([3, 2, 1, 1], 1, 2, 2, 1, 1, 2), 3, 2)]).toEqual([1, 0]);
  });

  it("need floating-point scores", () => {
    expect(() => predictions({ type: "int64", dims: [1, 2], data: BigInt64Array.from([1n, 2n]) }, 1, 1)).toThrow(ExpectedError); // prettier-ignore
  });

  it("are right where they equal the target, from a start on", () => {
    expect(countCorrect(Int32Array.from([1, 2, NO_PREDICTION]), Int32Array.from([9, 1, 0, 3]), 1)).toBe(1);
  });
});

it.each([
  [[8, 10], 8, 10],
  [[8, 10, 1, 1], 8, 10],
  [[8, 1, 10], 8, 10],
  [[8], 8, null],
  [[8, 1], 8, null],
  [[8, 3, 4], 8, null],
  [[1, 10], 8, null],
  [[], 8, null],
])("an output of shape %j for %i samples has %j classes", (dims, rows, expected) => {
  expect(classCount(dims, rows)).toBe(expected);
});

describe("an accuracy near chance", () => {
  it("is told from a good one", () => {
    expect(isNearChance(0.1, 10_000, 10)).toBe(true);
    expect(isNearChance(0.18, 10_000, 10)).toBe(true);
    expect(isNearChance(0.25, 10_000, 10)).toBe(false);
    expect(isNearChance(0.5, 20, 2)).toBe(true);
    expect(isNearChance(0.7, 20, 2)).toBe(true);
    expect(isNearChance(0.95, 20, 2)).toBe(false);
  });
});
