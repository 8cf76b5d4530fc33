import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelReportSchema, type ModelReport } from "../../src/report";
import { cliPath, start, type Outcome } from "../cli/lab";
import { runModel } from "../fixtures/data";

const root = path.resolve(import.meta.dirname, "../..");
const example = path.join(root, "examples", "shapes");
const CLASSES = 10;
const SIDE = 24;
const PIXELS = SIDE * SIDE;
const MOST_BYTES = 3e6;
/** Milliseconds; it takes some 15 s. */
const DEMO_TIMEOUT = 120_000;

/** The numbers of a .npy file of bytes, read without RankLens. */
function bytesOfNpy(name: string): Uint8Array {
  const file = readFileSync(path.join(example, name));
  expect(file.toString("latin1", 0, 200)).toContain("'descr': '|u1', 'fortran_order': False");
  return file.subarray(10 + file.readUInt16LE(8));
}

/** (pixel / 255 − 0.5) / 0.25, channels first. */
function inputOf(pixels: Uint8Array): Float32Array {
  const input = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    const image = Math.floor(i / (3 * PIXELS));
    const place = Math.floor(i / 3) % PIXELS;
    input[(3 * image + (i % 3)) * PIXELS + place] = (pixels[i] / 255 - 0.5) / 0.25;
  }
  return input;
}

/** Accuracy on the validation images by onnxruntime alone. */
async function accuracyOf(model: string): Promise<number> {
  const labels = Int32Array.from(bytesOfNpy("validation_labels.npy"));
  const data = inputOf(bytesOfNpy("validation_images.npy"));
  const dims = [labels.length, 3, SIDE, SIDE];
  const scores = (await runModel(readFileSync(model), { images: { type: "float32", dims, data } })).get("scores")?.data;
  if (!(scores instanceof Float32Array)) throw new Error("the model has no float32 scores");
  const right = labels.filter((label, row) => {
    const own = scores.subarray(row * CLASSES, (row + 1) * CLASSES);
    return own.indexOf(Math.max(...own)) === label;
  });
  return right.length / labels.length;
}

function startDemo(...args: string[]): Promise<Outcome> {
  cliPath();
  return start(process.execPath, [path.join(root, "examples", "demo.mjs"), "--skip-setup", ...args], tmpdir()).ended;
}

describe("the files of the shapes example", () => {
  it("are small enough to be part of the repository", () => {
    const sizes = readdirSync(example, { withFileTypes: true }).map((entry) =>
      entry.isFile() ? statSync(path.join(example, entry.name)).size : 0,
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_BYTES);
  });

  it.each(["calibration", "validation"])("hold equally many %s images of each class", (which) => {
    const labels = bytesOfNpy(`${which}_labels.npy`);
    expect(bytesOfNpy(`${which}_images.npy`).length).toBe(labels.length * PIXELS * 3);
    const counts = Array.from({ length: CLASSES }, (_, label) => labels.filter((found) => found === label).length);
    expect(counts).toEqual(counts.map(() => labels.length / CLASSES));
  });

  it("give accuracy in steps of at most 0.2 points", () => {
    expect(bytesOfNpy("validation_labels.npy").length).toBeGreaterThanOrEqual(500);
  });
});

describe("npm run demo", () => {
  let folder: string;
  let output: string;
  let outcome: Outcome;
  let report: ModelReport;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "ranklens demo "));
    output = path.join(folder, "demo output");
    mkdirSync(output);
    for (const left of ["report.json", "smaller.onnx"]) writeFileSync(path.join(output, left), "of an earlier run");
    outcome = await startDemo("--output", output);
    report = modelReportSchema.parse(JSON.parse(readFileSync(path.join(output, "report.json"), "utf8")));
  }, DEMO_TIMEOUT);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("ends well and says what it found and where it is", () => {
    expect(outcome.status).toBe(0);
    const { compressed, totals } = report;
    const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
    const after = totals.modelParameters - totals.parameters + totals.parametersAfter!;
    const summary = outcome.stdout.slice(outcome.stdout.indexOf("== What was found"));
    expect(summary).toContain(`use ${percent(totals.mlu!)} of their rank`);
    expect(summary).toContain(`${totals.modelParameters.toLocaleString("en-US")} → ${after.toLocaleString("en-US")} (`);
    expect(summary).toContain(`${percent(compressed!.accuracy.before!)} → ${percent(compressed!.accuracy.after!)}`);
    expect(summary).toContain(`${compressed!.latency!.milliseconds.after.toFixed(2)} ms`);
    expect(summary).toContain(output);
    for (const command of ["inspect", "analyze", "compress"]) expect(summary).toContain(`${command} model.onnx`);
    for (const name of ["report.json", "smaller.onnx"]) expect(existsSync(path.join(output, name))).toBe(true);
    const page = path.join(output, "report.html");
    expect(existsSync(page)).toBe(summary.includes("report.html"));
  });

  it("finds layers that are far from fully used, though their weights look full", () => {
    const { mlu, originalMlu, layers, parametersRatio } = report.totals;
    expect(layers).toBe(report.layers.length);
    expect(mlu).toBeLessThan(originalMlu - 0.2);
    expect(report.layers.filter(({ utilization }) => utilization! < 0.5).length).toBeGreaterThanOrEqual(3);
    expect(parametersRatio).toBeLessThan(0.9);
  });

  it("measures accuracies that onnxruntime alone confirms", async () => {
    const { original, decomposed } = report.accuracy;
    expect(await accuracyOf(path.join(example, "model.onnx"))).toBe(original);
    expect(await accuracyOf(path.join(output, "smaller.onnx"))).toBe(report.compressed!.accuracy.after);
    expect(original).toBeGreaterThanOrEqual(0.9);
    expect(decomposed).toBeGreaterThanOrEqual(original! - 0.07);
  });

  it("finds what the README shows", () => {
    const readme = readFileSync(path.join(root, "README.md"), "utf8");
    const shown = (pattern: RegExp): number => Number(pattern.exec(readme)?.[1]) / 100;
    // Another processor rounds otherwise, so that a sample at the edge may fall on the other side.
    const samples = report.accuracy.samples!;
    expect(Math.abs(shown(/^Accuracy \(top-1\) +([\d.]+)%/m) - report.accuracy.original!)).toBeLessThan(2.5 / samples);
    expect(Math.abs(shown(/^Mean layer utilization +([\d.]+)%/m) - report.totals.mlu!)).toBeLessThan(0.1);
    for (const { name } of report.layers) expect(readme).toContain(`\n${name} `);
  });

  it("fails with one clear line where a step fails", async () => {
    const refused = await startDemo("--output", path.join(example, "model.onnx"));
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^demo: .*model\.onnx/m);

    const taken = path.join(folder, "taken");
    mkdirSync(path.join(taken, "report.json"), { recursive: true });
    const failed = await startDemo("--output", taken);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(/^ranklens: .*report\.json/m);
    expect(failed.stderr.trimEnd().split("\n").at(-1)).toMatch(/^demo: "ranklens analyze" failed \(exit status 1\)/);
    expect(existsSync(path.join(taken, "smaller.onnx"))).toBe(false);
  });
});
