import { existsSync } from "node:fs";
import type { Device } from "../runtime/executionProviders";
import { threads } from "../runtime/session";
import { LocalShard, type Shard } from "./shard";
import { SHARD_FILE, ThreadShard } from "./shardThread";

/** What decides how many shards an evaluator has. */
export interface Sharing {
  /** Multiply–adds of one evaluation on all samples. */
  readonly macs: number;
  /** Bytes that a shard takes beside the values that it keeps: weights, and what is computed at a time. */
  readonly bytesEach: number;
  /** Threads of the processor to be used; all where it is left out. */
  readonly cores?: number;
  /** The threads' entry; the bundle beside this one where it is left out. */
  readonly file?: string;
}

export interface Room {
  readonly device: Device;
  readonly batches: number;
  readonly cacheBytes: number;
}

/** With more of them, an evaluation that fails early would have much under way that nobody waits for. */
const MOST_SHARDS = 8;
/** Threads of a shard: two in one operator get as much done as two shards, whose answers this thread has to take besides. */
const THREADS_EACH = 2;
/** Of the memory for kept values, what all shards together may take beside them. */
const SHARE_BESIDE = 1 / 4;
/** An evaluation of fewer multiply–adds takes some 10 ms: the search is over before it makes up for starting threads. */
const LEAST_MACS = 2 ** 29;

/**
 * Shards that run at the same time, each with its part of the processor's threads: operators of small networks have little work
 * for many threads. Assumed, not measured, for more than two of them.
 */
export function openShards({ sharing, ...room }: Room & { readonly sharing: Sharing | undefined }): Shard[] {
  const { device, cacheBytes } = room;
  const cores = sharing?.cores ?? threads();
  const file = sharing?.file ?? SHARD_FILE;
  // Sources that run without bundles have none.
  const count = sharing && existsSync(file) ? shardCount({ ...room, cores }, sharing) : 1;
  if (count === 1) return [new LocalShard({ cacheBytes, device, threads: cores })];
  const settings = { cacheBytes: Math.floor(cacheBytes / count), device, threads: Math.floor(cores / count) };
  return Array.from({ length: count }, () => new ThreadShard(settings, file));
}

/** One where there is nothing to gain. */
export function shardCount(
  { device, batches, cacheBytes, cores }: Room & { readonly cores: number },
  { macs, bytesEach }: Sharing,
): number {
  if (device !== "cpu" || macs < LEAST_MACS) return 1;
  const inMemory = Math.floor((cacheBytes * SHARE_BESIDE) / bytesEach);
  // As many threads each as leave none of the processor's over.
  const byCores = Math.floor(cores / Math.max(THREADS_EACH, Math.ceil(cores / MOST_SHARDS)));
  return Math.max(1, Math.min(byCores, Math.floor(batches / 2), inMemory));
}
