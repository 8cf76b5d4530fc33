import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { analyze } from "../../src/analyze";
import { compress } from "../../src/compress";
import { isDecomposable, utilization, utilizedRank, weightParameters } from "../../src/numerics/utilizedRank";
import { reportTotals, type LayerReport, type ModelReport } from "../../src/report";
import { readReport, writeReport } from "../../src/reportFile";
import { compareReports, readReference, type Reference } from "./compare";
import { cifarConfig, missingReference, referenceFolder } from "./data";

const missing = missingReference();
if (missing !== undefined) console.warn(`SKIPPED: ${missing}`);

const cases = [
  { model: "resnet20.onnx", reference: "resnet20_folded_eps0.5.json", tolerance: 0.5 },
  { model: "resnet20_bn.onnx", reference: "resnet20_eps0.5.json", tolerance: 0.5 },
  { model: "resnet20_bn.onnx", reference: "resnet20_eps0.1.json", tolerance: 0.1 },
];

describe.skipIf(missing !== undefined).each(cases)("$reference", ({ model, reference: file, tolerance }) => {
  let report: ModelReport;
  let reference: Reference;

  beforeAll(async () => {
    reference = readReference(path.join(referenceFolder, "results", file));
    report = await analyze(path.join(referenceFolder, "models", model), { config: cifarConfig(), tolerance });
  }, 1_800_000);

  test("agrees decision by decision", () => {
    const { disagreements, compared, sameRanks } = compareReports(report, reference);
    expect(disagreements).toEqual([]);
    // Decisions, ranks, energies and errors of 20 layers; early differences would leave little to compare.
    expect(compared).toBeGreaterThan(300);
    console.info(`${file}: ${compared} numbers compared, ranks equal in ${sameRanks} of 20 layers`);
  });

  test("counts the original's right answers", () => {
    expect(report.accuracy.original! * 2000).toBe(1627);
    expect(report.totals.originalMlu).toBeCloseTo(reference.totals.mlu_orig, 12);
  });

  test("the reference's ranks give the reference's totals", () => {
    const layers = reference.layers.map((expected): LayerReport => {
      const layer = report.layers.find(({ node }) => node === expected.onnx_node)!;
      const rank = utilizedRank(expected.k_S, expected.k_T);
      const after = weightParameters(layer, isDecomposable(rank, layer) ? rank : null);
      return {
        ...layer,
        utilization: utilization(rank, layer),
        parameters: { ...layer.parameters, after },
        macs: { ...layer.macs, after: after * (layer.macs.before! / layer.parameters.before) },
      };
    });
    const totals = reportTotals(layers, report.totals.modelParameters);
    expect(Math.abs(totals.mlu! - reference.totals.mlu)).toBeLessThan(1e-6);
    expect(Math.abs(totals.parametersRatio! - reference.totals.params_ratio)).toBeLessThan(1e-6);
    expect(Math.abs(totals.macsRatio! - reference.totals.flops_ratio)).toBeLessThan(1e-6);
  });

  test("the compressed file reaches the accuracy of the report, to the sample", async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-"));
    try {
      const from = path.join(folder, "report.json");
      writeReport(report, from, { force: false });
      const output = path.join(folder, "small.onnx");
      const { compressed } = await compress(path.join(referenceFolder, "models", model), { from, output });
      expect(compressed?.accuracy.after).toBe(report.accuracy.decomposed);
      expect(compressed?.accuracy.before).toBe(report.accuracy.original);
      expect(compressed!.bytes.after).toBeLessThan(0.95 * compressed!.bytes.before);
      expect(readReport(from)).toEqual(report);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(missing !== undefined)("on a subset", () => {
  let first: ModelReport;
  const options = { config: cifarConfig(200), tolerance: 1 };
  const model = path.join(referenceFolder, "models", "resnet20.onnx");

  beforeAll(async () => {
    first = await analyze(model, options);
  }, 900_000);

  test("a second run gives the same report", async () => {
    const second = await analyze(model, options);
    const timeless = (report: ModelReport): unknown => ({
      ...report,
      cost: { ...report.cost, seconds: 0, stages: {}, layers: [], memory: { ...report.cost.memory, peak: 0 } },
    });
    expect(timeless(second)).toEqual(timeless(first));
  });

  afterAll(() => {
    expect(first.layers).toHaveLength(20);
  });
});
