import { readFileSync } from "node:fs";
import path from "node:path";

/** The most memory that a running process has had resident, in bytes; null where the system does not tell (not Linux). */
export function peakResidentBytes(pid: number): number | null {
  const kilobytes = field(`/proc/${pid}/status`, /^VmHWM:\s+(\d+) kB$/m);
  return kilobytes === null ? null : kilobytes * 1024;
}

/**
 * How many processes the kernel's out-of-memory killer has ended so far: in this process's control group, where its
 * children are too, or else on the whole machine. Null where it is not known (not Linux). Only differences mean something.
 */
export function oomKillCount(): number | null {
  const group = textOf("/proc/self/cgroup")?.match(/^0::(.*)$/m)?.[1];
  const ofGroup = group === undefined ? null : field(path.join("/sys/fs/cgroup", group, "memory.events"), OOM_KILL);
  return ofGroup ?? field("/proc/vmstat", OOM_KILL);
}

const OOM_KILL = /^oom_kill (\d+)$/m;

function field(file: string, pattern: RegExp): number | null {
  const value = textOf(file)?.match(pattern)?.[1];
  return value === undefined ? null : Number(value);
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
