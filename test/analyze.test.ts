import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AnalysisEvent } from "../src/analysis/progress";
import { analyze, type AnalyzeOptions } from "../src/analyze";
import type { Config } from "../src/config";
import { isExpected } from "../src/errors";
import { findLayers } from "../src/layers";
import { rankAtEnergy } from "../src/numerics/spectrum";
import { modelReportSchema, type LayerReport, type ModelReport } from "../src/report";
import { classes, floats, openBytes, runOutput } from "./fixtures/data";
import { accuracy, leading, workspace, type Workspace } from "./fixtures/dataFiles";
import { withProjectedWeights } from "./fixtures/dataGrams";
import { node } from "./fixtures/model";
import { CLASSES, cnn, FEATURES, IMAGE, mlp } from "./fixtures/modelNetworks";
import { oneLayer, refusedModels, withBadWeight } from "./fixtures/modelRefused";

/** A report without the times and the memory it took. */
function timeless({ cost, ...rest }: ModelReport): unknown {
  return {
    ...rest,
    cost: {
      ...cost,
      seconds: 0,
      stages: Object.keys(cost.stages),
      layers: cost.layers?.length,
      memory: { ...cost.memory, peak: 0 },
    },
  };
}

function checkReport(report: ModelReport): void {
  expect(modelReportSchema.parse(report)).toEqual(report);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
}

