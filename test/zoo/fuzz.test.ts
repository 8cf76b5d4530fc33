import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { isExpected } from "../../src/errors";
import { inspectModel } from "../../src/inspect";
import { memorySource } from "../../src/onnx/byteSource";
import { readModel } from "../../src/onnx/reader";
import { cnnSpec } from "../cli/models";
import { modelBytes } from "../fixtures/model";

/** Damaged files that are read, in all. */
const CASES = 20_000;
/** One file gets as many as are read in about this time, and at least {@link FEWEST}; the others share the rest. */
const SECONDS_PER_FILE = 2;
const FEWEST = 20;
const MOST_SECONDS = 2;
const MOST_BYTES = 512 * 2 ** 20;

const zoo = fileURLToPath(new URL("../../../shared/zoo", import.meta.url));
const example = fileURLToPath(new URL("../../examples/shapes/model.onnx", import.meta.url));

function models(): Map<string, Uint8Array> {
  const found = new Map([
    ["a small CNN", modelBytes(cnnSpec())],
    ["the bundled example", readFileSync(example)],
  ]);
  if (!existsSync(zoo)) {
    console.warn(`NOT TESTED: damaged real ONNX files, as there is no folder ${zoo}.`);
  } else {
    for (const name of readdirSync(zoo).filter((each) => each.endsWith(".onnx") && each !== "ort-corrupt.onnx")) {
      found.set(name, readFileSync(path.join(zoo, name)));
    }
  }
  return found;
}

/** Whole numbers below a limit, the same ones for the same seed (mulberry32). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Where a file's structure is: everything but the raw weights, of which only every thousandth byte is taken. */
function structure(bytes: Uint8Array): Int32Array {
  const isWeight = new Uint8Array(bytes.length);
  for (const { payload } of readModel(memorySource(bytes)).graph.initializers.values()) {
    if (payload.kind === "raw") isWeight.fill(1, payload.range.start, payload.range.end);
  }
  return Int32Array.from(bytes.keys()).filter((at) => isWeight[at] === 0 || at % 1000 === 0);
}

const HUGE_VARINT = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];

/** A copy with one to eight places changed: bytes, lengths, parts cut out, put in, repeated or cut off. */
function damaged(whole: Uint8Array, places: Int32Array, random: (below: number) => number): Uint8Array {
  let bytes = Buffer.from(whole);
  const place = (): number => Math.min(places[random(places.length)], bytes.length - 1);
  const replace = (at: number, length: number, put: Uint8Array): void => {
    bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + length)]);
  };
  for (let change = 1 + random(random(8) + 1); change > 0 && bytes.length > 0; change--) {
    const at = place();
    switch (random(8)) {
      case 0:
      case 1:
      case 2:
        bytes[at] = random(256);
        break;
      case 3:
        bytes[at] = [0, 0x01, 0x7f, 0x80, 0xff][random(5)];
        break;
      case 4:
        replace(at, 1 + random(3), Uint8Array.from(HUGE_VARINT).subarray(random(HUGE_VARINT.length)));
        break;
      case 5:
        replace(at, 1 + random(60), new Uint8Array());
        break;
      case 6: {
        const from = place();
        replace(at, 0, Buffer.from(bytes.subarray(from, from + 1 + random(200))));
        break;
      }
      default:
        if (random(4) === 0) {
          bytes = bytes.subarray(0, at);
        } else {
          replace(
            at,
            0,
            Uint8Array.from({ length: 1 + random(8) }, () => random(256)),
          );
        }
    }
  }
  return bytes;
}

/** Reads a file as `inspect` does. Whether it could; any error but an expected one is thrown. */
function read(bytes: Uint8Array): boolean {
  try {
    inspectModel(readModel(memorySource(bytes)));
    return true;
  } catch (error) {
    if (isExpected(error)) return false;
    throw error;
  }
}

it(
  `${CASES.toLocaleString("en-US")} damaged files are read or refused, quickly and in little memory`,
  { timeout: 600_000 },
  () => {
    const counts = { read: 0, refused: 0 };
    let slowest = { seconds: 0, what: "" };
    const rounds = [...models()].map(([name, whole]) => ({
      name,
      whole,
      places: structure(whole),
      seed: 0,
      seconds: 0,
    }));
    const attempt = (round: (typeof rounds)[number]): void => {
      const what = `${round.name}, seed ${round.seed}`;
      const bytes = damaged(round.whole, round.places, randomNumbers(round.seed++));
      const start = performance.now();
      let could: boolean;
      try {
        could = read(bytes);
      } catch (error) {
        throw new Error(`${what}: ${String(error)}`, { cause: error });
      }
      const seconds = (performance.now() - start) / 1000;
      round.seconds += seconds;
      if (seconds > slowest.seconds) slowest = { seconds, what };
      counts[could ? "read" : "refused"]++;
    };
    for (const round of rounds) {
      while (round.seed < FEWEST || (round.seconds < SECONDS_PER_FILE && round.seed < CASES / rounds.length)) {
        attempt(round);
      }
    }
    const quick = [...rounds].sort((a, b) => b.seed - a.seed).slice(0, rounds.length / 2);
    for (let i = 0; counts.read + counts.refused < CASES; i++) attempt(quick[i % quick.length]);
    const peak = process.resourceUsage().maxRSS * 1024;
    const total = rounds.reduce((sum, { seconds }) => sum + seconds, 0);
    console.info(
      `${rounds.length} files, ${counts.read} variants read, ${counts.refused} refused, in ${total.toFixed(0)} s; ` +
        `slowest ${slowest.seconds.toFixed(2)} s (${slowest.what}); at most ${(peak / 2 ** 20).toFixed(0)} MiB of memory`,
    );
    expect(slowest.seconds, slowest.what).toBeLessThan(MOST_SECONDS);
    expect(peak).toBeLessThan(MOST_BYTES);
    expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(CASES / 50);
  },
);
