import { byteSize } from "../text/numbers";

/** How a worker process ended, as its parent saw it. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last of what it wrote to stderr. */
  readonly stderrTail: string;
  /** Processes that the kernel's out-of-memory killer ended while it ran; null where the system does not tell. */
  readonly oomKills: number | null;
  /** The most memory that it was seen to use; null if it was never seen. */
  readonly peakBytes: number | null;
}

/** How Node, V8, onnxruntime, C++ and the system say that an allocation failed. */
const OUT_OF_MEMORY =
  /JavaScript heap out of memory|Array buffer allocation failed|WebAssembly\.Memory\S*: \w[^\n]*memory|(std::)?bad_alloc|Failed to allocate memory( for requested buffer of size \d+)?|Cannot allocate memory|ENOMEM|(Fatal )?process (OOM|out of memory)/i;

const HEAP = /heap out of memory/;

/** One line on why a process ended that owed an answer, and what to do about it. */
export function describeEnd(end: WorkerEnd): string {
  const { code, signal, stderrTail, oomKills, peakBytes } = end;
  if (signal === "SIGKILL") {
    return (oomKills ?? 0) > 0
      ? outOfMemory("the system ended the analysis process to free memory", peakBytes)
      : `The analysis process was killed (SIGKILL), which usually means that the machine ran out of memory${used(peakBytes)}. ${LESS}`;
  }
  const allocation = failedAllocation(stderrTail);
  if (allocation !== null) return outOfMemory(allocation, peakBytes);
  const said = lastError(stderrTail);
  if (signal !== null && CRASHES.has(signal)) {
    return `The analysis process crashed (${signal}${said}). That is a fault of RankLens or of onnxruntime: please report it, if possible with the model.`;
  }
  const stoppedBy = signal ?? STOPPED.get(code);
  if (stoppedBy !== undefined) return `The analysis process was stopped from outside (${stoppedBy}).`;
  return `The analysis process ended before it was done (exit status ${String(code)}${said}). That is a fault of RankLens: please report it.`;
}

/** The line for an error, if it means that memory ran out; null for any other. */
export function describeOutOfMemory(message: string, peakBytes: number | null): string | null {
  const allocation = failedAllocation(message);
  return allocation === null ? null : outOfMemory(allocation, peakBytes);
}

function failedAllocation(text: string): string | null {
  return OUT_OF_MEMORY.exec(text)?.[0] ?? null;
}

function outOfMemory(how: string, peakBytes: number | null): string {
  return `The analysis ran out of memory (${how})${used(peakBytes)}. ${HEAP.test(how) ? LARGER_HEAP : LESS}`;
}

const LESS =
  'Use a lower --memory (in VS Code: ranklens.memory) or fewer samples ("limit" in the config), or close other programs.';
/** V8's heap has a limit of its own, whatever the machine has; samples and weights are not on it. */
const LARGER_HEAP = "Raise the limit of the heap, in megabytes: NODE_OPTIONS=--max-old-space-size=8192.";

function used(peakBytes: number | null): string {
  return peakBytes === null ? "" : `; it had used ${byteSize(peakBytes)}`;
}

/** Signals that a process brings upon itself. */
const CRASHES: ReadonlySet<NodeJS.Signals> = new Set<NodeJS.Signals>([
  ...(["SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"] as const),
]);

/** The exit statuses of `main.ts` for the signals that it handles. */
const STOPPED: ReadonlyMap<number | null, NodeJS.Signals> = new Map([
  [129, "SIGHUP"],
  [143, "SIGTERM"],
]);

/** `: TypeError: x is not a function`, the line of stderr that says most; nothing if there is none. */
function lastError(stderrTail: string): string {
  const lines = stderrTail.split("\n").map((line) => line.trim());
  const last = lines.findLast((line) =>
    /^(\w*Error\b|FATAL ERROR|# Check failed|terminate called|what\(\):)/.test(line),
  );
  return last === undefined ? "" : `: ${last.slice(0, LONGEST_QUOTE)}`;
}

const LONGEST_QUOTE = 200;
