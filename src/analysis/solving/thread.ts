import { parentPort, workerData } from "node:worker_threads";
import { symmetricEigen } from "../../numerics/eigen";
import { keepingEigensolver } from "./keptEigen";
import { solve, type SolveInput } from "./solve";

/** Entry of `dist/solveThread.js`: a thread that solves one layer after the other. */

/** What a thread is given when it starts. */
export interface ThreadData {
  /** Where solutions are kept; null for nowhere. */
  readonly cache: string | null;
}

// The sender is of this very build.
const { cache } = workerData as ThreadData;
const own = { solve: symmetricEigen, name: null };
const eigen = cache === null ? own.solve : keepingEigensolver(cache, own);

parentPort!.on("message", (input: SolveInput) => {
  const solved = solve(input, eigen);
  // The other side gets the memory of the arrays without a copy.
  parentPort!.postMessage(solved, [...buffersIn(solved)]);
});

// A message that there is no memory for is no error by itself.
parentPort!.on("messageerror", (error) => {
  throw error;
});

/** The memory of all arrays in plain data. */
function buffersIn(data: unknown, found = new Set<ArrayBuffer>()): Set<ArrayBuffer> {
  if (data instanceof Float64Array) return found.add(data.buffer as ArrayBuffer);
  if (typeof data === "object" && data !== null) Object.values(data).forEach((part) => buffersIn(part, found));
  return found;
}
