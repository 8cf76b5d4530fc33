import { readdirSync } from "node:fs";
import os from "node:os";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { ActivationStore } from "../../src/lowrank/activationStore";
import type { TensorValue } from "../../src/runtime/session";

let store: ActivationStore | undefined;
afterEach(() => store?.close());

function tensor(...values: number[]): TensorValue {
  return { type: "float32", dims: [1, values.length], data: Float32Array.from(values) };
}

describe("activation store", () => {
  it("gives back what was put, in memory or not", () => {
    const value = fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), fc.nat(400), (batches, budget) => {
        const own = new ActivationStore(budget);
        batches.forEach((values, batch) => own.put("x", batch, tensor(...values)));
        batches.forEach((values, batch) => expect(own.get("x", batch)).toEqual(tensor(...values)));
        expect(own.bytesInMemory).toBeLessThanOrEqual(budget);
        const all = batches.reduce((sum, values) => sum + 4 * values.length, 0);
        expect(own.bytesInMemory + own.bytesSpilled).toBe(all);
        own.close();
      }),
      { numRuns: 100 },
    );
  });

  it("keeps the element type of what it spills", () => {
    store = new ActivationStore(0);
    const ids: TensorValue = { type: "int64", dims: [2], data: BigInt64Array.of(-1n, 2n ** 62n) };
    store.put("ids", 0, ids);
    expect(store.get("ids", 0)).toEqual(ids);
  });

  it("makes room again when names are deleted", () => {
    store = new ActivationStore(8);
    store.put("a", 0, tensor(1, 2));
    store.put("b", 0, tensor(3, 4));
    expect([store.bytesInMemory, store.bytesSpilled]).toEqual([8, 8]);
    expect(store.names()).toEqual(new Set(["a", "b"]));
    store.delete("a");
    store.delete("b");
    expect([store.bytesInMemory, store.bytesSpilled, store.has("a"), store.has("b")]).toEqual([0, 0, false, false]);
    store.put("c", 0, tensor(5, 6));
    expect(store.get("c", 0)).toEqual(tensor(5, 6));
    expect(store.bytesSpilled).toBe(0);
  });

  it("leaves no file behind, not even while it is open", () => {
    const files = (): string[] => readdirSync(os.tmpdir()).filter((name) => name.startsWith("ranklens-activations-"));
    const before = files();
    store = new ActivationStore(0);
    store.put("x", 0, tensor(1));
    if (process.platform !== "win32") expect(files()).toEqual(before);
    store.close();
    expect(files()).toEqual(before);
  });
});
