import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";

/** Keep a browser for tests from talking to the outside. */
export const QUIET_ARGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The absolute path of a Chromium of this machine that starts, or null. `CHROMIUM` names another. */
export function findChromium(): string | null {
  const folders = (process.env["PATH"] ?? "").split(path.delimiter);
  const installed = NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  const chosen = process.env["CHROMIUM"];
  const candidates = chosen === undefined ? installed : [chosen];
  return candidates.find((file) => existsSync(file) && spawnSync(file, ["--version"]).status === 0) ?? null;
}

/** Finds a Chromium, and installs Debian's where this process may. Null, after saying what to install, where there is none. */
export function provideChromium(): string | null {
  const found = findChromium();
  if (found !== null) return found;
  const mayInstall = process.getuid?.() === 0 && existsSync("/etc/debian_version") && !process.env["CHROMIUM"];
  if (!mayInstall) {
    console.warn(
      "No Chromium here: install one (Debian: apt-get install chromium), or name one by CHROMIUM=/its/path.",
    );
    return null;
  }
  console.log("Installing Debian's chromium …");
  aptGet("update");
  aptGet("install", "-y", "--no-install-recommends", "chromium");
  const installed = findChromium();
  if (installed === null) throw new Error("apt-get installed chromium, but it does not start.");
  return installed;
}

function aptGet(...args: string[]): void {
  // Another run may hold apt's lock.
  const { status } = spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  if (status !== 0) throw new Error(`apt-get ${args.join(" ")} failed (${status ?? "killed"}).`);
}
