import { parentPort, workerData } from "node:worker_threads";
import { toWire } from "../worker/protocol";
import { LocalShard, type ShardSettings } from "./shard";
import type { ShardReply, ShardRequest } from "./shardThread";

/** Entry of `dist/shard.js`, the thread of one shard: it answers calls one after the other. */

// The sender is of this very build.
const shard = new LocalShard(workerData as ShardSettings);
let last: Promise<unknown> = Promise.resolve();

async function answer({ id, method, args }: ShardRequest): Promise<ShardReply> {
  try {
    const run = shard[method].bind(shard) as (...args: unknown[]) => Promise<unknown>;
    return { id, kind: "result", result: await run(...args) };
  } catch (error) {
    return { id, kind: "error", error: toWire(error) };
  }
}

parentPort?.on("message", (request: ShardRequest) => {
  last = last.then(async () => parentPort?.postMessage(await answer(request)));
});
