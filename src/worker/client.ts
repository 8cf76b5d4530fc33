import { fork, type ChildProcess } from "node:child_process";
import path from "node:path";
import type { AnalysisEvent } from "../analysis/progress";
import { removeLeftovers } from "../atomicFile";
import { ExpectedError } from "../errors";
import { describeEnd, describeOutOfMemory } from "./endings";
import { oomKillCount, peakResidentBytes } from "./memory";
import {
  filesWritten,
  fromWire,
  type Method,
  type Params,
  type Reply,
  type Request,
  type Result,
  type WireError,
} from "./protocol";

export interface WorkerOptions {
  /** The program that runs the worker: Node, or Electron, which is told to be Node. Default: the one that runs this. */
  readonly nodePath?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Everything that workers write to stderr, for a log. */
  readonly onStderr?: (text: string) => void;
  /** The bundled `main.ts`. Default: `worker.js` beside the bundle that this is part of. */
  readonly file?: string;
}

export interface CallOptions {
  readonly onEvent?: (event: AnalysisEvent) => void;
  readonly signal?: AbortSignal;
}

export interface WorkerClient {
  /**
   * Runs one method in a process of its own, which ends with the call: what it used goes back to the system, and a
   * call that is cancelled or crashes disturbs no other. Always settles. An aborted call does within a second, when
   * its process has gone and its unfinished files with it.
   * @throws ExpectedError as the method does, and with one line on how the process ended if it gave no answer;
   *   the signal's reason where it is aborted; any other error with the stack of where it was thrown.
   */
  call<M extends Method>(method: M, params: Params<M>, options?: CallOptions): Promise<Result<M>>;
  /** Cancels all calls, and resolves when their processes have gone. */
  dispose(): Promise<void>;
}

/** How long a process may take to remove its unfinished files; inside onnxruntime it does not hear the request. */
const GRACE_MS = 400;
/** How often the memory of a running process is looked at: one small file is read. */
const SAMPLE_MS = 200;
/** Enough of stderr for V8's report of a failed allocation, whose first lines say what it was. */
const STDERR_TAIL = 16_384;

/** Runs analyses in child processes: onnxruntime blocks its process while it works, and may take it down. */
export function workerClient(options: WorkerOptions = {}): WorkerClient {
  const running = new Map<Promise<unknown>, AbortController>();
  return {
    async call(method, params, { onEvent, signal } = {}) {
      signal?.throwIfAborted();
      const stop = new AbortController();
      const onAbort = (): void => stop.abort(signal?.reason);
      signal?.addEventListener("abort", onAbort);
      const result = callOnce({ method, params }, options, onEvent, stop.signal);
      running.set(result, stop);
      try {
        return await result;
      } finally {
        running.delete(result);
        signal?.removeEventListener("abort", onAbort);
      }
    },
    async dispose() {
      for (const stop of running.values()) stop.abort();
      await Promise.allSettled(running.keys());
    },
  };
}

/** One process from its fork to its end. */
function callOnce<M extends Method>(
  request: Request<M>,
  options: WorkerOptions,
  onEvent: CallOptions["onEvent"],
  stop: AbortSignal,
): Promise<Result<M>> {
  return new Promise((resolve, reject) => {
    const oomKillsBefore = oomKillCount();
    const child = startProcess(options);
    const memory = watchMemory(child);
    const stderrTail = readStderr(child, options.onStderr);
    /** Why the answer is not waited for any more: it is there, or it is not wanted. */
    let over: "answered" | { readonly cancelled: unknown } | null = null;

    const cancel = (reason: unknown): void => {
      if (over !== null) return;
      over = { cancelled: reason };
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), GRACE_MS).unref();
    };
    stop.addEventListener("abort", () => cancel(stop.reason));

    child.on("message", (message) => {
      if (over !== null) return;
      // The sender is a process of this very build.
      const reply = message as Reply<M>;
      if (reply.kind === "event") {
        memory.note(reply.peakBytes);
        try {
          onEvent?.(reply.event);
        } catch (error) {
          cancel(error);
        }
        return;
      }
      over = "answered";
      if (reply.kind === "result") resolve(reply.result);
      else reject(errorOf(reply.error, memory.peakBytes()));
      // It has nothing left to do, and nothing to clean up.
      child.kill("SIGKILL");
    });
    child.on("error", (error) => {
      if (child.pid === undefined) reject(notStarted(error));
    });
    child.on("close", (code, killer) => {
      if (over === "answered") return;
      removeHalfWritten(request);
      if (over !== null) {
        // As AbortSignal does, whatever the caller gave as the reason.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(over.cancelled);
        return;
      }
      const oomKills = increase(oomKillsBefore, oomKillCount());
      const end = { code, signal: killer, stderrTail: stderrTail(), oomKills, peakBytes: memory.peakBytes() };
      reject(new ExpectedError(describeEnd(end)));
    });
    try {
      // A process that ends before it has read the request is for `close` to report.
      child.send(request, () => undefined);
    } catch (error) {
      cancel(error);
    }
  });
}

function startProcess({ nodePath, env, file }: WorkerOptions): ChildProcess {
  try {
    return fork(file ?? path.join(__dirname, "worker.js"), [], {
      ...(nodePath === undefined ? {} : { execPath: nodePath }),
      // Those of this process, a debugger's for example, are not the worker's. Its own: the store of activations collects
      // what it has written to disk.
      execArgv: ["--expose-gc"],
      // Typed arrays, NaN and undefined arrive as they are.
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      env: { ...process.env, ELECTRON_RUN_AS_NODE: "1", ...env },
    });
  } catch (error) {
    throw notStarted(error);
  }
}

function notStarted(error: unknown): ExpectedError {
  const why = error instanceof Error ? error.message : String(error);
  return new ExpectedError(`The analysis process could not be started: ${why}.`, { cause: error });
}

/** Reads what the process writes, so that it never waits for a reader, and gives the end of what went to stderr. */
function readStderr(child: ChildProcess, onStderr: WorkerOptions["onStderr"]): () => string {
  let tail = "";
  child.stdout?.resume();
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-STDERR_TAIL);
    onStderr?.(text);
  });
  return () => tail;
}

/** The most memory that a process is seen to use: by what it says itself and, between its messages, by the system. */
function watchMemory(child: ChildProcess): { note(bytes: number): void; peakBytes(): number | null } {
  let peak: number | null = null;
  const note = (bytes: number): void => {
    peak = Math.max(peak ?? 0, bytes);
  };
  const look = (): void => {
    const bytes = child.pid === undefined ? null : peakResidentBytes(child.pid);
    if (bytes !== null) note(bytes);
  };
  const timer = setInterval(look, SAMPLE_MS);
  child.on("exit", () => clearInterval(timer));
  child.on("error", () => clearInterval(timer));
  return { note, peakBytes: () => peak };
}

function errorOf(wire: WireError, peakBytes: number | null): Error {
  const memory = describeOutOfMemory(`${wire.name}: ${wire.message}`, peakBytes);
  return memory === null ? fromWire(wire) : new ExpectedError(memory);
}

/** A process that was killed could not do it. What cannot be removed is not what the user has to hear about now. */
function removeHalfWritten<M extends Method>({ method, params }: Request<M>): void {
  for (const file of filesWritten[method](params)) {
    try {
      removeLeftovers(file);
    } catch {
      continue;
    }
  }
}

function increase(before: number | null, after: number | null): number | null {
  return before === null || after === null ? null : after - before;
}
