import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cutSequence, padSequences } from "../../src/calibration/sequences";
import { messageOf } from "./messageOf";

const ids = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 });
const side = fc.constantFrom("left" as const, "right" as const);

describe("cut", () => {
  test("property: no longer than allowed, with the frame, and the text in order from one end", () => {
    const frames = fc.record({ before: fc.nat({ max: 2 }), after: fc.nat({ max: 2 }) });
    fc.assert(
      fc.property(ids, fc.integer({ min: 5, max: 20 }), side, frames, (sequence, longest, cutSide, frame) => {
        const cut = cutSequence(sequence, longest, { cutSide, frame });
        expect(cut).toHaveLength(Math.min(longest, sequence.length));
        if (sequence.length <= longest) return;
        const { before, after } = frame;
        const inner = longest - before - after;
        expect(cut.slice(0, before)).toEqual(sequence.slice(0, before));
        expect(cut.slice(longest - after)).toEqual(sequence.slice(sequence.length - after));
        const start = cutSide === "right" ? before : sequence.length - after - inner;
        expect(cut.slice(before, before + inner)).toEqual(sequence.slice(start, start + inner));
      }),
    );
  });

  test("a frame that leaves no room is cut like text", () => {
    expect(cutSequence([2, 7, 8, 3], 2, { cutSide: "right", frame: { before: 1, after: 1 } })).toEqual([2, 7]);
  });
});

describe("filled up", () => {
  test("property: tokens where the mask is 1, in order, and padding elsewhere", () => {
    fc.assert(
      fc.property(fc.array(ids, { minLength: 1, maxLength: 6 }), side, fc.boolean(), (sequences, padSide, isFixed) => {
        const padded = padSequences(sequences, isFixed ? 25 : null, { padId: 0, padSide });
        const { length } = padded;
        expect(length).toBe(isFixed ? 25 : Math.max(...sequences.map((one) => one.length)));
        sequences.forEach((sequence, row) => {
          const of = (values: Int32Array) => [...values.subarray(row * length, (row + 1) * length)];
          const mask = of(padded.mask);
          expect(of(padded.ids).filter((_, at) => mask[at] === 1)).toEqual(sequence);
          expect(of(padded.ids).filter((_, at) => mask[at] === 0)).toEqual(
            new Array<number>(length - sequence.length).fill(0),
          );
          expect(mask.indexOf(1)).toBe(padSide === "right" ? 0 : length - sequence.length);
          expect(of(padded.positions).filter((_, at) => mask[at] === 1)).toEqual([...sequence.keys()]);
        });
      }),
    );
  });

  test("more than fits in memory is refused", () => {
    expect(messageOf(() => padSequences([[1], [2]], 2 ** 28))).toBe(
      `2 sequences of 268435456 tokens are 536870912 values, and at most 268435456 are kept in memory; set "limit" to 1 or ` +
        `less, or a smaller preprocess.maxLength`,
    );
  });
});
