import { readdirSync } from "node:fs";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { isExpected } from "../../src/errors";
import { ActivationStore } from "../../src/lowrank/activationStore";
import { SpillFile } from "../../src/lowrank/spillFile";
import type { TensorValue } from "../../src/runtime/session";

let store: ActivationStore | undefined;
afterEach(() => {
  store?.close();
  vi.unstubAllEnvs();
});

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
        expect(own.bytes.memory).toBeLessThanOrEqual(budget);
        const all = batches.reduce((sum, values) => sum + 4 * values.length, 0);
        expect(own.bytes.memory + own.bytes.disk).toBe(all);
        own.close();
        expect(own.bytes).toEqual({ memory: 0, disk: 0 });
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

  it("makes room again when batches and names are deleted, and remembers its peak", () => {
    store = new ActivationStore(8);
    store.put("a", 0, tensor(1, 2));
    store.put("b", 0, tensor(3, 4));
    expect(store.bytes).toEqual({ memory: 8, disk: 8 });
    expect(store.names()).toEqual(new Set(["a", "b"]));
    store.deleteBatch("a", 0);
    expect(store.bytes).toEqual({ memory: 0, disk: 8 });
    store.deleteBatch("b", 0);
    expect(store.bytes).toEqual({ memory: 0, disk: 8 });
    store.delete("a");
    store.delete("b");
    expect(store.bytes).toEqual({ memory: 0, disk: 0 });
    expect(store.has("a")).toBe(false);
    store.put("c", 0, tensor(5, 6));
    expect(store.get("c", 0)).toEqual(tensor(5, 6));
    expect(store.bytes).toEqual({ memory: 8, disk: 0 });
    expect(store.peak).toEqual({ memory: 8, disk: 8 });
  });

  it("leaves no file behind, not even while it is open", () => {
    const files = (): string[] =>
      readdirSync(SpillFile.folder()).filter((name) => name.startsWith("ranklens-activations-"));
    const before = files();
    store = new ActivationStore(0);
    store.put("x", 0, tensor(1));
    if (process.platform !== "win32") expect(files()).toEqual(before);
    store.close();
    expect(files()).toEqual(before);
  });

  it("says what to do where it cannot write", () => {
    vi.stubEnv("TMPDIR", "/no/such/folder");
    store = new ActivationStore(3);
    let error: unknown;
    try {
      store.put("x", 0, tensor(1));
    } catch (caught) {
      error = caught;
    }
    expect(isExpected(error)).toBe(true);
    expect(String(error)).toMatch(/3 bytes of memory allowed .* \/no\/such\/folder: .*--memory/);
  });
});
