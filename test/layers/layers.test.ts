import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { gramKey, type Layer } from "../../src/layers/layer";
import { weightElements, weightMatrices } from "../../src/layers/weights";
import { decompositionEdit, projectionEdit } from "../../src/lowrank/decompose";
import { factorizeLayer, layerBasis } from "../../src/lowrank/layerBasis";
import { multiplyTransposed, transposeMultiply } from "../../src/numerics/matrix";
import { editedModelBytes } from "../../src/onnx/edit";
import { readConstant } from "../../src/onnx/readConstant";
import { gramMatrices } from "../../src/runtime/gramGraph";
import { batchesOf, openBytes, relativeDifference, runOutput, type Opened } from "../fixtures/data";
import { untyped } from "../fixtures/model";
import {
  convCases,
  convTransposeCases,
  fusedMatMulCases,
  gemmCases,
  matMulCases,
  type LayerCase,
} from "../fixtures/modelLayers";
import { batchedMatMulCases, einsumCases } from "../fixtures/modelProducts";

/** float32 sums of at most a hundred products, against float64. */
const FLOAT32 = 1e-6;
/** Two layers in the place of one: two roundings of the factors to float32, two sums. */
const DECOMPOSED = 1e-5;

const families: [string, fc.Arbitrary<LayerCase>, number][] = [
  ["MatMul", matMulCases, 60],
  ["FusedMatMul", fusedMatMulCases, 60],
  ["Gemm and FusedGemm", gemmCases, 80],
  ["MatMul of many matrices", batchedMatMulCases, 80],
  ["Einsum", einsumCases, 80],
  ["Conv and FusedConv", convCases, 90],
  ["ConvTranspose", convTransposeCases, 80],
];

function open({ bytes }: LayerCase): Opened & { layer: Layer; weight: Float32Array } {
  const opened = openBytes(bytes);
  const { layers, skipped } = findLayers(opened.index);
  expect(skipped).toEqual([]);
  expect(layers).toHaveLength(1);
  return { ...opened, layer: layers[0], weight: readConstant(opened.model.wire, layers[0].weight) };
}

/** C of each group, or X where `fewRows` says that it has fewer rows than features. */
async function gramsOf(test: LayerCase, { model, layer }: ReturnType<typeof open>, fewRows = false) {
  const rowsOf = (): number => (fewRows ? 0 : Infinity);
  const options = { dimsOf: () => test.x.dims, rowsOf, signal: undefined, onBatch: () => undefined };
  const grams = await gramMatrices(model, [layer], batchesOf(test.x, test.x.dims[0]), options);
  return grams.get(gramKey(layer))!;
}

describe.each(families)("%s", (_, cases, numRuns) => {
  const forAll = (property: (test: LayerCase) => Promise<void> | void): Promise<void> =>
    fc.assert(
      fc.asyncProperty(cases, async (test) => property(test)),
      { seed: 5, numRuns },
    );

  it("as a matrix equals rows of features, and their product with W is what onnxruntime computes", () =>
    forAll(async (test) => {
      const { model, layer, weight } = open(test);
      const { columns, groups } = layer.view;
      const { nodes, initializers } = layer.uses[0].features(layer.uses[0].input, "features", test.x.dims.length);
      const edit = { addNodes: nodes, addInitializers: initializers, outputs: [untyped("features")] };
      const found = await runOutput(editedModelBytes(model, edit), test.x, "features");
      const expected = test.features.flatMap((x) =>
        Array.from(
          { length: columns * test.rows },
          (_, at) => x[(at % test.rows) * columns + Math.floor(at / test.rows)],
        ),
      );
      expect(found).toHaveLength(groups * columns * test.rows);
      // Copies, so that not a bit may differ; 0 and −0 are the same.
      expect(found.every((value, at) => value === expected[at])).toBe(true);

      const products = weightMatrices(layer.view, weight).map(
        (w, group) => multiplyTransposed({ rows: test.rows, columns, data: test.features[group] }, w).data,
      );
      const output = await runOutput(test.bytes, test.x, "y");
      expect(relativeDifference(output, test.output(products))).toBeLessThan(FLOAT32);
    }));

  it("has the Gram matrices XᵀX of its features", () =>
    forAll(async (test) => {
      const opened = open(test);
      const { columns } = opened.layer.view;
      const grams = await gramsOf(test, opened);
      expect(grams).toHaveLength(test.features.length);
      for (const [group, data] of test.features.entries()) {
        const x = { rows: test.rows, columns, data };
        expect(relativeDifference(grams[group].matrix.data, transposeMultiply(x, x).data)).toBeLessThan(FLOAT32);
      }
    }));

  it("has its features as they are where they are fewer rows", () =>
    forAll(async (test) => {
      const opened = open(test);
      const { columns } = opened.layer.view;
      const matrices = test.features.map((data) => ({ rows: test.rows, columns, data }));
      const found = await gramsOf(test, opened, true);
      expect(found).toMatchObject(matrices.map(({ rows }) => ({ kind: "rows", matrix: { rows, columns } })));
      found.forEach(({ matrix }, group) =>
        expect(matrix.data.every((value, at) => value === matrices[group].data[at])).toBe(true),
      );
    }));

  it.each([false, true])(
    "computes the same with its weight replaced by W′ or by two factors, at full rank; few rows: %s",
    (fewRows) =>
      forAll(async (test) => {
        const { model, index, layer, weight } = open(test);
        const { rows, columns } = layer.view;
        const basis = layerBasis(layer, weight, await gramsOf(test, { model, index, layer, weight }, fewRows));
        const { factors } = factorizeLayer(basis, columns, rows);
        expect(factors.rank).toBe(Math.min(rows, columns));
        const original = await runOutput(test.bytes, test.x, "y");
        const decomposed = editedModelBytes(model, decompositionEdit({ model, index }, [{ layer, factors }]));
        expect(relativeDifference(await runOutput(decomposed, test.x, "y"), original)).toBeLessThan(DECOMPOSED);
        expect(openBytes(decomposed).index.constants.has("w")).toBe(false);

        const matrices = weightMatrices(layer.view, weight);
        const projected = editedModelBytes(model, projectionEdit(index, [{ layer, matrices }]));
        expect(await runOutput(projected, test.x, "y")).toEqual(original);
      }),
  );

  it("reads weights as matrices and writes them back bit by bit", () =>
    forAll((test) => {
      const { layer, weight } = open(test);
      expect(weightElements(layer.view, weightMatrices(layer.view, weight))).toEqual(weight);
    }));
});
