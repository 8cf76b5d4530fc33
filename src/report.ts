import * as z from "zod";
import { metricChoices } from "./metricNames";
import { accuracySchema, count, measured, ratio } from "./reportAccuracy";
import { searchKinds } from "./searchKind";

/** Raised when a reader of older reports would misread a newer one. */
export const REPORT_SCHEMA_VERSION = 1;

const spectrum = z.array(z.number());
const band = z.tuple([count, count]);

const evaluation = z.tuple([count, measured, z.boolean(), ratio.optional()]).meta({
  description:
    "[k, right answers (null where the evaluation stopped as soon as its verdict was certain), passed, and where it " +
    "stopped early an estimate of the right answers]. With the metric output-error the relative error of the output takes " +
    "the place of right answers: less is better",
});

const dataSettings = z.strictObject({
  source: z
    .union([z.string(), z.record(z.string(), z.string())])
    .meta({ description: "A path, or one for each of several model inputs" }),
  labels: z.string().exactOptional(),
  classes: z
    .union([z.array(z.string()), z.record(z.string(), z.int().nonnegative())])
    .exactOptional()
    .meta({ description: "Class folders by number, or their numbers" }),
  limit: z.int().positive().exactOptional(),
  seed: z.int().nonnegative().exactOptional().meta({ description: "Of the choice that `limit` makes" }),
  sha256: z
    .strictObject({ source: z.string(), labels: z.string().nullable() })
    .meta({ description: "Of a file's bytes; of several files over the lines `<sha256>  <name>`" }),
});

const settings = z
  .strictObject({
    calibration: dataSettings.nullable(),
    validation: dataSettings.nullable(),
    preprocess: z.record(z.string(), z.unknown()),
    inputs: z
      .record(z.string(), z.unknown())
      .exactOptional()
      .meta({ description: "Values of model inputs that have no samples" }),
    output: z.string().exactOptional().meta({ description: "The model output that was asked for" }),
    metric: z.enum(metricChoices).exactOptional().meta({ description: "The metric that was asked for" }),
    tolerance: z.number().meta({
      description: "Percentage points of accuracy; with the metric output-error points of 100 of the relative error",
    }),
    ranks: z
      .enum(["search", "energy", "none"])
      .meta({ description: "How ranks were found: rank search, energy threshold, or not at all (weights only)" }),
    search: z.enum(searchKinds).nullable(),
    searchError: z.number().exactOptional().meta({
      description: "Of the fast search: the chance of a wrong verdict in one test, as far as its model holds",
    }),
    baseline: z.enum(["original", "previous"]).nullable(),
    energy: z.number().nullable(),
    batchSize: z.int().positive().nullable(),
  })
  .meta({ description: "The resolved configuration; paths are relative to the report file, where there is one" });

const layerPart = z.strictObject({
  name: z.string(),
  rows: z.int().positive(),
  weightRank: count,
  kT: count.meta({ description: "Its output directions that hold the share of energy that kT holds of the layer's" }),
  utilizedRank: count,
});

