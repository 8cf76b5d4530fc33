import { describe, expect, it } from "vitest";
import { cutIntoBatches, rearranged, type Samples } from "../../src/calibration/batches";
import { NONE_FILLED } from "../../src/calibration/fill";

/** Sample i of input "a" is [10i, 10i + 1], of input "b" the 64-bit number i. */
const samples: Samples = {
  count: 5,
  inputs: ["a", "b"],
  filled: NONE_FILLED,
  batch: (start, count) => {
    const positions = Array.from({ length: count }, (_, i) => start + i);
    const a = Float32Array.from(positions.flatMap((i) => [10 * i, 10 * i + 1]));
    return new Map([
      ["a", { type: "float32" as const, dims: [count, 2], data: a }],
      ["b", { type: "int64" as const, dims: [count], data: BigInt64Array.from(positions, BigInt) }],
    ]);
  },
  attended: (start, count) => new Map([["b", Uint8Array.from({ length: 2 * count }, (_, i) => (2 * start + i) % 3)]]),
};

describe("rearranged samples", () => {
  it("come in the order asked for, in every input", () => {
    const order = rearranged(samples, Uint32Array.from([4, 0, 2]));
    expect(order.count).toBe(3);
    const batches = cutIntoBatches(order, [], 2);
    const { values } = batches.batch(0);
    expect(values.get("a")).toEqual({ type: "float32", dims: [2, 2], data: Float32Array.from([40, 41, 0, 1]) });
    expect(values.get("b")).toEqual({ type: "int64", dims: [2], data: BigInt64Array.from([4n, 0n]) });
    expect(batches.batch(1).values.get("b")!.data).toEqual(BigInt64Array.from([2n]));
    expect([0, 1].map((batch) => [...batches.attended(batch).get("b")!])).toEqual([
      [2, 0, 0, 1],
      [1, 2],
    ]);
  });

  it("fill up a batch of fixed size as others do", () => {
    const input = { name: "a", elementType: "float32" as const, shape: [2, 2] };
    const batches = cutIntoBatches(rearranged(samples, Uint32Array.from([3, 1, 0])), [input], 1);
    expect(batches.batch(1)).toMatchObject({ start: 2, samples: 1, rows: 2 });
    expect(batches.batch(1).values.get("a")!.data).toEqual(Float32Array.from([0, 1, 0, 1]));
    expect(batches.attended(1)).toEqual(new Map([["b", Uint8Array.from([0, 1])]]));
  });
});
