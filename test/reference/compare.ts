import { readFileSync } from "node:fs";
import * as z from "zod";
import type { LayerReport, ModelReport } from "../../src/report";

/** What the independent implementation wrote, as far as it is compared. */
const traceEntry = z.tuple([z.number(), z.number().nullable(), z.boolean()]);
const referenceSchema = z.object({
  totals: z.object({
    eps: z.number(),
    slack_samples: z.number(),
    orig_correct: z.number(),
    n_val: z.number(),
    mlu_orig: z.number(),
    mlu: z.number(),
    params_ratio: z.number(),
    flops_ratio: z.number(),
    acc_projected_all: z.number(),
    acc_decomposed_only: z.number(),
  }),
  layers: z.array(
    z.object({
      onnx_node: z.string(),
      m: z.number(),
      d: z.number(),
      positions: z.number(),
      weight_rank: z.number(),
      stable_rank: z.number(),
      k_S: z.number(),
      k_T: z.number(),
      e_S: z.number(),
      e_T: z.number(),
      relative_error: z.number(),
      bound_ratio: z.number(),
      trace: z.object({ S: z.array(traceEntry), T: z.array(traceEntry) }),
    }),
  ),
});

export type Reference = z.infer<typeof referenceSchema>;
type ReferenceLayer = Reference["layers"][number];

export function readReference(file: string): Reference {
  return referenceSchema.parse(JSON.parse(readFileSync(file, "utf8")));
}

/** Right answers of the same evaluation may differ by this much: float32 sums in another order. */
const MOST_DIFFERENCE = 2;
const ENERGY_TOLERANCE = 1e-6;
const ERROR_TOLERANCE = 1e-4;

export interface Comparison {
  /** Each would be a fault. */
  readonly disagreements: string[];
  /** Numbers compared, so that an empty comparison does not pass for a good one. */
  compared: number;
  /** Layers whose k_S and k_T both agree. */
  sameRanks: number;
}

/**
 * Compares a report with the reference by the rule that comes with the reference data: counts at every common k, the
 * first differing verdict only near the threshold, energies and errors where the ranks agree.
 */
export function compareReports(report: ModelReport, reference: Reference): Comparison {
  const comparison: Comparison = { disagreements: [], compared: 0, sameRanks: 0 };
  const threshold = reference.totals.orig_correct - reference.totals.slack_samples;
  if (report.layers.length !== reference.layers.length) {
    comparison.disagreements.push(`${report.layers.length} layers, not ${reference.layers.length}`);
  }
  for (const expected of reference.layers) {
    const layer = report.layers.find(({ node }) => node === expected.onnx_node);
    if (!layer) comparison.disagreements.push(`no layer ${expected.onnx_node}`);
    else compareLayer(layer, expected, threshold, comparison);
  }
  return comparison;
}

function compareLayer(layer: LayerReport, expected: ReferenceLayer, threshold: number, comparison: Comparison): void {
  const complain = (what: string): void => {
    comparison.disagreements.push(`${layer.name}: ${what}`);
  };
  const near = (what: string, found: number | null, wanted: number, tolerance: number): void => {
    comparison.compared++;
    if (found === null || Math.abs(found - wanted) > tolerance) complain(`${what} ${found}, not ${wanted}`);
  };
  near("rows", layer.rows, expected.m, 0);
  near("columns", layer.columns, expected.d, 0);
  near("weight rank", layer.weightRank, expected.weight_rank, 0);
  near("stable rank", layer.stableRank, expected.stable_rank, 1e-6 * expected.stable_rank);
  const agreesS = compareTraces("S", layer.search?.S ?? [], expected.trace.S, threshold, complain, comparison);
  if (!agreesS || layer.kS !== expected.k_S) return;
  compareTraces("T", layer.search?.T ?? [], expected.trace.T, threshold, complain, comparison);
  if (layer.kT !== expected.k_T) return;
  comparison.sameRanks++;
  near("input energy", layer.inputEnergy, expected.e_S, ENERGY_TOLERANCE);
  near("output energy", layer.outputEnergy, expected.e_T, ENERGY_TOLERANCE);
  near("output error", layer.outputError, expected.relative_error, ERROR_TOLERANCE * expected.relative_error);
  near("error bound", layer.errorBound, expected.bound_ratio, ERROR_TOLERANCE * expected.bound_ratio);
}

/** Returns whether no verdict differed. */
function compareTraces(
  which: string,
  found: NonNullable<LayerReport["search"]>["S"],
  expected: ReferenceLayer["trace"]["S"],
  threshold: number,
  complain: (what: string) => void,
  comparison: Comparison,
): boolean {
  for (let i = 0; i < Math.max(found.length, expected.length); i++) {
    const [a, b] = [found[i], expected[i]];
    if (!a || !b || a[0] !== b[0]) {
      complain(`${which}[${i}] evaluates ${a?.[0]}, the reference ${b?.[0]}, after equal verdicts`);
      return false;
    }
    comparison.compared++;
    if (a[1] !== null && b[1] !== null && Math.abs(a[1] - b[1]) > MOST_DIFFERENCE) {
      complain(`${which} at k = ${a[0]}: ${a[1]} right, the reference ${b[1]}`);
    }
    if (a[2] === b[2]) continue;
    // Where the reference stopped early it does not say how near it was: then its verdict was certain.
    if (b[1] === null || Math.abs(b[1] - threshold) > MOST_DIFFERENCE) {
      complain(
        `${which} at k = ${a[0]}: ${a[2] ? "passed" : "failed"}, the reference ${b[1]} at a threshold of ${threshold}`,
      );
    }
    return false;
  }
  return true;
}