const layerReport = z.strictObject({
  name: z.string(),
  node: z.string().meta({ description: "ONNX name of the (first) node" }),
  nodes: z.array(z.string()).meta({ description: "ONNX names of all nodes that share the weight" }),
  op: z.string(),
  initializer: z.string().meta({ description: "ONNX name of the weight" }),
  groups: z.int().positive(),
  rows: z.int().positive().meta({ description: "m: outputs (per group)" }),
  columns: z.int().positive().meta({ description: "d: inputs (per group)" }),
  weightRank: count.meta({ description: "Singular values that hold 99.99% of the energy of W" }),
  stableRank: ratio.meta({ description: "‖W‖_F² / ‖W‖₂²" }),
  kS: count.nullable().meta({ description: "Input directions kept" }),
  kT: count.nullable().meta({ description: "Output directions kept" }),
  utilizedRank: count.nullable().meta({ description: "min(kS, kT)" }),
  utilization: measured.meta({ description: "utilizedRank / min(rows, columns)" }),
  inputEnergy: measured.meta({ description: "e_S(kS)" }),
  outputEnergy: measured.meta({ description: "e_T(kT)" }),
  outputError: measured.meta({ description: "‖XWᵀ−XW′ᵀ‖² / ‖XWᵀ‖², exact, on the calibration data" }),
  errorBound: measured.meta({ description: "Upper bound of outputError (paper, eq. 11)" }),
  fragility: z
    .strictObject({ kS: band, kT: band, utilizedRank: band })
    .nullable()
    .meta({ description: "[lowest, highest] had the threshold been one right answer lower or higher" }),
  stability: z
    .strictObject({ kS: band, kT: band, utilizedRank: band })
    .nullable()
    .exactOptional()
    .meta({
      description:
        "[lowest, highest] of the ranks that each half of the calibration data alone gives, at the energies of kS and kT; " +
        "null where the halves were not told apart",
    }),
  parts: z
    .array(layerPart)
    .exactOptional()
    .meta({ description: "The projections that a weight packs: query, key and value of an attention" }),
  parameters: z.strictObject({ before: count, after: count.nullable() }),
  macs: z.strictObject({ before: count.nullable(), after: count.nullable() }).meta({ description: "Per sample" }),
  outcome: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("decomposed"), rank: z.int().positive() }),
    z.strictObject({ kind: z.literal("kept"), reason: z.string() }),
  ]),
  spectra: z
    .strictObject({
      input: spectrum.nullable(),
      weightOnInput: spectrum.nullable(),
      output: spectrum.nullable(),
      weight: spectrum,
      projected: spectrum.nullable(),
    })
    .meta({
      description:
        "Squared singular values of X, Y, W and W′, descending, and ‖W v‖² for each input direction v; summed over groups",
    }),
  search: z.strictObject({ S: z.array(evaluation), T: z.array(evaluation) }).nullable(),
});

const skippedLayer = z.strictObject({ name: z.string(), op: z.string(), reason: z.string() });

const compression = z.strictObject({
  path: z.string(),
  sha256: z.string(),
  method: z.enum(["paper"]),
  layersDecomposed: count,
  bytes: z.strictObject({ before: count, after: count }),
  accuracy: z
    .strictObject({ before: measured, after: measured })
    .meta({ description: "In the metric of the report; with output-error 0, and the error of the written file" }),
  latency: z
    .strictObject({
      batch: z.int().positive(),
      runs: z.int().positive(),
      milliseconds: z.strictObject({ before: z.number(), after: z.number() }),
      ratio: z.number().meta({ description: "Median over paired runs of after / before" }),
    })
    .nullable(),
});

const subset = z.strictObject({ samples: count, of: count });

const preview = z.strictObject({
  calibration: subset,
  validation: subset.nullable(),
  fullRun: z
    .strictObject({ seconds: z.number(), memory: count, disk: count })
    .meta({ description: "Estimates: seconds, and bytes of memory and of temporary files" }),
});

