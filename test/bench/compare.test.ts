import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import * as z from "zod";
import { plainBases, prepareComparison, truncated } from "../../bench/compare";
import { metricsOf } from "../../bench/dataFree";
import { openSubject } from "../../src/analysis/prepare";
import { weightMatrices } from "../../src/layers/weights";
import type { Decomposition } from "../../src/lowrank/decompose";
import { factorizeLayer, layerWeightSpectrum } from "../../src/lowrank/layerBasis";
import { multiply, type Matrix } from "../../src/numerics/matrix";
import { isDecomposable } from "../../src/numerics/utilizedRank";
import { readConstant } from "../../src/onnx/readConstant";
import { readReference } from "../reference/compare";
import { cifarConfig, missingReference, referenceFolder } from "../reference/data";

it("the plain decomposition is the truncated singular value decomposition of W", () => {
  const subject = openSubject(path.resolve("examples/shapes/model.onnx"));
  try {
    for (const [layer, basis] of plainBases(subject)) {
      const { rows, columns } = layer.view;
      const rank = Math.floor(Math.min(rows, columns) / 2);
      const weight = readConstant(subject.model.wire, layer.weight);
      const { a, b } = factorizeLayer(basis, columns, rank).factors;
      const product = multiply({ rows, columns: rank, data: a }, { rows: rank, columns, data: b });
      const [exact] = weightMatrices(layer.view, weight);
      const error = exact.data.reduce((sum, value, i) => sum + (value - product.data[i]) ** 2, 0);
      // Eckart and Young: no matrix of this rank is nearer than Σ σ² of what is cut off.
      const spectrum = layerWeightSpectrum(layer, weight);
      const rest = spectrum.subarray(rank).reduce((sum, value) => sum + value, 0);
      expect(Math.abs(error - rest) / spectrum[0]).toBeLessThan(1e-12);
    }
  } finally {
    subject.model.close();
  }
});

it("the data-free metrics are those of the eigenvalues of WᵀW", () => {
  // σ² = 16, 4, 2: a Gemm's matrix, and a Conv's whose two kernel positions hold one row each.
  const dense: Matrix = { rows: 3, columns: 3, data: Float64Array.of(4, 0, 0, 0, 2, 0, 0, 0, Math.SQRT2) };
  const alpha = 1 + 3 / (Math.log(8) + Math.log(2));
  const found = metricsOf([dense], 1);
  expect(found.stableRank).toBeCloseTo(22 / 16, 12);
  expect(found.logSpectralNorm).toBeCloseTo(Math.log10(16), 12);
  expect(found.alpha).toBeCloseTo(alpha, 12);
  expect(found.weightedAlpha).toBeCloseTo(alpha * Math.log10(16), 12);
  expect(found.logAlphaNorm).toBeCloseTo(Math.log10(16 ** alpha + 4 ** alpha + 2 ** alpha), 12);
  // Columns are input 0 at positions 0 and 1, then input 1: slices diag(4, 2) and diag(1, 3).
  const conv: Matrix = { rows: 2, columns: 4, data: Float64Array.of(4, 1, 0, 0, 0, 0, 2, 3) };
  expect(metricsOf([conv], 2).logSpectralNorm).toBeCloseTo(Math.log10(16), 12);
  expect(metricsOf([conv], 2).stableRank).toBeCloseTo(30 / 17, 12);
});

const missing = missingReference();
if (missing !== undefined) console.warn(`SKIPPED: ${missing}`);

/** The independent implementation's accuracies, with the layers that get smaller as two. */
const variants = z.object({
  paper: z.object({ acc_val_decomposed_only: z.number() }),
  plain_SVD_of_W_at_paper_r: z.object({ acc_val_decomposed_only: z.number() }),
  T_only_at_paper_r: z.object({ acc_val_decomposed_only: z.number() }),
});

/** Ten of 2,000 samples: its bases come from half of the calibration data, in float32. */
const MOST_DIFFERENCE = 0.005;

it.skipIf(missing !== undefined)(
  "the same ways at the reference's ranks reach the reference's accuracy",
  async () => {
    const expected = variants.parse(
      JSON.parse(readFileSync(path.join(referenceFolder, "results/resnet20_variants_eps0.5.json"), "utf8")),
    );
    const reference = readReference(path.join(referenceFolder, "results/resnet20_eps0.5.json"));
    const subject = openSubject(path.join(referenceFolder, "models/resnet20_bn.onnx"));
    try {
      const { bases, smaller } = await prepareComparison(subject, cifarConfig());
      const layers = subject.layers.flatMap((layer) => {
        const found = reference.layers.find(({ onnx_node }) => onnx_node === layer.uses[0].node.name)!;
        const rank = Math.min(found.k_S, found.k_T);
        return isDecomposable(rank, layer.view) ? [{ layer, rank, kS: found.k_S, kT: found.k_T }] : [];
      });
      expect(layers).toHaveLength(17);
      const near = async (decompositions: readonly Decomposition[], accuracy: number): Promise<void> => {
        const found = await smaller(decompositions);
        expect(Math.abs(found.accuracy - accuracy)).toBeLessThanOrEqual(MOST_DIFFERENCE);
      };
      const atRanks = (which: "data" | "plain"): Decomposition[] =>
        layers.map(({ layer, rank }) => truncated(bases[which], layer, rank));
      await near(atRanks("plain"), expected.plain_SVD_of_W_at_paper_r.acc_val_decomposed_only);
      await near(atRanks("data"), expected.T_only_at_paper_r.acc_val_decomposed_only);
      const paper = layers.map(({ layer, kS, kT }) => ({
        layer,
        factors: factorizeLayer(bases.data.get(layer)!, kS, kT).factors,
      }));
      await near(paper, expected.paper.acc_val_decomposed_only);
    } finally {
      subject.model.close();
    }
  },
  600_000,
);
