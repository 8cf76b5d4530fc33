import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ContentCache } from "../../src/cache/contentCache";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ranklens-cache-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const only = (): string => path.join(folder, readdirSync(folder)[0]);

describe("a cache of results by content", () => {
  it.skipIf(process.platform === "win32")("is for its user alone", () => {
    const made = path.join(folder, "made");
    new ContentCache(made).put("gram", { one: 1 }, bytes(1));
    expect(statSync(made).mode & 0o077).toBe(0);
  });

  it("gives back what was put under the same key, in whatever order its parts are named", () => {
    const key = { model: "abc", data: { limit: 3, seed: [1, 2] } };
    const cache = new ContentCache(path.join(folder, "made", "when", "needed"));
    expect(cache.get("gram", key)).toBeNull();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (content) => {
        cache.put("gram", key, content);
        const found = cache.get("gram", { data: { seed: [1, 2], limit: 3 }, model: "abc" });
        expect(Uint8Array.from(found!)).toEqual(content);
      }),
      { numRuns: 20 },
    );
    expect(cache.get("ranks", key)).toBeNull();
    expect(cache.get("gram", { ...key, data: { limit: 3, seed: [2, 1] } })).toBeNull();
  });

  it("treats a damaged entry as missing, and removes it", () => {
    const cache = new ContentCache(folder);
    cache.put("gram", { a: 1 }, bytes(1, 2, 3, 4));
    const whole = readFileSync(only());
    for (const damaged of [whole.subarray(0, 33), whole.subarray(0, 10), bytes(), Buffer.from(whole).fill(9, 34, 35)]) {
      writeFileSync(path.join(folder, readdirSync(folder)[0]), damaged);
      expect(cache.get("gram", { a: 1 })).toBeNull();
      expect(readdirSync(folder)).toEqual([]);
      cache.put("gram", { a: 1 }, bytes(1, 2, 3, 4));
    }
    expect(cache.get("gram", { a: 1 })).toEqual(Buffer.from([1, 2, 3, 4]));
  });

  it("lets go of what was not used for the longest time", () => {
    const cache = new ContentCache(folder, 3 * 42);
    const age = (a: number, seconds: number): void => {
      const before = new Set(readdirSync(folder));
      cache.put("gram", { a }, new Uint8Array(10));
      const file = readdirSync(folder).find((one) => !before.has(one))!;
      const when = new Date(Date.now() - 1000 * seconds);
      utimesSync(path.join(folder, file), when, when);
    };
    age(1, 300);
    age(2, 200);
    age(3, 100);
    // Use makes it the newest.
    expect(cache.get("gram", { a: 1 })).not.toBeNull();
    cache.put("gram", { a: 4 }, new Uint8Array(10));
    expect([1, 2, 3, 4].map((a) => cache.get("gram", { a }) !== null)).toEqual([true, false, true, true]);
    // What could never fit drives nothing out.
    cache.put("gram", { a: 5 }, new Uint8Array(200));
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it("lets go of large entries first, and of none that this run has used", () => {
    const size = 80 * 1024;
    const before = new ContentCache(folder, 3 * size);
    for (const a of [1, 2]) before.put("gram", { a }, new Uint8Array(size));
    before.put("ranks", { a: 1 }, new Uint8Array(10));
    const old = new Date(Date.now() - 100_000);
    for (const name of readdirSync(folder)) utimesSync(path.join(folder, name), old, old);
    for (const name of readdirSync(folder).filter((each) => each.startsWith("ranks"))) {
      utimesSync(path.join(folder, name), 1, 1);
    }
    const cache = new ContentCache(folder, 3 * size);
    expect(cache.get("gram", { a: 2 })).not.toBeNull();
    for (const a of [3, 4, 5]) cache.put("gram", { a }, new Uint8Array(size));
    // 1 made room for 3; there is none left for 4 and 5 but that of 2 and 3.
    expect([1, 2, 3, 4, 5].map((a) => cache.get("gram", { a }) !== null)).toEqual([false, true, true, false, false]);
    expect(cache.get("ranks", { a: 1 })).not.toBeNull();
  });

  it("leaves files alone that are not its own", () => {
    writeFileSync(path.join(folder, "notes.txt"), "x".repeat(500));
    const cache = new ContentCache(folder, 100);
    cache.put("gram", { a: 1 }, new Uint8Array(60));
    cache.put("gram", { a: 2 }, new Uint8Array(60));
    expect(readdirSync(folder).sort()).toEqual([expect.stringMatching(/^gram-/), "notes.txt"]);
  });

  it("removes what a process that was killed had begun to write, and leaves alone what one still writes", () => {
    const ended = spawnSync(process.execPath, ["-e", ""]).pid;
    const begun = (pid: number): string => `.gram-0.ranklens-cache.${pid}.ranklens-tmp`;
    for (const pid of [ended, process.ppid]) writeFileSync(path.join(folder, begun(pid)), "x");
    new ContentCache(folder).put("gram", { a: 1 }, bytes(1));
    expect(readdirSync(folder).sort()).toEqual([begun(process.ppid), expect.stringMatching(/^gram-/)]);
  });

  it("fails nothing where it cannot be written to", () => {
    const file = path.join(folder, "file");
    writeFileSync(file, "");
    const cache = new ContentCache(path.join(file, "cache"));
    cache.put("gram", { a: 1 }, bytes(1));
    expect(cache.get("gram", { a: 1 })).toBeNull();
  });
});
