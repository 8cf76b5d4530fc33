// `npm test`: everything from a bare clone. Installs what is locked, builds, checks types and style, runs all tests.
// Its last line is `N passed, N failed, N skipped`: the steps count as tests.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
process.chdir(root);
const results = mkdtempSync(path.join(os.tmpdir(), "ranklens-test-"));
process.on("exit", () => rmSync(results, { recursive: true, force: true }));

const totals = { passed: 0, failed: 0, skipped: 0 };

function step(name, command, args, env = {}) {
  console.log(`\n== ${name}`);
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: "inherit", env: { ...process.env, ...env } });
  console.log(
    `== ${name}: ${status === 0 ? "ok" : `failed (${status})`}, ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  return status === 0;
}

function count(ok) {
  if (ok) totals.passed++;
  else totals.failed++;
  return ok;
}

function finish() {
  console.log(`\n${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  process.exit(totals.failed === 0 ? 0 : 1);
}

/** The lock file that npm installed from, to see whether it is still the one in the tree. */
function isInstalled() {
  const installed = "node_modules/.package-lock.json";
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync("package-lock.json").mtimeMs;
}

// onnxruntime's install script would only fetch CUDA libraries.
const install = { ONNXRUNTIME_NODE_INSTALL: "skip" };
if (!isInstalled() && !count(step("install", "npm", ["ci", "--no-audit", "--no-fund"], install))) finish();
const node = (script, ...args) => [process.execPath, [path.join("node_modules", script), ...args]];
if (!count(step("build", process.execPath, ["esbuild.mjs"]))) finish();
count(step("types", ...node("typescript/bin/tsc", "--noEmit")));
count(step("lint", ...node("eslint/bin/eslint.js", ".")));
count(step("format", ...node("prettier/bin/prettier.cjs", "--check", "--log-level", "warn", ".")));

/** Runs vitest and adds up what it counted. */
function tests(name, ...args) {
  const report = path.join(results, `${name}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const ran = step(name, ...node("vitest/vitest.mjs", "run", ...reporters, ...args));
  if (!existsSync(report)) {
    totals.failed++;
    return;
  }
  const { numPassedTests, numFailedTests, numPendingTests, numTotalTests, numFailedTestSuites } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  totals.passed += numPassedTests;
  totals.failed += numFailedTests;
  totals.skipped += numPendingTests;
  // A file that cannot be loaded fails without a failed test; no test at all is a failure too.
  if (numTotalTests === 0 || (!ran && numFailedTests === 0)) totals.failed += Math.max(numFailedTestSuites, 1);
}

const chosen = process.argv.slice(2);
if (chosen.length > 0) {
  tests("tests", ...chosen);
} else {
  tests("unit tests", "--project=unit");
  tests("tests of the extension", "--project=extension");
}
finish();
