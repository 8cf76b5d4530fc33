// `npm run test:electron`: the suites inside a real VS Code, which this downloads once into .vscode-test/.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { downloadAndUnzipVSCode, runTests } from "@vscode/test-electron";
import { parseTestResults, RESULTS_VARIABLE } from "./results";

async function main(): Promise<void> {
  const root = path.resolve(__dirname, "..");
  const vscodeExecutablePath = await downloadAndUnzipVSCode("stable").catch((error: unknown) => {
    throw new Error(`VS Code could not be downloaded; this test needs the internet. ${String(error)}`);
  });
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-electron-"));
  try {
    const results = path.join(folder, "results.json");
    await runTests({
      vscodeExecutablePath,
      extensionDevelopmentPath: root,
      extensionTestsPath: path.join(root, "dist-test", "index.js"),
      extensionTestsEnv: { [RESULTS_VARIABLE]: results },
      launchArgs: [
        path.join(root, "examples", "shapes"),
        ...["--user-data-dir", path.join(folder, "user"), "--extensions-dir", path.join(folder, "extensions")],
        ...["--disable-workspace-trust", "--skip-welcome", "--skip-release-notes"],
      ],
    });
    const passed = parseTestResults(readFileSync(results, "utf8")).filter(({ state }) => state === "passed");
    console.log(`${passed.length} tests passed inside VS Code.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  console.error(`test:electron: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
