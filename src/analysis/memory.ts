import os from "node:os";

/** Share of the machine's memory that kept activations may take: the model, the runtime and other programs need the rest. */
const CACHE_SHARE = 1 / 4;

/** Bytes of memory for kept activations where the user does not say. */
export function defaultCacheBytes(): number {
  return Math.floor(machineMemory() * CACHE_SHARE);
}

/** Bytes of memory that this process may use: the machine's, or what its container allows. */
function machineMemory(): number {
  const total = os.totalmem();
  // 0, or more than there is, where nothing limits the process.
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, total) : total;
}

/** The most bytes of memory that this process has held so far (its peak resident set size). */
export function peakMemory(): number {
  return process.resourceUsage().maxRSS * 1024;
}
