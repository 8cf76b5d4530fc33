// Runs inside an extension host (of code-server, or of a VS Code that @vscode/test-electron started).
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import Mocha from "mocha";
import { RESULTS_VARIABLE, type TestResults } from "../results";

const TIMEOUT_MS = 60_000;

/** Runs all `*.suite.js` beside this file and writes what came of them; rejects where a test failed. */
export async function run(): Promise<void> {
  const file = process.env[RESULTS_VARIABLE];
  if (file === undefined) throw new Error(`${RESULTS_VARIABLE} does not say where to write the results.`);
  const mocha = new Mocha({ ui: "bdd", timeout: TIMEOUT_MS, reporter: "spec", color: false });
  for (const name of readdirSync(__dirname).sort()) {
    if (name.endsWith(".suite.js")) mocha.addFile(path.join(__dirname, name));
  }
  const results: TestResults = [];
  const add = (test: Mocha.Runnable, state: TestResults[number]["state"], error: string | null): void => {
    results.push({ title: test.titlePath(), state, milliseconds: test.duration ?? 0, error });
  };
  try {
    await new Promise((resolve) => {
      const runner = mocha.run(resolve);
      runner.on(Mocha.Runner.constants.EVENT_TEST_PASS, (test) => add(test, "passed", null));
      runner.on(Mocha.Runner.constants.EVENT_TEST_PENDING, (test) => add(test, "pending", null));
      // Of hooks too.
      runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error: unknown) =>
        add(test, "failed", described(error)),
      );
    });
  } catch (error) {
    results.push({ title: ["loading the suites"], state: "failed", milliseconds: 0, error: described(error) });
  }
  writeFileSync(file, JSON.stringify(results));
  const failures = results.filter(({ state }) => state === "failed").length;
  if (failures > 0) throw new Error(`${failures} tests failed.`);
}

function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
