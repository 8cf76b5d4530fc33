import path from "node:path";
import { expect, it } from "vitest";
import { plainBases } from "../../bench/compare";
import { metricsOf } from "../../bench/dataFree";
import { openSubject } from "../../src/analysis/prepare";
import { weightMatrices } from "../../src/layers/weights";
import { factorizeLayer, layerWeightSpectrum } from "../../src/lowrank/layerBasis";
import { multiply, type Matrix } from "../../src/numerics/matrix";
import { readConstant } from "../../src/onnx/constants";

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
