import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { gramKey } from "../../src/layers/layer";
import { layerBasis } from "../../src/lowrank/layerBasis";
import { partSpectra } from "../../src/lowrank/packedParts";
import { halfSpectra, stabilityBand } from "../../src/lowrank/stability";
import { multiplyTransposed, transposeMultiply, type Matrix } from "../../src/numerics/matrix";
import { rankAtEnergy } from "../../src/numerics/spectrum";
import { readConstant } from "../../src/onnx/readConstant";
import { gramMatrices, MOST_HALVED_FEATURES } from "../../src/runtime/gramGraph";
import { batchesOf, openBytes, tensor, weight } from "../fixtures/data";
import { randomMatrix, singularValues } from "../fixtures/dataMatrices";
import { modelBytes, node, untyped, value } from "../fixtures/model";

/** Against float64 rows: the Gram matrices are float32 per batch. */
const FLOAT32 = 1e-5;

/** y = x·w, of `columns` features and `rows` outputs. */
function product(rows: number, columns: number) {
  const nodes = [node("MatMul", ["x", "w"], "y")];
  const initializers = [weight("w", [columns, rows], 3)];
  const opened = openBytes(modelBytes({ nodes, initializers, inputs: [value("x", ["n", columns])], outputs: [untyped("y")] })); // prettier-ignore
  const [layer] = findLayers(opened.index).layers;
  return { ...opened, layer, elements: readConstant(opened.model.wire, layer.weight) };
}

async function gramsOf({ model, layer }: ReturnType<typeof product>, samples: number, batch: number, fewRows = false) {
  const { columns } = layer.view;
  const x = tensor([samples, columns], 5);
  const options = { dimsOf: () => x.dims, rowsOf: () => (fewRows ? 0 : Infinity), signal: undefined, onBatch: () => undefined }; // prettier-ignore
  return { x, grams: (await gramMatrices(model, [layer], batchesOf(x, batch), options)).get(gramKey(layer))! };
}

/** σ² of the rows for which `chosen` says so, and of what W makes of them. */
function spectraOf(x: ArrayLike<number>, columns: number, w: Matrix, chosen: (row: number) => boolean) {
  const rows = Array.from({ length: x.length / columns }, (_, row) => row).filter(chosen);
  const data = Float64Array.from({ length: rows.length * columns }, (_, at) => x[rows[Math.floor(at / columns)] * columns + (at % columns)]); // prettier-ignore
  const half: Matrix = { rows: rows.length, columns, data };
  const squared = (matrix: Matrix, count: number): number[] => {
    const values = [...singularValues(matrix)].map((one) => one ** 2).sort((a, b) => b - a);
    return Array.from({ length: count }, (_, i) => values[i] ?? 0);
  };
  return { input: squared(half, columns), output: squared(multiplyTransposed(half, w), w.rows) };
}

function expectClose(found: Float64Array, expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, one] of expected.entries()) expect(Math.abs(found[i] - one)).toBeLessThan(FLOAT32 * expected[0]);
}

describe("the halves of the calibration data", () => {
  it.each([
    ["more outputs than features", 9, 6, false],
    ["fewer outputs", 4, 6, false],
    ["fewer rows than features", 5, 30, true],
  ])("have the spectra of every second batch, or row, alone: %s", async (_, rows, columns, fewRows) => {
    const layer = product(rows, columns);
    const batch = fewRows ? 4 : 5;
    const { x, grams } = await gramsOf(layer, 20, batch, fewRows);
    const halves = halfSpectra(layer.layer, layer.elements, grams)!;
    const [w] = layerBasis(layer.layer, layer.elements, grams).groups.map((group) => group.weight);
    // Rows are dealt out one by one, Gram matrices batch by batch.
    const isSecond = (row: number): boolean => (fewRows ? row : Math.floor(row / batch)) % 2 === 1;
    const expected = [true, false].map((second) => spectraOf(x.data as Float32Array, columns, w, (row) => isSecond(row) === second)); // prettier-ignore
    const found = fewRows ? [halves[1], halves[0]] : halves;
    for (const [at, half] of found.entries()) {
      expectClose(half.input, expected[at].input);
      expectClose(half.output, expected[at].output);
    }
  });

  it("are unknown of one batch, and of wide layers", async () => {
    const narrow = product(3, 4);
    expect(halfSpectra(narrow.layer, narrow.elements, (await gramsOf(narrow, 10, 10)).grams)).toBeNull();
    const wide = product(2, MOST_HALVED_FEATURES + 1);
    const { grams } = await gramsOf(wide, 4, 2);
    expect(grams[0].kind).toBe("gram");
    expect(grams[0].half).toBeUndefined();
  });

  it("give the ranks found where they are like the whole, and a band around them where they differ", () => {
    const spectrum = (...values: number[]) => Float64Array.from(values);
    const whole = { input: spectrum(8, 4, 2, 1), output: spectrum(6, 3, 1) };
    expect(stabilityBand(whole, [whole, whole], { kS: 3, kT: 2 })).toEqual({ kS: [3, 3], kT: [2, 2], utilizedRank: [2, 2] }); // prettier-ignore
    const flat = { input: spectrum(4, 4, 4, 3), output: spectrum(1, 1, 1) };
    const steep = { input: spectrum(15, 0, 0, 0), output: spectrum(10, 0, 0) };
    expect(stabilityBand(whole, [flat, steep], { kS: 3, kT: 2 })).toEqual({ kS: [1, 4], kT: [1, 3], utilizedRank: [1, 3] }); // prettier-ignore
  });
});

describe("the parts of a packed weight", () => {
  it("have the spectra of their rows alone", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (columns, size, seed) => {
        const w = randomMatrix(3 * size, columns, seed);
        const x = randomMatrix(12, columns, seed + 1);
        const layer = { view: { groups: 1, rows: 3 * size, columns, transposed: false, scale: 1 } };
        const elements = Float32Array.from(w.data);
        const gram = { kind: "gram" as const, matrix: transposeMultiply(x, x) };
        const [basis] = layerBasis(layer, elements, [gram]).groups;
        const { weight: own, output } = partSpectra(basis, { name: "K", start: size, end: 2 * size });
        const rows: Matrix = { rows: size, columns, data: basis.weight.data.slice(size * columns, 2 * size * columns) };
        const y = [...singularValues(multiplyTransposed(x, rows))].map((one) => one ** 2).sort((a, b) => b - a);
        expect(own).toHaveLength(Math.min(size, columns));
        for (let i = 0; i < size; i++) expect(Math.abs(output[i] - (y[i] ?? 0))).toBeLessThan(1e-9 * y[0]);
        expect(rankAtEnergy(output, 1)).toBeLessThanOrEqual(size);
      }),
      { seed: 9, numRuns: 60 },
    );
  });
});