describe.each([
  ["a CNN", cnn(), IMAGE, [64, 64, 64, 16, 16, 32, 64, 1]],
  ["an MLP", mlp(), [FEATURES], [1, 1, 1]],
])("the analysis of %s", (_, bytes, sampleDims, positions) => {
  let space: Workspace;
  let report: ModelReport;
  const events: AnalysisEvent[] = [];
  beforeAll(async () => {
    space = await workspace(bytes, sampleDims);
    report = await analyze(space.model, { config: space.config, onEvent: (event) => events.push(event) });
  });
  afterAll(() => space.remove());
  const again = (more: Partial<AnalyzeOptions>): Promise<ModelReport> =>
    analyze(space.model, { config: space.config, ...more });

  it("gives a valid report, the same one again", async () => {
    checkReport(report);
    expect(timeless(await again({}))).toEqual(timeless(report));
    expect(report.layers.map(({ name }) => name)).toEqual(findLayers(openBytes(bytes).index).layers.map(({ name }) => name)); // prettier-ignore
    expect(report.settings).toMatchObject({ ranks: "search", search: "exact", baseline: "original", energy: null });
    expect(report.accuracy).toMatchObject({ metric: "top-1", samples: 60 });
    expect(report.cost.evaluations).toBe(report.layers.reduce((sum, { search }) => sum + search!.S.length + search!.T.length, 0)); // prettier-ignore
  });

  it("counts parameters, and multiplications at every place", () => {
    for (const [i, layer] of report.layers.entries()) {
      const { groups, rows, columns, outcome, parameters, macs, utilizedRank, kS, kT } = layer;
      expect(utilizedRank).toBe(Math.min(kS!, kT!));
      expect(parameters.before).toBe(groups * rows * columns);
      const small = utilizedRank! * (rows + columns) < rows * columns;
      expect(outcome).toEqual(small ? { kind: "decomposed", rank: utilizedRank } : { kind: "kept", reason: expect.any(String) as string }); // prettier-ignore
      expect(parameters.after).toBe(small ? groups * utilizedRank! * (rows + columns) : parameters.before);
      expect(macs).toEqual({ before: parameters.before * positions[i], after: parameters.after! * positions[i] });
    }
    const sum = (of: (layer: LayerReport) => number): number => report.layers.reduce((all, it) => all + of(it), 0);
    expect(report.totals).toMatchObject({ macs: sum((it) => it.macs.before!), parametersAfter: sum((it) => it.parameters.after!) }); // prettier-ignore
    expect(report.totals.mlu).toBe(
      sum((it) => it.utilizedRank! / Math.min(it.rows, it.columns)) / report.layers.length,
    );
  });

  it("measures accuracies that an independent evaluation confirms", async () => {
    const scores = async (model: Uint8Array): Promise<number> =>
      accuracy(await runOutput(model, space.validation, "y"), space.labels);
    const low = await again({ energy: 0.5 });
    expect(low.accuracy.decomposed).toBeLessThan(low.accuracy.original!);
    for (const { accuracy: found, layers } of [report, low]) {
      const decomposed = layers.filter(({ outcome }) => outcome.kind === "decomposed");
      expect(found.original).toBe(await scores(bytes));
      expect(found.projected).toBe(await scores(await withProjectedWeights(bytes, space.calibration, layers)));
      expect(found.decomposed).toBe(await scores(await withProjectedWeights(bytes, space.calibration, decomposed)));
    }
  });

  it("records a search for every layer that an independent evaluation confirms, decision by decision", async () => {
    const originalCorrect = Math.round(report.accuracy.original! * 60);
    for (const layer of report.layers) {
      const { rows, columns, search } = layer;
      const tried = [
        ...search!.S.map((one) => ({ one, kS: one[0], kT: rows })),
        ...search!.T.map((one) => ({ one, kS: layer.kS!, kT: one[0] })),
      ];
      for (const { one, kS, kT } of tried) {
        const model = await withProjectedWeights(bytes, space.calibration, [{ ...layer, kS, kT }]);
        const right = Math.round(60 * accuracy(await runOutput(model, space.validation, "y"), space.labels));
        // ⌊5% of 60⌋ samples may go wrong.
        expect(one, `${layer.name} at ${kS}, ${kT}`).toEqual([one[0], right, right >= originalCorrect - 3]);
      }
      for (const [found, evaluations, full] of [
        [layer.kS, search!.S, columns],
        [layer.kT, search!.T, rows],
      ] as const) {
        // prettier-ignore
        expect(found).toBe(Math.min(full, ...evaluations.filter(([, , passed]) => passed).map(([k]) => k)));
      }
    }
  });

  it("tells its progress, up to the end and never back, and every layer", () => {
    const fractions = events.flatMap((event) => (event.kind === "progress" ? [event.fraction] : []));
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions[0]).toBe(0);
    expect(fractions.at(-1)).toBeCloseTo(1, 9);
    expect(events.flatMap((event) => (event.kind === "layer" ? [event.layer] : []))).toEqual(report.layers);
  });

  it("searches fast where asked to: fewer samples, no band, and the same ranks another time", async () => {
    const found = await again({ search: "fast", searchError: 0.01 });
    checkReport(found);
    expect(found.settings).toMatchObject({ ranks: "search", search: "fast", searchError: 0.01 });
    for (const { rows, columns, kS, kT, search, fragility } of found.layers) {
      expect(fragility).toBeNull();
      for (const [k, full, evaluations] of [
        [kS!, columns, search!.S],
        [kT!, rows, search!.T],
      ] as const) {
        expect(k === full || evaluations.some(([tried, , passed]) => tried === k && passed)).toBe(true);
        expect(evaluations.every(([tried, , passed]) => (passed ? tried >= k : tried < k))).toBe(true);
      }
    }
    expect(timeless(await again({ search: "fast", searchError: 0.01 }))).toEqual(timeless(found));
  });

  it("takes ranks from energy where asked to, or where there is no validation data", async () => {
    const found = await again({ energy: 0.9 });
    checkReport(found);
    expect(found.settings).toMatchObject({ ranks: "energy", search: null, baseline: null, energy: 0.9 });
    for (const { kS, kT, spectra, search } of found.layers) {
      expect([kS, kT]).toEqual([spectra.input!, spectra.output!].map((it) => rankAtEnergy(Float64Array.from(it), 0.9)));
      expect(search).toBeNull();
    }
    const { validation, ...unvalidated } = space.config;
    expect(validation).toBeDefined();
    const without = await again({ config: unvalidated });
    checkReport(without);
    expect(without.settings.energy).toBe(0.99);
    expect(without.accuracy).toEqual({
      metric: null,
      output: null,
      samples: null,
      answers: null,
      original: null,
      projected: null,
      decomposed: null,
      perplexity: null,
    });
  });

  it("of the weights alone reads no data", async () => {
    const found = await again({ weightsOnly: true, config: { calibration: { source: "/no/such/file.npy" } } });
    checkReport(found);
    expect(found.settings).toMatchObject({ ranks: "none", calibration: null, validation: null });
    expect(found.layers.map(({ weightRank, stableRank }) => [weightRank, stableRank])).toEqual(
      report.layers.map(({ weightRank, stableRank }) => [weightRank, stableRank]),
    );
    expect(found.totals.mlu).toBeNull();
    expect(found.totals.originalMlu).toBe(report.totals.originalMlu);
  });

  it("measures agreement with the original where there are no labels", async () => {
    const config = { ...space.config, validation: { source: space.config.validation!.source } };
    const found = await again({ config });
    checkReport(found);
    expect(found.accuracy).toMatchObject({ metric: "agreement", original: 1, samples: 60 });
  });

  it("may measure kT's drop from the accuracy with P_S in place", async () => {
    const found = await again({ baseline: "previous" });
    checkReport(found);
    expect(found.settings.baseline).toBe("previous");
    for (const [i, { kS, kT, rows, search }] of found.layers.entries()) {
      expect(kS).toBe(report.layers[i].kS);
      const atS = search!.S.find(([k]) => k === kS)?.[1] ?? Math.round(found.accuracy.original! * 60);
      for (const [, right, passed] of search!.T) expect(passed).toBe(right! >= atS - 3);
      expect(kT).toBe(Math.min(rows, ...search!.T.filter(([, , passed]) => passed).map(([k]) => k)));
    }
  });

  it("rejects soon after it is aborted, in every stage", async () => {
    for (const stage of ["original", "calibration", "search", "verification"]) {
      const controller = new AbortController();
      const reason = new Error(`stopped in ${stage}`);
      let after = 0;
      const onEvent = (event: AnalysisEvent): void => {
        if (controller.signal.aborted) after++;
        if (event.kind === "progress" && event.stage === stage) controller.abort(reason);
      };
      await expect(again({ signal: controller.signal, onEvent })).rejects.toBe(reason);
      expect(after).toBeLessThan(3);
    }
    await expect(again({ signal: AbortSignal.abort(), weightsOnly: true })).rejects.toThrow(/abort/);
  });
});

