import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { broadcast, divideExactly, multiply, product } from "../../../src/onnx/shapes/dimensions";
import { windowPositions } from "../../../src/onnx/shapes/windows";
import { inferNode } from "./graphBuilder";

const small = fc.integer({ min: 1, max: 6 });
const dimension = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom("n", "m"), fc.constant(null));

describe("sliding windows", () => {
  it("count the positions at which the window fits", () => {
    const window = fc.record({
      kernel: small,
      stride: small,
      dilation: fc.integer({ min: 1, max: 3 }),
      begin: fc.integer({ min: 0, max: 4 }),
      end: fc.integer({ min: 0, max: 4 }),
      ceil: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), window, (size, shape) => {
        const { kernel, stride, dilation, begin, end, ceil } = shape;
        const extent = (kernel - 1) * dilation + 1;
        // Runtimes refuse padding that a window could disappear in.
        fc.pre(begin < extent && end < extent);
        const padded = begin + size + end;
        let count = 0;
        let start = 0;
        for (; start + extent <= padded; start += stride) count++;
        // In ceil mode what is left over gets one more window, if that begins before the padding at the end.
        const leftOver = start - stride + extent < padded;
        if (ceil && leftOver && start < begin + size) count++;
        const expected = extent > padded ? null : count;
        expect(windowPositions(size, { ...shape, autoPad: "NOTSET" })).toBe(expected);
      }),
    );
  });
});

describe("Slice", () => {
  it("takes what Array.slice takes, for any bounds and step 1", () => {
    const bound = fc.oneof(fc.integer({ min: -12, max: 12 }), fc.constantFrom(2 ** 63, -(2 ** 63)));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), bound, bound, (size, start, end) => {
        const [y] = inferNode("Slice", [[size], { elements: [start] }, { elements: [end] }, { elements: [0] }]);
        expect(y).toEqual([Array.from({ length: size }).slice(start, end).length]);
      }),
    );
  });

  it("takes what a loop in steps takes", () => {
    const step = fc.integer({ min: -4, max: 4 }).filter((value) => value !== 0);
    const bound = fc.integer({ min: -12, max: 12 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), bound, bound, step, (size, start, end, by) => {
        const inRange = (index: number, low: number, high: number) =>
          Math.min(Math.max(index < 0 ? index + size : index, low), high);
        const first = by > 0 ? inRange(start, 0, size) : inRange(start, 0, size - 1);
        const last = by > 0 ? inRange(end, 0, size) : inRange(end, -1, size - 1);
        let count = 0;
        for (let index = first; by > 0 ? index < last : index > last; index += by) count++;
        const operands = [start, end, 0, by].map((value) => ({ elements: [value] }));
        expect(inferNode("Slice", [[size], ...operands])).toEqual([[count]]);
      }),
    );
  });
});

describe("Reshape", () => {
  it("keeps the number of elements, whichever dimension is left open", () => {
    fc.assert(
      fc.property(fc.array(small, { minLength: 1, maxLength: 5 }), fc.nat(), (dims, pick) => {
        const target = dims.toSorted().with(pick % dims.length, -1);
        const [y] = inferNode("Reshape", [dims, { elements: target }]);
        expect(y && product(y)).toBe(product(dims));
      }),
    );
  });
});

describe("Transpose", () => {
  it("is undone by the inverse permutation", () => {
    const dims = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        dims.chain((sizes) =>
          fc.tuple(fc.constant(sizes), fc.shuffledSubarray([...sizes.keys()], { minLength: sizes.length })),
        ),
        ([sizes, perm]) => {
          const [there] = inferNode("Transpose", [sizes], { perm });
          const inverse = perm.map((_, axis) => perm.indexOf(axis));
          expect(inferNode("Transpose", [there], { perm: inverse })).toEqual([sizes]);
        },
      ),
    );
  });
});

describe("dimensions", () => {
  it("broadcast the same in either order", () => {
    const shape = fc.array(dimension, { maxLength: 4 });
    fc.assert(
      fc.property(shape, shape, (a, b) => {
        expect(broadcast([a, b])).toEqual(broadcast([b, a]));
      }),
    );
  });

  it("divide a product by its factors, symbols included", () => {
    const factors = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom("n", "m")), { maxLength: 5 });
    fc.assert(
      fc.property(factors, factors, (kept, divided) => {
        const whole = multiply(product(kept), product(divided));
        fc.pre(whole !== null);
        expect(divideExactly(whole, product(divided))).toBe(product(kept));
      }),
    );
  });
});
