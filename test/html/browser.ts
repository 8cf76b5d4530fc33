import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** A Chromium of this machine; the environment variable CHROMIUM names another. Undefined where there is none. */
export function findBrowser(): string | undefined {
  const candidates = [process.env["CHROMIUM"], "chromium", "chromium-browser", "google-chrome"];
  return candidates.find((name) => name && spawnSync(name, ["--version"]).status === 0);
}

/** No window, no network of its own, no questions. */
const QUIET = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

const TIMEOUT = 60_000;
/** Characters of a page that may come back. */
const MOST_OUTPUT = 2 ** 26;

/** Opens a page in a fresh profile, with further switches of the browser; returns what it prints. */
export async function openPage(browser: string, html: string, switches: readonly string[]): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-page-"));
  try {
    const file = path.join(folder, "page.html");
    writeFileSync(file, html);
    const profile = `--user-data-dir=${path.join(folder, "profile")}`;
    const { stdout } = await promisify(execFile)(browser, [...QUIET, profile, ...switches, pathToFileURL(file).href], {
      maxBuffer: MOST_OUTPUT,
      timeout: TIMEOUT,
    });
    return stdout;
  } finally {
    // The browser's helpers may still be writing into the profile for a moment.
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