export const modelReportSchema = z
  .strictObject({
    schemaVersion: z.literal(REPORT_SCHEMA_VERSION),
    model: z.strictObject({ path: z.string(), sha256: z.string(), bytes: count, opset: count }),
    settings,
    device: z.strictObject({
      requested: z.string(),
      used: z.string(),
      why: z.string(),
      tried: z
        .array(z.strictObject({ device: z.string(), why: z.string() }))
        .meta({ description: "Devices that came first and were not used, with the reason" }),
      onProcessor: z
        .array(z.strictObject({ operator: z.string(), nodes: count }))
        .meta({ description: "Operators that the device lacks, which ran on the processor" }),
      eigensolver: z
        .string()
        .nullable()
        .meta({ description: "The package that solved large eigenproblems on a GPU; null where RankLens did" }),
    }),
    totals: z.strictObject({
      layers: count,
      originalMlu: ratio,
      mlu: measured,
      parameters: count.meta({ description: "Weights of the analysed layers" }),
      parametersAfter: count.nullable(),
      parametersRatio: measured,
      modelParameters: count.meta({ description: "Everything that is stored as a number in the model" }),
      macs: count.nullable().meta({ description: "Of the analysed layers, per sample" }),
      macsAfter: count.nullable(),
      macsRatio: measured,
    }),
    accuracy: accuracySchema,
    cost: z.strictObject({
      seconds: z.number(),
      evaluations: count,
      forwardEquivalents: z
        .number()
        .meta({ description: "Samples run through the network, weighted by the share of its MACs that really ran" }),
      stages: z.record(z.string(), z.number()).meta({ description: "Seconds by stage" }),
      layers: z
        .array(z.number())
        .exactOptional()
        .meta({ description: "Seconds for the bases and the search of each layer, in the order of the layers" }),
      recalled: z
        .strictObject({ calibrated: count, searched: count })
        .exactOptional()
        .meta({ description: "Layers whose inputs, and whose ranks, were known from an earlier analysis" }),
      memory: z
        .strictObject({
          peak: count.meta({ description: "The most memory that the process held (peak resident set size)" }),
          cache: count.meta({ description: "The most activations that were kept in memory" }),
          spilled: count.meta({ description: "The most activations that were kept on disk" }),
        })
        .meta({ description: "Bytes" }),
    }),
    preview: preview.nullable().meta({ description: "Null for a full run" }),
    layers: z.array(layerReport),
    skipped: z.array(skippedLayer),
    embeddings: z
      .array(z.strictObject({ name: z.string(), rows: count, columns: count, usedRows: count }))
      .exactOptional()
      .meta({ description: "Tables that are looked up by row, and how many of their rows the calibration data uses" }),
    warnings: z.array(z.string()),
    compressed: compression.nullable().meta({ description: "What compress wrote; null in a report of analyze" }),
  })
  .meta({
    title: "RankLens report",
    description: "Accuracies, errors, energies and ratios are fractions; null: not measured",
  });

/** The result of an analysis: plain data, JSON as it is. */
export type ModelReport = z.infer<typeof modelReportSchema>;
export type LayerReport = z.infer<typeof layerReport>;
export type LayerPart = z.infer<typeof layerPart>;
export type ReportSettings = z.infer<typeof settings>;
export type CompressionReport = z.infer<typeof compression>;
export type EvaluationEntry = z.infer<typeof evaluation>;
export type Outcome = LayerReport["outcome"];

/** JSON Schema (draft-07) of the report. */
export function reportJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(modelReportSchema, { target: "draft-7" }) };
}

/** Totals over `layers`; what some layer lacks is null. `modelParameters` counts the whole model. */
export function reportTotals(layers: readonly LayerReport[], modelParameters: number): ModelReport["totals"] {
  const parameters = sum(layers.map((layer) => layer.parameters.before)) ?? 0;
  const parametersAfter = sum(layers.map((layer) => layer.parameters.after));
  const macs = sum(layers.map((layer) => layer.macs.before));
  const macsAfter = sum(layers.map((layer) => layer.macs.after));
  const utilizations = sum(layers.map((layer) => layer.utilization));
  const original = sum(layers.map(({ weightRank, rows, columns }) => weightRank / Math.min(rows, columns))) ?? 0;
  return {
    layers: layers.length,
    originalMlu: layers.length === 0 ? 0 : original / layers.length,
    mlu: utilizations === null || layers.length === 0 ? null : utilizations / layers.length,
    parameters,
    parametersAfter,
    parametersRatio: quotient(parametersAfter, parameters),
    modelParameters,
    macs,
    macsAfter,
    macsRatio: quotient(macsAfter, macs),
  };
}

function sum(values: readonly (number | null)[]): number | null {
  let total = 0;
  for (const value of values) {
    if (value === null) return null;
    total += value;
  }
  return total;
}

function quotient(after: number | null, before: number | null): number | null {
  return after === null || before === null || before === 0 ? null : after / before;
}