describe("an analysis that cannot be done is refused with what to do about it", () => {
  let space: Workspace;
  beforeAll(async () => (space = await workspace(mlp(), [FEATURES])));
  afterAll(() => space.remove());

  async function refusal(options: Partial<AnalyzeOptions>, model = space.model): Promise<string> {
    const error: unknown = await analyze(model, { config: space.config, ...options }).then(
      () => new Error("nothing was refused"),
      (reason: unknown) => reason,
    );
    if (isExpected(error)) return error.message;
    throw error;
  }

  it.each(refusedModels)("for a model that %s", async (_, bytes, message) => {
    expect(await refusal({}, space.write("other_model.onnx", bytes))).toMatch(message);
  });

  it("for NaN and infinities in the data", async () => {
    for (const bad of [NaN, Infinity]) {
      const values = Float32Array.from(space.calibration.data as Float32Array);
      values[3 * FEATURES + 1] = bad;
      const data = { source: space.array("bad.npy", space.calibration.dims, values) };
      expect(await refusal({ config: { ...space.config, calibration: data } })).toMatch(
        /bad\.npy: sample 3 has the value/,
      );
      expect(await refusal({ config: { ...space.config, validation: data } })).toMatch(
        /bad\.npy: sample 3 has the value/,
      );
    }
  });

  it("for labels that do not match", async () => {
    const labels = (dims: number[], values: ArrayLike<number>) => {
      const validation = { ...space.config.validation!, labels: space.array("other.npy", dims, values) };
      return refusal({ config: { ...space.config, validation } });
    };
    expect(await labels([59], classes(59, CLASSES, 1))).toMatch(/59 labels.* 60 samples/);
    expect(await labels([60], new Float32Array(60).fill(CLASSES))).toMatch(/label 0 is 5, and the model has 5 classes/);
    expect(await labels([60, 5], new Float32Array(300))).toMatch(/shape \(60, 5\)/);
  });

  it("for samples of another shape, none at all, and settings for another input", async () => {
    const calibration = { source: space.array("narrow.npy", [20, 11], floats(220, 1)) };
    expect(await refusal({ config: { ...space.config, calibration } })).toMatch(
      /takes \[N,12\]; narrow\.npy gives \[N,11\]/,
    );
    expect(await refusal({ config: {} })).toMatch(/no calibration data/);
    expect(await refusal({ config: { ...space.config, preprocess: { input: "z" } } })).toMatch(/is "z", but .*"x"/);
    const missing = { source: `${space.folder}/none.npy` };
    expect(await refusal({ config: { ...space.config, calibration: missing } })).toMatch(/none\.npy/);
    expect(await refusal({}, space.write("hundred.onnx", mlp(100)))).toMatch(
      /batches of exactly 100 samples; the calibration data has 80/,
    );
  });

  it("but one weight that is not finite only leaves its layer out, with a warning", async () => {
    const bytes = withBadWeight([node("MatMul", ["x", "w"], "y")]);
    const report = await analyze(space.write("bad.onnx", bytes), { config: space.config });
    checkReport(report);
    expect(report.layers.map(({ name }) => name)).toEqual(["w"]);
    expect(report.skipped).toEqual([
      { name: "bad", op: "MatMul", reason: "its weight is not finite: element 7 is NaN" },
    ]);
    expect(report.warnings).toContain("Layer bad is left out: its weight is not finite: element 7 is NaN.");
  });

  it("nor are doubtful settings: they are done, with warnings", async () => {
    const warnings = async (config: Config, bytes = oneLayer): Promise<string> => {
      const report = await analyze(space.write("doubtful.onnx", bytes), { config: { ...space.config, ...config } });
      checkReport(report);
      return report.warnings.join("\n");
    };
    const random = space.array("random.npy", [60], classes(60, CLASSES, 3));
    const validation = space.config.validation!;
    const few = leading(space.calibration, 7);
    const short = { source: space.array("few.npy", few.dims, few.data as Float32Array) };
    expect(await warnings({ validation: { ...validation, labels: random } })).toMatch(/near chance for 5 classes/);
    expect(await warnings({ tolerance: 1 })).toMatch(/tolerance of 1 points is less than one of 60 .*\(1\.7 points\)/);
    expect(await warnings({ tolerance: 2 })).not.toMatch(/less than one of/);
    expect(await warnings({ calibration: short })).toMatch(/w sees 7 rows for 12 features/);
    expect(await warnings({}, mlp(32))).toMatch(/exactly 32 samples: 16 of 80 calibration samples are left over/);
  });
});
