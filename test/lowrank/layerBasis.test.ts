import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { weightMatrices } from "../../src/layers/weights";
import {
  factorizeLayer,
  layerBasis,
  layerErrors,
  layerWeightSpectrum,
  projectLayer,
} from "../../src/lowrank/layerBasis";
import { inputErrors, outputErrors } from "../../src/lowrank/outputErrors";
import type { Matrix } from "../../src/numerics/matrix";
import { readConstant } from "../../src/onnx/readConstant";
import type { GramMatrix } from "../../src/runtime/gramGraph";
import { openBytes, relativeDifference } from "../fixtures/data";
import { flipped, plus, product, singularValues, squared } from "../fixtures/dataMatrices";
import { convCases, type LayerCase } from "../fixtures/modelLayers";

const ROUNDING = 1e-10;

/** Layers of one or several groups, with the data of each group as a matrix. */
function open({ bytes, features, rows }: LayerCase) {
  const { model, index } = openBytes(bytes);
  const [layer] = findLayers(index).layers;
  const weight = readConstant(model.wire, layer.weight);
  const data = features.map((values): Matrix => ({ rows, columns: layer.view.columns, data: values }));
  const grams = data.map((x): GramMatrix => ({ kind: "gram", matrix: product(flipped(x), x) }));
  return { layer, weight, data, matrices: weightMatrices(layer.view, weight), basis: layerBasis(layer, weight, grams) };
}

function forAll(property: (opened: ReturnType<typeof open>, kS: number, kT: number) => void): void {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(convCases, share, share, (test, shareS, shareT) => {
      const opened = open(test);
      const { rows, columns } = opened.layer.view;
      property(opened, 1 + Math.round(shareS * (columns - 1)), 1 + Math.round(shareT * (rows - 1)));
    }),
    { seed: 41, numRuns: 80 },
  );
}

const total = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0);

describe("a layer of several groups", () => {
  it("has the sum of its groups' spectra", () =>
    forAll(({ layer, weight, data, matrices, basis }) => {
      const squares = (parts: readonly Matrix[], length: number): Float64Array =>
        Float64Array.from({ length }, (_, i) => total(parts.map((part) => (singularValues(part).at(i) ?? 0) ** 2)));
      const outputs = data.map((x, group) => product(x, flipped(matrices[group])));
      expect(relativeDifference(basis.inputSpectrum, squares(data, layer.view.columns))).toBeLessThan(ROUNDING);
      expect(relativeDifference(basis.outputSpectrum, squares(outputs, layer.view.rows))).toBeLessThan(ROUNDING);
      const smaller = Math.min(layer.view.rows, layer.view.columns);
      expect(relativeDifference(layerWeightSpectrum(layer, weight), squares(matrices, smaller))).toBeLessThan(ROUNDING);
    }));

  it("has the output errors of all ranks in closed form", () =>
    forAll(({ layer, basis }, kS, kT) => {
      const { rows } = layer.view;
      const direct = (s: number, t: number): number => layerErrors(basis, projectLayer(basis, s, t), s, t).outputError;
      expect(inputErrors(basis)(kS)).toBeCloseTo(direct(kS, rows), 9);
      expect(outputErrors(basis, kS)(kT)).toBeCloseTo(direct(kS, kT), 9);
      expect(outputErrors(basis, kS)(rows)).toBeCloseTo(inputErrors(basis)(kS), 9);
    }));

  it("has the output error that is measured over all groups together, below its bound", () =>
    forAll(({ data, matrices, basis }, kS, kT) => {
      const projected = projectLayer(basis, kS, kT);
      const output = total(data.map((x, group) => squared(product(x, flipped(matrices[group])))));
      const error = total(
        data.map((x, group) => squared(product(x, flipped(plus(matrices[group], -1, projected[group]))))),
      );
      const found = layerErrors(basis, projected, kS, kT);
      // Kernels that see nothing but padding have no output at all.
      expect(Math.abs(found.outputError - (output === 0 ? 0 : error / output))).toBeLessThan(ROUNDING);
      expect(found.outputError).toBeLessThanOrEqual(found.errorBound + ROUNDING);
    }));

  it("has the factors of every group's W′, one after the other", () =>
    forAll(({ layer, basis }, kS, kT) => {
      const { rows, columns } = layer.view;
      const projected = projectLayer(basis, kS, kT);
      const { factors, projectedSpectrum } = factorizeLayer(basis, kS, kT);
      const { rank, a, b } = factors;
      expect(rank).toBe(Math.min(kS, kT));
      expect([a.length, b.length]).toEqual([projected.length * rows * rank, projected.length * rank * columns]);
      projected.forEach((expected, group) => {
        const own = (data: Float64Array, height: number, width: number): Matrix => ({
          rows: height,
          columns: width,
          data: data.slice(group * height * width, (group + 1) * height * width),
        });
        const rebuilt = product(own(a, rows, rank), own(b, rank, columns));
        expect(squared(plus(rebuilt, -1, expected))).toBeLessThanOrEqual(ROUNDING ** 2 * squared(expected));
      });
      const energy = total(projected.map(squared));
      expect(Math.abs(total([...projectedSpectrum]) - energy)).toBeLessThanOrEqual(ROUNDING * energy);
    }));

  it("of zeros only has no error", () => {
    const [test] = fc.sample(convCases, { seed: 1, numRuns: 1 });
    const { layer, weight, data } = open(test);
    const grams = data.map(({ columns }): GramMatrix => ({
      kind: "gram",
      matrix: { rows: columns, columns, data: new Float64Array(columns ** 2) },
    }));
    const basis = layerBasis(layer, weight, grams);
    expect(layerErrors(basis, projectLayer(basis, 1, 1), 1, 1)).toEqual({ outputError: 0, errorBound: 0 });
  });
});
