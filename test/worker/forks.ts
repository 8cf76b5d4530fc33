import type { ChildProcess } from "node:child_process";
import { vi } from "vitest";

/**
 * The processes that the code under test has forked, in order. They are real; to watch them, a test file mocks
 * node:child_process with {@link watchedChildProcess}.
 */
export const forked: ChildProcess[] = [];

export async function watchedChildProcess(): Promise<typeof import("node:child_process")> {
  const real = await vi.importActual<typeof import("node:child_process")>("node:child_process");
  const fork = (...args: Parameters<typeof real.fork>): ChildProcess => {
    const child = real.fork(...args);
    forked.push(child);
    return child;
  };
  return { ...real, fork: fork as typeof real.fork };
}

/** Whether a process has ended, and its parent knows. */
export function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
