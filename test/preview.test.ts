import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { previewSizes } from "../src/analysis/preview";
import { analyze } from "../src/analyze";
import { modelReportSchema, type ModelReport } from "../src/report";
import { cliPath, start } from "./cli/lab";
import { weight } from "./fixtures/data";
import { workspace, type Workspace } from "./fixtures/dataFiles";
import { modelBytes, node, value } from "./fixtures/model";
import { CLASSES } from "./fixtures/modelNetworks";

const example = path.resolve("examples/shapes/model.onnx");
const folder = mkdtempSync(path.join(tmpdir(), "ranklens-preview-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a preview", () => {
  it("takes as many samples as fit in its time, and searches only where they are enough", () => {
    const positive = fc.double({ min: 1e-6, max: 100, noNaN: true });
    fc.assert(
      fc.property(
        positive,
        positive,
        fc.oneof(fc.constant(0), fc.double({ min: 1, max: 1e4, noNaN: true })),
        (secondsPerSample, gramShare, searchWork) => {
          const { calibration, validation, searches } = previewSizes({ secondsPerSample, gramShare, searchWork });
          expect(calibration).toBeGreaterThanOrEqual(8);
          expect(calibration).toBeLessThanOrEqual(200);
          expect(validation).toBeLessThanOrEqual(200);
          if (searches) expect(validation * secondsPerSample * searchWork).toBeLessThanOrEqual(6.001);
          else expect(searchWork === 0 || 32.001 * secondsPerSample * searchWork > 6).toBe(true);
        },
      ),
    );
  });

  it("analyses a subset of the example, and says so", async () => {
    const report = await analyze(example, { preview: true });
    expect(modelReportSchema.parse(report)).toEqual(report);
    const { calibration, validation, fullRun } = report.preview!;
    expect(calibration.of).toBe(250);
    expect(validation!.of).toBe(1000);
    expect(validation!.samples).toBeLessThanOrEqual(200);
    expect(report.settings.calibration!.limit).toBe(calibration.samples);
    expect(report.settings.validation!.limit).toBe(validation!.samples);
    expect(report.accuracy.samples).toBe(validation!.samples);
    expect(report.warnings[0]).toContain(`${validation!.samples} of 1000 validation samples`);
    expect(fullRun.seconds).toBeGreaterThan(report.cost.stages.search);
    expect(fullRun.memory).toBeGreaterThanOrEqual(report.cost.memory.peak);
  });

  it("keeps a smaller limit of the config, and does without validation data", async () => {
    const config = JSON.parse(readFileSync("examples/shapes/model.ranklens.json", "utf8")) as {
      calibration: Record<string, unknown>;
      validation?: unknown;
    };
    const data = path.resolve("examples/shapes");
    config.calibration = { ...config.calibration, limit: 20 };
    for (const key of ["source", "labels"]) config.calibration[key] = path.join(data, String(config.calibration[key]));
    delete config.validation;
    const file = path.join(folder, "config.json");
    writeFileSync(file, JSON.stringify(config));
    const report = await analyze(example, { preview: true, config: file });
    expect(report.preview).toMatchObject({ calibration: { samples: 20, of: 20 }, validation: null });
    expect(report.settings.ranks).toBe("energy");
  });
});

/** A network whose first layer makes much more than it is given: 256 KB of activations for each sample of 4 KB. */
function wide(): Uint8Array {
  return modelBytes({
    nodes: [
      node("Conv", ["x", "first"], "a"),
      node("Relu", ["a"], "b"),
      node("Conv", ["b", "second"], "c"),
      node("GlobalAveragePool", ["c"], "d"),
      node("Flatten", ["d"], "y"),
    ],
    initializers: [weight("first", [64, 1, 1, 1], 1), weight("second", [CLASSES, 64, 1, 1], 2)],
    inputs: [value("x", ["n", 1, 32, 32])],
    outputs: [value("y", ["n", CLASSES])],
  });
}

describe("a memory budget", () => {
  const samples = 2000;
  const activations = samples * 64 * 32 * 32 * 4;
  let space: Workspace;
  beforeAll(async () => {
    space = await workspace(wide(), [1, 32, 32], { samples });
  });
  afterAll(() => space.remove());

  /** Analyses the wide network within `budget` and with as many validation samples, in a process of its own. */
  async function run(budget: string, validationSamples = samples): Promise<ModelReport> {
    const name = `${budget}-${validationSamples}`;
    const [config, report] = [`${name}.config.json`, `${name}.json`].map((file) => path.join(folder, file));
    const { calibration, validation } = space.config;
    const limited = {
      ...space.config,
      // Few calibration samples: the peak is to be that of the search.
      calibration: { ...(calibration as object), limit: 8 },
      validation: { ...(validation as object), limit: validationSamples },
    };
    writeFileSync(config, JSON.stringify(limited));
    const args = [cliPath(), "analyze", space.model, "--config", config, "--memory", budget, "--report", report];
    const { status, stderr } = await start(process.execPath, args, folder).ended;
    expect(status, stderr).toBe(0);
    return modelReportSchema.parse(JSON.parse(readFileSync(report, "utf8")));
  }

  it("bounds the activations that are kept, and with them the peak of the process; ranks stay the same", async () => {
    const large = await run("4GB");
    const small = await run("16MB");
    expect(large.cost.memory).toMatchObject({ cache: activations, spilled: 0 });
    expect(small.cost.memory.cache).toBeLessThanOrEqual(16 * 1024 ** 2);
    expect(small.cost.memory.cache + small.cost.memory.spilled).toBe(activations);
    expect(small.layers.map(({ search }) => search)).toEqual(large.layers.map(({ search }) => search));
    // Peak resident memory, not what we count ourselves. A few batches on their way to the disk wait for the collector.
    const passing = (5 * large.settings.batchSize! * activations) / samples;
    const saved = large.cost.memory.peak - small.cost.memory.peak;
    expect(saved).toBeGreaterThan(activations - 16 * 1024 ** 2 - passing);
  });

  it("is kept to within a quarter by the whole process, beyond what it takes on one batch", async () => {
    const budget = 384 * 1024 ** 2;
    const bounded = await run("384MB");
    expect(bounded.cost.memory.spilled).toBeGreaterThan(activations / 5);
    const one = await run("384MB", bounded.settings.batchSize!);
    expect(one.settings.batchSize).toBe(bounded.settings.batchSize);
    expect(bounded.cost.memory.peak - one.cost.memory.peak).toBeLessThanOrEqual(1.25 * budget);
  });

  it.each(["4", "1kb", "-2GB", "much"])("must be a size of some use: %s", async (budget) => {
    const args = [cliPath(), "analyze", example, "--memory", budget];
    const { status, stderr } = await start(process.execPath, args, folder).ended;
    expect(status).toBe(2);
    expect(stderr).toContain("such as 512MB or 2GB");
  });
});
