// `npm run demo`: inspects, analyses and compresses the bundled example with the command line, from a bare clone.
// It runs before anything is installed, so it has no dependencies.
//   --output FOLDER   where the report and the smaller model go (default: demo-output)
//   --skip-setup      neither install nor build
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import util from "node:util";

const OLDEST_NODE = 20;
const CLI = path.join("dist", "cli.js");
const MODEL = path.join("examples", "shapes", "model.onnx");

/** Ends the demo with one line that says what went wrong. */
function fail(message, status = 1) {
  console.error(`\ndemo: ${message}`);
  process.exit(status);
}

function heading(text) {
  console.log(`\n== ${text}`);
}

/** The command as one would type it. */
function typed(words) {
  return words.map((word) => (/^[\w./\\:=-]+$/.test(word) ? word : JSON.stringify(word))).join(" ");
}

/** Runs a command that talks to the terminal itself; where it fails, so does the demo. */
function run(what, command, args, options = {}) {
  const started = performance.now();
  const { status, signal, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  if (signal === "SIGINT" || status === 130) fail(`stopped during "${what}".`, 130);
  if (error) fail(`"${what}" could not be started: ${error.message}`);
  if (status !== 0) fail(`"${what}" failed (${signal ?? `exit status ${status}`}); its own message is above.`);
  console.log(`-- ${what}: ${seconds} s`);
}

function ranklens(command, ...args) {
  const words = [command, ...args];
  heading(`node ${typed([CLI, ...words])}`);
  run(`ranklens ${command}`, process.execPath, [CLI, ...words]);
}

/** Whether a command of the command line has an option. */
function hasOption(command, option) {
  return spawnSync(process.execPath, [CLI, command, "--help"], { encoding: "utf8" }).stdout.includes(option);
}

/** The lock file that npm installed from shows whether it is still the one in the tree. */
function isInstalled() {
  const installed = path.join("node_modules", ".package-lock.json");
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync("package-lock.json").mtimeMs;
}

/** Whether dist/ was built after the last change of what it is built from. */
function isBuilt() {
  if (!existsSync(CLI)) return false;
  const built = statSync(CLI).mtimeMs;
  const folders = ["src", "webview", "media"].filter((folder) => existsSync(folder));
  const sources = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => path.join(folder, String(name))),
  );
  return ["package.json", "esbuild.mjs", ...sources].every((file) => statSync(file).mtimeMs <= built);
}

function setUp() {
  if (!isInstalled()) {
    heading("Installing what package-lock.json names (npm ci): once, about a minute");
    run("npm ci", "npm", ["ci", "--no-audit", "--no-fund"], {
      // onnxruntime's install script would only fetch CUDA libraries.
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" },
      // On Windows, npm is a script.
      shell: process.platform === "win32",
    });
  }
  if (!isBuilt()) {
    heading("Building dist/");
    run("build", process.execPath, ["esbuild.mjs"]);
  }
}

const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}%`;
const thousands = (count) => count.toLocaleString("en-US");

/** What the report says, in the order in which one wants to know it. */
function findings({ totals, accuracy, layers, compressed, cost }) {
  const used = [...layers].sort((a, b) => a.utilization - b.utilization);
  const named = ({ name, utilization }) => `${name} (${percent(utilization, 0)})`;
  const { batch, milliseconds } = compressed.latency;
  const before = totals.modelParameters;
  const after = before - totals.parameters + totals.parametersAfter;
  return [
    ["Utilization", `the ${totals.layers} layers use ${percent(totals.mlu)} of their rank on this data (mean layer utilization)`],
    ["", `their weights alone would suggest ${percent(totals.originalMlu)}`],
    ["", `least: ${named(used[0])}; most: ${named(used.at(-1))}`],
    ["Parameters", `${thousands(before)} → ${thousands(after)} (${percent(after / before)})`],
    ["Accuracy", `${percent(compressed.accuracy.before)} → ${percent(compressed.accuracy.after)} on ${thousands(accuracy.samples)} validation images, without any retraining`],
    ["Latency", `${milliseconds.before.toFixed(2)} → ${milliseconds.after.toFixed(2)} ms for a batch of ${batch}, on this machine`],
    ["Analysis", `${cost.seconds.toFixed(0)} s, ${cost.evaluations} evaluations`],
  ]; // prettier-ignore
}

function summarize(output, html) {
  const report = JSON.parse(readFileSync(path.join(output, "report.json"), "utf8"));
  heading("What was found");
  for (const [term, text] of findings(report)) console.log(`${term.padEnd(12)} ${text}`);
  console.log(`\nIn ${output}:`);
  if (html) console.log("  report.html   the results as a page: open it in a browser");
  console.log("  report.json   everything that was measured");
  console.log("  smaller.onnx  the smaller model");
  const page = html ? " --html report.html" : "";
  console.log(
    [
      "\nNext, with a model of your own (say what its data is as in examples/shapes/model.ranklens.json):\n",
      `  node ${CLI} inspect model.onnx`,
      `  node ${CLI} analyze model.onnx --report report.json${page}`,
      `  node ${CLI} compress model.onnx --from report.json --output smaller.onnx`,
    ].join("\n"),
  );
}

function main() {
  if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
    fail(`Node ${OLDEST_NODE} or later is needed; this is ${process.version}.`);
  }
  const { values } = util.parseArgs({
    options: { output: { type: "string", default: "demo-output" }, "skip-setup": { type: "boolean", default: false } },
  });
  const output = path.resolve(values.output);
  process.chdir(path.resolve(path.dirname(fileURLToPath(import.meta.url)), ".."));
  if (!values["skip-setup"]) setUp();
  mkdirSync(output, { recursive: true });
  const shown = path.relative(process.cwd(), output);
  const target = shown === "" || shown.startsWith("..") || path.isAbsolute(shown) ? output : shown;
  const report = path.join(target, "report.json");
  const page = path.join(target, "report.html");
  const pageOf = (command) => (hasOption(command, "--html") ? ["--html", page] : []);

  ranklens("inspect", MODEL);
  const analyzePage = pageOf("analyze");
  ranklens("analyze", MODEL, "--report", report, ...analyzePage, "--force");
  const smaller = path.join(target, "smaller.onnx");
  ranklens("compress", MODEL, "--from", report, "--output", smaller, "--report", report, ...pageOf("compress"), "--force"); // prettier-ignore
  summarize(target, analyzePage.length > 0);
}

try {
  main();
} catch (error) {
  fail(error instanceof Error ? error.message : String(error));
}
