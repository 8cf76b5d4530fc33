import { modelReportSchema, reportTotals, type LayerReport, type ModelReport } from "../../src/report";

/** Every character that could end something, and what would run if it did. */
export const HOSTILE = `</script><img src=x onerror=alert(1)>"' onload='alert(2)&amp;\u2028\u202e<!--`;

type LayerChange = Partial<LayerReport>;

/** A layer of 8 outputs and 12 inputs at rank 3, searched on 100 samples. */
export function layer(name: string, change: LayerChange = {}): LayerReport {
  return {
    name,
    node: name,
    nodes: [name],
    op: "Conv",
    initializer: `${name}.weight`,
    groups: 1,
    rows: 8,
    columns: 12,
    weightRank: 8,
    stableRank: 2.5,
    kS: 5,
    kT: 3,
    utilizedRank: 3,
    utilization: 3 / 8,
    inputEnergy: 0.99,
    outputEnergy: 0.9,
    outputError: 0.05,
    errorBound: 2.5,
    fragility: { kS: [5, 5], kT: [2, 4], utilizedRank: [2, 4] },
    parameters: { before: 96, after: 60 },
    macs: { before: 960, after: 600 },
    outcome: { kind: "decomposed", rank: 3 },
    spectra: {
      input: [6, 3, 1, 0, -1e-17],
      weightOnInput: [2, 1, 0.5, 0.4, 0.1],
      output: [3, 1],
      weight: [2, 2],
      projected: [1, 1, 1],
    },
    search: {
      S: [
        [6, 80, true],
        [3, 60, false],
        [5, 80, true],
        [4, null, false],
      ],
      T: [
        [4, 79, true],
        [2, 78, false],
        [3, 79, true],
      ],
    },
    ...change,
  };
}

/** What a layer's report is without data. */
export const withoutData: LayerChange = {
  kS: null,
  kT: null,
  utilizedRank: null,
  utilization: null,
  inputEnergy: null,
  outputEnergy: null,
  outputError: null,
  errorBound: null,
  fragility: null,
  parameters: { before: 96, after: null },
  macs: { before: null, after: null },
  outcome: { kind: "kept", reason: "ranks were not measured: only the weights were analysed" },
  spectra: { input: null, weightOnInput: null, output: null, weight: [2, 1], projected: null },
  search: null,
};

/** A report of these layers, checked against the schema. */
export function report(layers: readonly LayerReport[], change: Partial<ModelReport> = {}): ModelReport {
  const data = { source: "/home/someone/secret/images.npy", sha256: { source: "0", labels: null } };
  return modelReportSchema.parse({
    schemaVersion: 1,
    model: { path: "/home/someone/secret/net.onnx", sha256: "0123456789abcdef", bytes: 12_345, opset: 17 },
    settings: {
      calibration: data,
      validation: { ...data, limit: 100 },
      preprocess: {},
      tolerance: 1,
      ranks: "search",
      search: "exact",
      baseline: "original",
      energy: null,
      batchSize: 10,
    },
    device: { requested: "auto", used: "cpu", why: "there is no other", tried: [], onProcessor: [], eigensolver: null },
    totals: reportTotals(layers, 1000),
    accuracy: { metric: "top-1", samples: 100, original: 0.8, projected: 0.7, decomposed: 0.75 },
    cost: {
      seconds: 12,
      evaluations: 7,
      forwardEquivalents: 700,
      stages: { calibration: 2, search: 9 },
      memory: { peak: 3e8, cache: 2e7, spilled: 0 },
    },
    preview: null,
    layers,
    skipped: [],
    warnings: [],
    compressed: null,
    ...change,
  });
}

/** The same model analysed by its weights alone. */
export function weightsReport(): ModelReport {
  const full = report([layer("a", withoutData), layer("b", withoutData)]);
  return {
    ...full,
    settings: { ...full.settings, calibration: null, validation: null, ranks: "none", search: null, baseline: null },
    accuracy: { metric: null, samples: null, original: null, projected: null, decomposed: null },
    cost: {
      seconds: 0.01,
      evaluations: 0,
      forwardEquivalents: 0,
      stages: {},
      memory: { peak: 1e8, cache: 0, spilled: 0 },
    },
  };
}

/** Ranks by energy, without validation data. */
export function energyReport(): ModelReport {
  const full = report([layer("a", { search: null, fragility: null })]);
  return {
    ...full,
    settings: { ...full.settings, validation: null, ranks: "energy", search: null, baseline: null, energy: 0.99 },
    accuracy: { metric: null, samples: null, original: null, projected: null, decomposed: null },
  };
}
