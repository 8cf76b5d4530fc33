import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";
import { QUIET_ARGS } from "./chromium";
import type { WorkbenchPrograms } from "./provision";
import { parseTestResults, RESULTS_VARIABLE, type TestResults } from "./results";
import { Server } from "./server";

const root = path.resolve(import.meta.dirname, "..", "..");

/**
 * Opens `workspace` in a workbench that loads the extension from this repository, and lets the suites of dist-test/ run in its
 * extension host. Gives what they wrote; throws where they wrote nothing, or have not ended after `limitMs`.
 */
export async function runInExtensionHost(
  programs: WorkbenchPrograms,
  workspace: string,
  limitMs: number,
): Promise<TestResults> {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-host-"));
  const file = path.join(folder, "results.json");
  let server: Server | null = null;
  try {
    server = await Server.start(programs, { env: { [RESULTS_VARIABLE]: file } });
    const log = await openForTests(programs.chromium, server.url, workspace, limitMs);
    if (!existsSync(file)) throw new Error(`The suites wrote no results:\n${log}\n${server.output()}`);
    return parseTestResults(readFileSync(file, "utf8"));
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens a workbench that runs dist-test/ and waits until it says that it is done. Gives what was logged. */
async function openForTests(executablePath: string, url: string, workspace: string, limitMs: number): Promise<string> {
  const { host } = new URL(url);
  const uri = (file: string) => ({ scheme: "vscode-remote", authority: host, path: file });
  const browser = await chromium.launch({ executablePath, args: [...QUIET_ARGS] });
  try {
    const page = await browser.newPage();
    const log: string[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      const late = (): void =>
        reject(new Error(`The suites did not end within ${limitMs / 1000} s:\n${log.join("\n")}`));
      const timer = setTimeout(late, limitMs);
      void page.exposeFunction("codeAutomationExit", () => {
        clearTimeout(timer);
        resolve();
      });
    });
    await page.exposeFunction("codeAutomationLog", (type: string, args: unknown[]) => {
      log.push(`[${type}] ${args.map(String).join(" ")}`);
    });
    // The built workbench takes no such options from the address, but from the page's own configuration.
    await page.addInitScript(
      (options) =>
        document.addEventListener(
          "readystatechange",
          () => {
            const meta = document.getElementById("vscode-workbench-web-configuration");
            if (meta === null) return;
            const settings = JSON.parse(meta.dataset["settings"]!) as { developmentOptions?: object };
            settings.developmentOptions = { ...settings.developmentOptions, ...options };
            meta.dataset["settings"] = JSON.stringify(settings);
          },
          { once: true },
        ),
      { extensions: [uri(root)], extensionTestsPath: uri(path.join(root, "dist-test", "index.js")) },
    );
    await page.goto(`${url}/?folder=${encodeURIComponent(workspace)}`);
    await ended;
    return log.join("\n");
  } finally {
    await browser.close();
  }
}
