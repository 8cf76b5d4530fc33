import { readFileSync, writeFileSync } from "node:fs";

const MIB = 2 ** 20;

/** Tells the kernel to forget the peak so far (proc_pid_clear_refs(5)). */
const FORGET_PEAK = "5";

/**
 * Peak resident set of this process, in MiB, while `work` runs; what it held before counts as well. Null where the system
 * cannot forget an earlier peak (not Linux).
 */
export async function withPeak<T>(work: () => Promise<T> | T): Promise<{ result: T; peakMemory: number | null }> {
  try {
    writeFileSync("/proc/self/clear_refs", FORGET_PEAK);
  } catch {
    return { result: await work(), peakMemory: null };
  }
  const result = await work();
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return { result, peakMemory: kibibytes === undefined ? null : Number(kibibytes) / 1024 };
}

/** The title of a column of peaks. */
export const PEAK_TITLE = "peak MiB";

/** A peak in MiB as the tables show it. */
export function peakText(mebibytes: number | null): string {
  return mebibytes === null ? "–" : mebibytes.toFixed(0);
}

export function mebibytes(bytes: number): number {
  return bytes / MIB;
}
