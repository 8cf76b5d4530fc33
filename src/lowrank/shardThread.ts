import path from "node:path";
import { Worker } from "node:worker_threads";
import { fromWire, type WireError } from "../worker/protocol";
import type { Shard, ShardSettings } from "./shard";

/** A call of one of a shard's methods, to its thread. */
export interface ShardRequest<M extends keyof Shard = keyof Shard> {
  readonly id: number;
  readonly method: M;
  readonly args: Parameters<Shard[M]>;
}

/** What came of a call. */
export type ShardReply =
  | { readonly id: number; readonly kind: "result"; readonly result: unknown }
  | { readonly id: number; readonly kind: "error"; readonly error: WireError };

/** The bundle of `shardMain.ts`, beside the one that this is part of. */
export const SHARD_FILE = path.join(__dirname, "shard.js");

interface Caller {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A shard in a thread of its own. Calls are made at once and carried out one after the other, so that the next batch waits
 * there already when one is done.
 */
export class ThreadShard implements Shard {
  /** Started with the first call. */
  private started: Worker | undefined;
  private readonly callers = new Map<number, Caller>();
  private calls = 0;
  /** Why it takes no more calls. */
  private over: Error | undefined;

  constructor(
    private readonly settings: ShardSettings,
    private readonly file: string,
  ) {}

  open = this.caller("open");
  release = this.caller("release");
  advance = this.caller("advance");
  forget = this.caller("forget");
  evaluate = this.caller("evaluate");

  async close(): Promise<void> {
    try {
      if (this.started && !this.over) await this.call("close", []);
    } finally {
      this.over ??= new Error("the shard is closed");
      await this.started?.terminate();
    }
  }

  private caller<M extends keyof Shard>(method: M): (...args: Parameters<Shard[M]>) => ReturnType<Shard[M]> {
    return (...args) => this.call(method, args);
  }

  private call<M extends keyof Shard>(method: M, args: Parameters<Shard[M]>): ReturnType<Shard[M]> {
    const id = this.calls++;
    const result = new Promise<never>((resolve, reject) => {
      if (this.over) {
        reject(this.over);
        return;
      }
      this.callers.set(id, { resolve, reject });
      const request: ShardRequest<M> = { id, method, args };
      this.thread().postMessage(request);
    });
    return result as ReturnType<Shard[M]>;
  }

  private thread(): Worker {
    if (this.started) return this.started;
    const thread = new Worker(this.file, { workerData: this.settings, execArgv: [] });
    thread.on("message", (reply: ShardReply) => {
      const caller = this.callers.get(reply.id);
      this.callers.delete(reply.id);
      if (reply.kind === "error") caller?.reject(fromWire(reply.error));
      else caller?.resolve(reply.result as never);
    });
    thread.on("error", (error) => this.end(error instanceof Error ? error : new Error(String(error))));
    thread.on("exit", (status) => this.end(new Error(`a thread of evaluations ended with status ${status}`)));
    this.started = thread;
    return thread;
  }

  private end(error: Error): void {
    this.over ??= error;
    for (const { reject } of this.callers.values()) reject(this.over);
    this.callers.clear();
  }
}
