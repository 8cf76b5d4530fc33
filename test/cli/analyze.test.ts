import { readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { modelReportSchema, type LayerReport, type ModelReport } from "../../src/report";
import { answers, cnnLab, complaints, expectSuccess, predict, progressLines, sha256, VALIDATION, type CnnLab } from "./lab"; // prettier-ignore
import { cnnWith, IMAGE, images } from "./models";

const NAMES = ["wide", "side", "grouped", "pointwise", "head"];

describe("ranklens analyze", () => {
  let lab: CnnLab;
  let before: Record<string, string>;
  beforeAll(async () => {
    lab = await cnnLab();
    before = lab.files();
  });
  // Whatever a command does, what was there stays as it was.
  afterEach(() => expect(lab.files()).toMatchObject(before));
  afterAll(() => lab.remove());

  let reports = 0;
  async function analyzed(...args: string[]): Promise<{ report: ModelReport; stdout: string; stderr: string }> {
    const name = `report${reports++}.json`;
    const outcome = await lab.run("analyze", ...args, "--report", name);
    expectSuccess(outcome);
    const report = modelReportSchema.parse(JSON.parse(readFileSync(lab.at(name), "utf8")));
    return { report, stdout: outcome.stdout, stderr: outcome.stderr };
  }

  it("takes the config beside the model, tells progress on stderr and results on stdout", async () => {
    const { report, stdout, stderr } = await analyzed("model.onnx");
    expect(report.layers.map(({ name }) => name)).toEqual(NAMES);
    expect(report.settings).toMatchObject({ ranks: "search", search: "exact", baseline: "original", tolerance: 10 });
    expect(report.skipped).toEqual([{ name: "node_c", op: "Conv", reason: expect.any(String) as string }]);
    expectTable(stdout, report);
    expect(progressLines(stdout)).toEqual([]);
    const progress = progressLines(stderr).map((line) => line.replace(/ \(.*/, ""));
    expect(progress[0]).toBe("Running the original");
    expect(progress).toEqual(expect.arrayContaining(NAMES.map((name) => `Searching ranks: ${name}`)));
    expect(progress.at(-1)).toBe("Running the smaller model");
    expect(stdout + stderr).not.toContain("\u001b");
  });

  it("records hashes and paths from which everything is found again", async () => {
    const { report } = await analyzed("model.onnx");
    const hash = (name: string): string => sha256(readFileSync(lab.at(name)));
    expect(report.model).toMatchObject({ path: "model.onnx", sha256: hash("model.onnx"), opset: 15 });
    expect(report.settings.calibration).toEqual({
      source: "calibration.npy",
      sha256: { source: hash("calibration.npy"), labels: null },
    });
    expect(report.settings.validation).toEqual({
      source: "validation.npy",
      labels: "labels.npy",
      sha256: { source: hash("validation.npy"), labels: hash("labels.npy") },
    });
  });

  it("measures the original's accuracy as onnxruntime and the labels give it", async () => {
    const { report, stdout } = await analyzed("model.onnx");
    const scores = await predict(readFileSync(lab.at("model.onnx")), VALIDATION, images(VALIDATION, IMAGE, 2));
    const right = answers(scores).filter((_, i) => i % 10 !== 9).length;
    expect(report.accuracy).toMatchObject({ metric: "top-1", samples: VALIDATION, original: right / VALIDATION });
    expect(stdout).toMatch(/^Accuracy \(top-1\) +90\.00% → /m);
  });

  it("takes another config, whose paths start at its own folder", async () => {
    lab.json("settings/agreement.json", {
      calibration: { source: "../calibration.npy", limit: 40 },
      validation: { source: "../validation.npy", limit: 50 },
    });
    const { report, stdout } = await analyzed("model.onnx", "--config", "settings/agreement.json");
    expect(report.settings.calibration).toMatchObject({ source: "calibration.npy", limit: 40 });
    expect(report.accuracy).toMatchObject({ metric: "agreement", samples: 50, original: 1 });
    expect(report.settings.tolerance).toBe(0.1);
    expect(stdout).toMatch(/^Agreement with itself +100\.00% → /m);
    expect(stdout).toMatch(/Warning: The tolerance of 0\.1 points is less than one of 50 validation samples/);
  });

  it("lets --tolerance override the config's", async () => {
    for (const tolerance of [0, 30]) {
      const { report } = await analyzed("model.onnx", "--tolerance", String(tolerance));
      expect(report.settings.tolerance).toBe(tolerance);
      const needed = 90 - tolerance;
      for (const [, correct, passed] of report.layers.flatMap(({ search }) => [...search!.S, ...search!.T])) {
        expect(passed).toBe(correct! >= needed);
      }
    }
  });

  it("measures the drop of k_T from the accuracy at k_S with --baseline previous", async () => {
    const { report } = await analyzed("model.onnx", "--baseline", "previous");
    expect(report.settings.baseline).toBe("previous");
    let decisions = 0;
    for (const { kS, search } of report.layers) {
      const atS = search!.S.find(([k]) => k === kS)?.[1] ?? 90;
      for (const [, correct, passed] of search!.T) {
        expect(passed).toBe(correct! >= atS - 10);
        decisions++;
      }
    }
    expect(decisions).toBeGreaterThan(5);
  });

  it("takes ranks from --energy without a search", async () => {
    const { report, stdout } = await analyzed("model.onnx", "--energy", "0.9");
    expect(report.settings).toMatchObject({ ranks: "energy", energy: 0.9, search: null, baseline: null });
    expect(report.cost.evaluations).toBe(0);
    for (const { inputEnergy, outputEnergy, search } of report.layers) {
      expect(inputEnergy).toBeGreaterThanOrEqual(0.9);
      expect(outputEnergy).toBeGreaterThanOrEqual(0.9);
      expect(search).toBeNull();
    }
    expect(stdout).toMatch(/^Ranks by +90\.00% of the energy on both sides, no search$/m);
    expectTable(stdout, report);
  });

  it("reads no data with --weights-only, and needs no config", async () => {
    lab.write("alone/model.onnx", readFileSync(lab.at("model.onnx")));
    const { report, stdout, stderr } = await analyzed("alone/model.onnx", "--weights-only");
    expect(report.settings).toMatchObject({ ranks: "none", calibration: null, validation: null });
    expect(report.layers.map(({ name }) => name)).toEqual(NAMES);
    for (const { name, weightRank, kS, rows, columns } of report.layers) {
      expect(kS).toBeNull();
      expect(weightRank).toBeLessThanOrEqual(Math.min(rows, columns));
      expect(stdout).toMatch(new RegExp(`^${name} .* ${weightRank} +${Math.min(rows, columns)} +[\\d.]+$`, "m"));
    }
    expect(stdout).toMatch(/^Ranks by +weights only: no data was used$/m);
    expect(complaints(stderr)).toEqual([]);
  });

  it("falls back to energy where there is no validation data", async () => {
    lab.json("calibration-only.json", { calibration: { source: "calibration.npy" } });
    const { report, stdout } = await analyzed("model.onnx", "-c", "calibration-only.json");
    expect(report.settings).toMatchObject({ ranks: "energy", energy: 0.99 });
    expect(report.accuracy.original).toBeNull();
    expect(stdout).not.toMatch(/Accuracy|NaN|null|undefined/);
  });

  it("finds the config of the folder for a model without one of its own", async () => {
    lab.write("other name", readFileSync(lab.at("model.onnx")));
    const { report } = await analyzed("other name", "--energy", "0.9");
    expect(report.settings.calibration?.source).toBe("calibration.npy");
  });

  it("leaves a layer out whose weight is not finite, with a warning", async () => {
    for (const [value, shown] of [
      [NaN, "NaN"],
      [-Infinity, "-Infinity"],
    ] as const) {
      // prettier-ignore
      lab.write("bad.onnx", cnnWith("side", 7, value));
      const { report, stdout } = await analyzed("bad.onnx");
      expect(report.layers.map(({ name }) => name)).toEqual(NAMES.filter((name) => name !== "side"));
      expect(report.warnings).toContain(`Layer side is left out: its weight is not finite: element 7 is ${shown}.`);
      expect(stdout).toContain(`Warning: Layer side is left out: its weight is not finite: element 7 is ${shown}.`);
      expect(stdout).toContain("Conv side: its weight is not finite");
    }
  });

  it("warns of an original that is no better than chance", async () => {
    const labels = Array.from({ length: VALIDATION }, (_, i) => i % 5);
    lab.array("shuffled.npy", "uint8", [VALIDATION, 1], labels);
    lab.json("shuffled.json", { ...lab.config, validation: { source: "validation.npy", labels: "shuffled.npy" } });
    const { report, stdout } = await analyzed("model.onnx", "-c", "shuffled.json");
    expect(report.accuracy.original).toBeLessThan(0.35);
    expect(stdout).toMatch(/Warning: The original's accuracy, [\d.]+%, is near chance for 5 classes/);
  });

  it("says how few calibration samples limit a rank", async () => {
    lab.array("few.npy", "float32", [3, ...IMAGE], images(3, IMAGE, 9));
    lab.json("few.json", { ...lab.config, calibration: { source: "few.npy" } });
    const { report, stdout } = await analyzed("model.onnx", "-c", "few.json", "--energy", "0.999");
    expect(stdout).toMatch(/Warning: Too few calibration samples for 1 of 5 layers \(head\): head sees 3 rows for 16/);
    expect(report.layers.find(({ name }) => name === "head")!.kS).toBeLessThanOrEqual(3);
  });
});

/** The printed table has one row for each layer, with the report's ranks. */
function expectTable(stdout: string, { layers }: ModelReport): void {
  const [head, ...rows] = stdout.split("\n");
  expect(head).toMatch(/^layer +op +m×d +weight rank +k_S +k_T +rank +used +error +parameters$/);
  layers.forEach((layer: LayerReport, i) => {
    const { name, op, groups, rows: m, columns, weightRank, kS, kT, utilizedRank, utilization } = layer;
    const size = `${groups > 1 ? `${groups}·` : ""}${m}×${columns}`;
    const used = `${(100 * utilization!).toFixed(0)}%`;
    expect(rows[i].split(/ +/).slice(0, 8)).toEqual(
      [name, op, size, weightRank, kS, kT, utilizedRank, used].map(String),
    );
    expect(rows[i]).toMatch(/[█░]{10}$/);
    expect(/ kept /.test(rows[i])).toBe(layer.outcome.kind === "kept");
  });
  expect(rows[layers.length]).toBe("");
}
