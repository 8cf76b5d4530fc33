import { readdirSync, readFileSync } from "node:fs";

/** A process of this Linux machine. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** The program and its arguments. */
  readonly command: readonly string[];
}

/** The processes that run now. */
export function processes(): Process[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((name) => {
    try {
      const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1];
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      return [{ pid: Number(name), parent: Number(parent), command }];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}
