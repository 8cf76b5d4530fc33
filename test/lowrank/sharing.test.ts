import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cutIntoBatches } from "../../src/calibration/batches";
import { isExpected } from "../../src/errors";
import { findLayers } from "../../src/layers";
import { Evaluator, type EvaluatorContext } from "../../src/lowrank/evaluator";
import type { Judgement } from "../../src/lowrank/judge";
import { LocalShard } from "../../src/lowrank/shard";
import { ThreadShard } from "../../src/lowrank/shardThread";
import { openShards, shardCount } from "../../src/lowrank/sharing";
import { builtFile } from "../cli/lab";
import { openBytes } from "../fixtures/data";
import { cnn, IMAGE } from "../fixtures/modelNetworks";
import { answerReference, dataset, disturbed, evaluatorContext, SAMPLES } from "./evaluated";

const file = builtFile("shard.js");
const work = 2 ** 40;

/** An evaluator with so many shards of two threads each, whatever the processor has. */
function sharedBy(shards: number, context: EvaluatorContext): Evaluator {
  const sharing = { bytesEach: 1, macs: work, file, cores: 2 * shards };
  return new Evaluator({ ...context, sharing: shards === 1 ? undefined : sharing });
}

describe("an evaluation by several threads", () => {
  const opened = openBytes(cnn("n"));
  const layers = findLayers(opened.index).layers.filter(({ name }) => name !== "side");
  const batches = cutIntoBatches(dataset(IMAGE), opened.model.graph.inputs, 3);
  const margins = Float64Array.from({ length: SAMPLES }, (_, sample) => (sample % 7) - 3);
  const right = Uint8Array.from(margins, (margin) => Number(margin >= 0));
  const reference = answerReference({ margins, right });

  /** All that an evaluator says of some candidates of every layer. */
  async function everything(shards: number, more: Partial<EvaluatorContext> = {}): Promise<unknown[]> {
    const evaluator = sharedBy(shards, evaluatorContext(opened, batches, { reference, ...more }));
    const found: unknown[] = [];
    try {
      for (const layer of layers) {
        await evaluator.start(layer);
        for (const seed of [1, 2, 3]) {
          const data = disturbed(opened, layer, seed);
          found.push(await evaluator.result(data));
          for (const needed of [0, 3, 9, 20, SAMPLES]) {
            const judgement: Judgement = await evaluator.judge(data, needed);
            found.push(judgement, await evaluator.compare(data, needed, 1e-3));
          }
        }
      }
    } finally {
      await evaluator.close();
    }
    return found;
  }

  it("gives what one thread gives, to the last bit, whatever their number", async () => {
    const alone = await everything(1);
    expect(alone).toHaveLength(layers.length * 3 * 11);
    for (const shards of [2, 3, 5]) expect(await everything(shards), `${shards} shards`).toEqual(alone);
    expect(await everything(2, { cacheBytes: 2000 }), "with values on disk").toEqual(alone);
  });

  it("does the same work every time", async () => {
    const total = async (): Promise<number> => {
      let sum = 0;
      await everything(3, { onWork: (amount) => (sum += amount) });
      return sum;
    };
    const first = await total();
    expect(first).toBeGreaterThan(SAMPLES);
    expect(await total()).toBe(first);
  });

  it("stops when it is aborted, and leaves no thread", async () => {
    const controller = new AbortController();
    const threadsBefore = threadCount();
    const onWork = (): void => controller.abort(new Error("enough"));
    await expect(everything(3, { signal: controller.signal, onWork })).rejects.toThrow("enough");
    expect(threadCount()).toBe(threadsBefore);
  });

  it("leaves no thread and no file when it is over", async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-shards-"));
    const before = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    try {
      const threadsBefore = threadCount();
      await everything(2, { cacheBytes: 100 });
      expect(threadCount()).toBe(threadsBefore);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      rmSync(folder, { recursive: true });
    }
  });
});

/** Threads of JavaScript beside this one: each has a port that keeps the process. */
function threadCount(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "MessagePort").length;
}

describe("a shard in a thread", () => {
  const settings = { cacheBytes: 1000, device: "cpu", threads: 1 } as const;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-shard-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("says what one in this thread says of a part that onnxruntime refuses", async () => {
    const part = { bytes: Uint8Array.of(1, 2, 3), what: "m.onnx from fc on", folder: null, inputs: ["x"] };
    const refusals = [new LocalShard(settings), new ThreadShard(settings, file)].map(async (shard) => {
      const error: unknown = await shard.open("suffix", part).catch((reason: unknown) => reason);
      await shard.close();
      return [isExpected(error), (error as Error).message];
    });
    const [here, there] = await Promise.all(refusals);
    expect(here).toEqual([true, expect.stringMatching(/^m\.onnx from fc on could not be loaded by onnxruntime: /)]);
    expect(there).toEqual(here);
  });

  it.each([
    ["throws", `throw new Error("no memory")`, "no memory"],
    ["ends", `process.exit(3)`, "a thread of evaluations ended with status 3"],
  ])("that %s fails all calls, those under way and later ones", async (_, script, message) => {
    const broken = path.join(folder, "broken.cjs");
    writeFileSync(broken, `require("node:worker_threads").parentPort.once("message", () => { ${script} });`);
    const shard = new ThreadShard(settings, broken);
    const calls = [shard.forget([]), shard.release("suffix")];
    for (const call of calls) await expect(call).rejects.toThrow(message);
    await expect(shard.forget([])).rejects.toThrow(message);
    await shard.close();
  });

  it("starts with its first call: one that has none closes at once", async () => {
    const shard = new ThreadShard(settings, path.join(folder, "not there.js"));
    await shard.close();
    await expect(shard.forget([])).rejects.toThrow("closed");
  });
});

describe("the number of shards", () => {
  const machine = { device: "cpu", batches: 80, cacheBytes: 2 ** 32, cores: 4 } as const;
  const small = { bytesEach: 2 ** 24, macs: work };

  it.each([
    ["is half of the processor's threads", {}, {}, 2],
    ["is one where the processor runs two threads", { cores: 2 }, {}, 1],
    ["has a limit", { cores: 64 }, {}, 8],
    ["leaves no thread of the processor over where it need not", { cores: 12 }, {}, 6],
    ["leaves each two batches", { cores: 16, batches: 5 }, {}, 2],
    ["has room for each in a quarter of the memory", { cores: 16, cacheBytes: 2 ** 27 }, {}, 2],
    ["is one where memory has no room", { cacheBytes: 0 }, {}, 1],
    ["is one on another device", { device: "webgpu" }, {}, 1],
    ["is one where an evaluation is over before threads have started", {}, { macs: 2 ** 20 }, 1],
    ["is one where the processor runs one thread", { cores: 1 }, {}, 1],
  ] as const)("%s", (_, other, sharing, count) => {
    expect(shardCount({ ...machine, ...other }, { ...small, ...sharing })).toBe(count);
  });

  it("is one where the threads' entry is missing", () => {
    const sharing = { ...small, file: path.join(os.tmpdir(), "ranklens no such file.js") };
    expect(openShards({ device: "cpu", batches: 80, cacheBytes: 2 ** 32, sharing })).toEqual([expect.any(LocalShard)]);
  });
});
