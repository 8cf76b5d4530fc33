import { spawnSync } from "node:child_process";
import { chmodSync, chownSync } from "node:fs";
import { cliPath, start, type Lab, type Outcome } from "./lab";

/** Whom permissions hold back: this user, or "nobody" where the tests run as root, who may read and write everything. */
const USER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** Whether there is such a user, and the built command line lies where that user can run it. */
export function permissionsHold(): boolean {
  if (process.platform === "win32") return false;
  return spawnSync(process.execPath, [cliPath(), "--version"], USER).status === 0;
}

/** Gives the lab's folder and the named things in it to that user. */
export function handOver(lab: Lab, ...names: readonly string[]): void {
  chmodSync(lab.folder, 0o755);
  if (USER.uid === undefined) return;
  for (const path of [lab.folder, ...names.map((name) => lab.at(name))]) chownSync(path, USER.uid, USER.gid);
}

/** `ranklens ...args` in the lab's folder, as that user. */
export function runUnprivileged(lab: Lab, ...args: readonly string[]): Promise<Outcome> {
  return start(process.execPath, [cliPath(), ...args], lab.folder, USER).ended;
}
