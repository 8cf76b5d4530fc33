import { afterAll, beforeAll, expect, it } from "vitest";
import packageJson from "../../package.json";
import { cnnLab, expectSuccess, type CnnLab } from "./lab";

let lab: CnnLab;
let before: Record<string, string>;
beforeAll(async () => {
  lab = await cnnLab();
  expectSuccess(await lab.run("analyze", "model.onnx", "-r", "report.json"));
  before = lab.files();
});
afterAll(() => lab.remove());

const analyze = ["analyze", "model.onnx"];
const compress = ["compress", "model.onnx", "-o", "small.onnx"];
const POINTS = "a number of percentage points from 0 to 100";

it.each<[string[], ...string[]]>([
  [["shrink", "model.onnx"], "unknown command 'shrink'"],
  [["inspct", "model.onnx"], "unknown command 'inspct'", "Did you mean inspect?"],
  [["--verbose"], "unknown option '--verbose'"],
  [["inspect"], "missing required argument 'model'"],
  [["inspect", "model.onnx", "model.onnx"], "too many arguments"],
  [["inspect", "model.onnx", "--jsn"], "unknown option '--jsn'", "Did you mean --json?"],
  [["init", "model.onnx"], "missing required argument 'data'"],
  [["init", "model.onnx", "calibration.npy", "--prnt"], "unknown option '--prnt'", "Did you mean --print?"],
  [[...analyze, "--tolerence", "1"], "unknown option '--tolerence'", "Did you mean --tolerance?"],
  [[...analyze, "--tolerance"], "argument missing"],
  ...["high", "", "-1", "100.1", "NaN", "Infinity", "1,5", "1%"].map((value): [string[], ...string[]] => [
    [...analyze, "--tolerance", value],
    `'${value}' is invalid`,
    POINTS,
  ]),
  ...["0", "1.01", "99%", "-0.5"].map((value): [string[], ...string[]] => [
    [...analyze, "--energy", value],
    `'${value}' is invalid`,
    "above 0 and up to 1",
  ]),
  [[...analyze, "--search", "quick"], "'quick' is invalid", "exact", "fast"],
  [[...analyze, "--search-error", "0.7"], "'0.7' is invalid", "below 0.5"],
  [[...analyze, "--baseline", "next"], "'next' is invalid", "original, previous"],
  [[...analyze, "--device", "toaster"], "'toaster' is invalid", "auto, cuda, webgpu"],
  ...["--tolerance=1", "--search=exact", "--baseline=previous", "--energy=0.9"].map((flag): [string[], ...string[]] => [
    [...analyze, "--weights-only", flag],
    "'--weights-only' cannot be used with option",
    flag.split("=")[0],
  ]),
  [["compress", "model.onnx"], "--output <file>' not specified"],
  [[...compress, "--method", "magic"], "'magic' is invalid", "paper"],
  [[...compress, "--weights-only"], "unknown option '--weights-only'"],
  [[...compress, "--from", "report.json", "--config", "model.ranklens.json"], "--from", "--config"],
  [[...compress, "--from", "report.json", "--tolerance", "5"], "--from", "--tolerance"],
  [[...compress, "--from", "report.json", "--energy", "0.5"], "--from", "--energy"],
  [[...compress, "--from", "report.json", "--baseline", "previous"], "--from", "--baseline"],
  [[...compress, "--report", "./small.onnx"], "--report and --output"],
])("wrong usage exits with 2: %j", async (args, ...parts) => {
  const { status, stdout, stderr } = await lab.run(...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toMatch(/^error: .+\n/);
  for (const part of parts) expect(stderr).toContain(part);
  expect(stderr.split("\n").length).toBeLessThan(5);
  expect(lab.files()).toEqual(before);
});

it("no command at all prints the help, as an error", async () => {
  const { status, stdout, stderr } = await lab.run();
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain("Usage: ranklens");
});

it.each([[["--help"]], [["-h"]], [["help"]]])("help names every command: %j", async (args) => {
  const { status, stdout, stderr } = await lab.run(...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  for (const command of ["inspect", "init", "analyze", "compress"]) {
    expect(stdout).toMatch(new RegExp(`^ {2}${command} `, "m"));
  }
});

it.each([
  ["inspect", ["--json"]],
  ["init", ["--config", "--print", "--force"]],
  [
    "analyze",
    ["--config", "--tolerance", "--baseline", "--energy", "--weights-only", "--device", "--report", "--force"],
  ],
  ["compress", ["--config", "--tolerance", "--baseline", "--energy", "--from", "--output", "--report", "--force"]],
])("help of %s names its options", async (command, options) => {
  for (const args of [
    [command, "--help"],
    ["help", command],
  ]) {
    // prettier-ignore
    const { status, stdout } = await lab.run(...args);
    expect(status).toBe(0);
    for (const option of options) expect(stdout).toContain(option);
  }
});

it("tells the version of the package", async () => {
  expect(await lab.run("--version")).toMatchObject({ status: 0, stdout: `${packageJson.version}\n`, stderr: "" });
});
