import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import path from "node:path";
import { removeLeftoversIn, writeFileAtomically } from "../atomicFile";

/** What an entry is of: plain data, the same for the same content. */
export type CacheKey = Readonly<Record<string, unknown>>;

/** The whole of a cache, unless the user says otherwise. */
export const DEFAULT_CACHE_BYTES = 4 * 2 ** 30;

/** Entries up to this size are kept longest: a search takes the most time, and its decisions the least room. */
const SMALL = 64 * 1024;

/** In front of an entry: the SHA-256 of the rest, which a half-written or damaged file does not have. */
const DIGEST_BYTES = 32;
const ENTRY = /^[a-z]+-[0-9a-f]{64}\.ranklens-cache$/;

/**
 * Results in a folder, by what they were made from. An entry that is damaged counts as missing and is removed. When there is
 * no more room, large entries go first, of these the ones that were not used for the longest time; but none that was used since
 * this cache was opened, or a run that needs more room than there is would find nothing of itself the next time. Other processes
 * may use the folder at the same time. A cache that cannot be written to is none: nothing fails because of it.
 */
export class ContentCache {
  /** A little earlier, since the clock of files may be behind. */
  private readonly opened = Date.now() - 1000;

  constructor(
    private readonly folder: string,
    private readonly limit: number = DEFAULT_CACHE_BYTES,
  ) {}

  /** @param kind lower-case letters, the beginning of the file's name. */
  get(kind: string, key: CacheKey): Uint8Array | null {
    const file = this.fileOf(kind, key);
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch {
      return null;
    }
    const content = bytes.subarray(DIGEST_BYTES);
    if (!digest(content).equals(bytes.subarray(0, DIGEST_BYTES))) {
      this.quietly(() => rmSync(file, { force: true }));
      return null;
    }
    this.quietly(() => utimesSync(file, new Date(), new Date()));
    return content;
  }

  put(kind: string, key: CacheKey, content: Uint8Array): void {
    const size = DIGEST_BYTES + content.byteLength;
    if (size > this.limit) return;
    this.quietly(() => {
      // Gram matrices tell of the data, which need not be for everybody on the machine.
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      // A process that was killed leaves what it was writing, which may be large.
      removeLeftoversIn(this.folder);
      if (!this.makeRoom(size)) return;
      writeFileAtomically(this.fileOf(kind, key), [digest(content), content], { force: true });
    });
  }

  private fileOf(kind: string, key: CacheKey): string {
    const hash = createHash("sha256").update(canonical(key)).digest("hex");
    return path.join(this.folder, `${kind}-${hash}.ranklens-cache`);
  }

  /** Removes entries until `bytes` more fit; false, and nothing removed, where that would take entries of this run. */
  private makeRoom(bytes: number): boolean {
    const entries = readdirSync(this.folder)
      .filter((name) => ENTRY.test(name))
      .flatMap((name) => {
        const file = path.join(this.folder, name);
        const found = statSync(file, { throwIfNoEntry: false });
        return found ? [{ file, size: found.size, used: found.mtimeMs, small: found.size <= SMALL }] : [];
      })
      .sort((a, b) => Number(a.small) - Number(b.small) || a.used - b.used);
    let excess = entries.reduce((sum, { size }) => sum + size, bytes) - this.limit;
    const removed: string[] = [];
    for (const { file, size, used } of entries) {
      if (excess <= 0) break;
      if (used >= this.opened) continue;
      removed.push(file);
      excess -= size;
    }
    if (excess > 0) return false;
    for (const file of removed) rmSync(file, { force: true });
    return true;
  }

  private quietly(step: () => void): void {
    try {
      step();
    } catch {
      // The next run computes it again.
    }
  }
}

function digest(content: Uint8Array): Buffer {
  return createHash("sha256").update(content).digest();
}

/** JSON with the keys of all objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
