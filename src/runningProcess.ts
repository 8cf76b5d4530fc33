import { readFileSync } from "node:fs";

/** Whether there is a process of this number. One that has ended is none, also before its parent has taken note of it. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  try {
    // In containers whose first process does not reap orphans, they stay zombies for good.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return true;
  }
}
