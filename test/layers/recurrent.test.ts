import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { gramKey } from "../../src/layers/layer";
import { weightMatrices } from "../../src/layers/weights";
import { decompositionEdit, projectionEdit } from "../../src/lowrank/decompose";
import { factorizeLayer, layerBasis } from "../../src/lowrank/layerBasis";
import { transposeMultiply, type Matrix } from "../../src/numerics/matrix";
import type { NewAttribute } from "../../src/onnx/encode";
import { editedModelBytes } from "../../src/onnx/edit";
import { readConstant } from "../../src/onnx/readConstant";
import { ELEMENT_TYPES } from "../../src/onnx/schema";
import { gramMatrices, type GramMatrices } from "../../src/runtime/gramGraph";
import { batchesOf, floats, openBytes, relativeDifference, runOutput, tensor, weight } from "../fixtures/data";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { recurrentCases, type RecurrentCase } from "../fixtures/modelRecurrent";

/** Some steps of float32 sums and of onnxruntime's approximate activations, against float64. */
const RUN = 2e-5;
/** Also through the factors. */
const DECOMPOSED = 5e-5;
/** Sums of squares of numbers that have 11 bits each. */
const HALF = 2e-3;

function open(test: RecurrentCase) {
  const opened = openBytes(test.bytes);
  const { layers, skipped } = findLayers(opened.index);
  expect(skipped).toEqual([]);
  expect(layers.map(({ name }) => name)).toEqual(["w", "r"]);
  const [input, recurrent] = layers;
  const matrices = layers.map(({ view, weight }) => weightMatrices(view, readConstant(opened.model.wire, weight)));
  return { ...opened, layers, input, recurrent, matrices };
}

async function gramsOf(test: RecurrentCase, { model, layers }: ReturnType<typeof open>, fewRows: boolean) {
  const rowsOf = (): number => (fewRows ? 0 : Infinity);
  const options = { dimsOf: () => [1, 1, 1, 1], rowsOf, signal: undefined, onBatch: () => undefined };
  const grams = await gramMatrices(model, layers, batchesOf(test.x, test.steps), options);
  return layers.map((layer) => grams.get(gramKey(layer))!);
}

const gramOf = (x: Matrix): Float64Array => transposeMultiply(x, x).data;
const grams = (found: GramMatrices): Float64Array[] =>
  found.map(({ kind, matrix }) => (kind === "gram" ? matrix.data : gramOf(matrix)));

const forAll = (property: (test: RecurrentCase) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(recurrentCases, property), { seed: 5, numRuns: 100 });

it("W and R as matrices, times X and the states that steps begin with, make what onnxruntime computes", () =>
  forAll(async (test) => {
    const { matrices } = open(test);
    const { output } = test.run(matrices[0][0], matrices[1]);
    expect(relativeDifference(await runOutput(test.bytes, test.x, test.output), output)).toBeLessThan(RUN);
  }));

it.each([false, true])("has the Gram matrices of X and of the states that steps begin with; few rows: %s", (fewRows) =>
  forAll(async (test) => {
    const opened = open(test);
    const { inputs, statesBefore } = test.run(opened.matrices[0][0], opened.matrices[1]);
    const rows = test.steps * test.batch;
    const [ofX, ofStates] = await gramsOf(test, opened, fewRows);
    const x = { rows, columns: opened.input.view.columns, data: inputs };
    expect(relativeDifference(grams(ofX)[0], gramOf(x))).toBeLessThan(RUN);
    const found = grams(ofStates);
    expect(found).toHaveLength(test.directions);
    for (const [direction, data] of statesBefore.entries()) {
      const expected = gramOf({ rows, columns: test.h, data });
      if (expected.every((entry) => entry === 0)) expect(found[direction].every((entry) => entry === 0)).toBe(true);
      else expect(relativeDifference(found[direction], expected)).toBeLessThan(RUN);
    }
    if (!fewRows) return;
    expect(ofX[0].matrix.data.every((entry, at) => entry === inputs[at])).toBe(true);
    expect(ofStates.map(({ matrix }) => matrix.rows)).toEqual(statesBefore.map(() => rows));
  }),
);

it("computes the same with W in two factors at full rank", () =>
  forAll(async (test) => {
    const opened = open(test);
    const { input, model } = opened;
    const [ofX] = await gramsOf(test, opened, false);
    const basis = layerBasis(input, readConstant(model.wire, input.weight), ofX);
    const { factors } = factorizeLayer(basis, input.view.columns, input.view.rows);
    const decomposed = editedModelBytes(model, decompositionEdit(opened, [{ layer: input, factors }]));
    const found = await runOutput(decomposed, test.x, test.output);
    expect(relativeDifference(found, await runOutput(test.bytes, test.x, test.output))).toBeLessThan(DECOMPOSED);
    expect(openBytes(decomposed).index.constants.has("w")).toBe(false);
  }));

it("takes other weights in the place of W, of R, and of both at once", () =>
  forAll(async (test) => {
    const { model, index, layers, matrices } = open(test);
    const others = matrices.map((ofLayer, at) =>
      ofLayer.map((matrix) => ({ ...matrix, data: matrix.data.map((entry, i) => (entry * (i % 3)) / (at + 2)) })),
    );
    for (const replaced of [[0], [1], [0, 1]]) {
      const edit = projectionEdit(
        index,
        replaced.map((at) => ({ layer: layers[at], matrices: others[at] })),
      );
      const found = await runOutput(editedModelBytes(model, edit), test.x, test.output);
      const [w, r] = matrices.map((own, at) => (replaced.includes(at) ? others[at] : own));
      expect(relativeDifference(found, test.run(w[0], r).output)).toBeLessThan(RUN);
    }
  }));

it("has the same Gram matrices where its values are float16, but for their rounding", async () => {
  const [steps, batch, inputs, h] = [4, 3, 5, 2];
  const weights = [weight("w", [2, 4 * h, inputs], 1), weight("r", [2, 4 * h, h], 2), weight("h0", [2, batch, h], 3)];
  const lengths = { name: "lengths", dims: [batch], data: Int32Array.of(4, 2, 3) };
  const x = tensor([steps, batch, inputs], 4);
  const attributes = { hidden_size: h, direction: "bidirectional" };
  const found = await Promise.all(
    (["float32", "float16"] as const).map(async (elementType) => {
      const bytes = modelBytes({
        nodes: [
          node("Cast", ["x"], "own", { to: ELEMENT_TYPES[elementType] }),
          node("LSTM", ["own", "w", "r", "", "lengths", "h0"], "states", attributes),
          node("Cast", ["states"], "y", { to: ELEMENT_TYPES.float32 }),
        ],
        initializers: [...weights.map((it) => ({ ...it, elementType })), lengths],
        inputs: [value("x", [null, null, null])],
        outputs: [untyped("y")],
      });
      const { model, index } = openBytes(bytes);
      const { layers } = findLayers(index);
      const rowsOf = (): number => Infinity;
      const options = { dimsOf: () => [1, 1, 1, 1], rowsOf, signal: undefined, onBatch: () => undefined };
      const ofAll = await gramMatrices(model, layers, batchesOf(x, steps), options);
      return layers.flatMap((layer) => grams(ofAll.get(gramKey(layer))!));
    }),
  );
  expect(found[0]).toHaveLength(3);
  found[0].forEach((gram, at) => expect(relativeDifference(found[1][at], gram)).toBeLessThan(HALF));
});

it("keeps recurrent weights in one piece, with the reason", () => {
  const [test] = fc.sample(recurrentCases, { seed: 5, numRuns: 1 });
  const { input, recurrent } = open(test);
  expect(input.kept).toBeNull();
  expect(recurrent.kept).toMatch(/^recurrent weights are analysed only: /);
});

describe("what is not analysed", () => {
  const ofNode = (opType: string, attributes: Record<string, NewAttribute>, r = [1, gates(opType) * 4, 4]) =>
    openBytes(
      modelBytes({
        nodes: [node(opType, ["x", "w", "r"], "y", { hidden_size: 4, ...attributes })],
        initializers: [weight("w", [1, gates(opType) * 4, 3], 1), weight("r", r, 2)],
        inputs: [value("x", [5, 2, 3])],
        outputs: [untyped("y")],
      }),
    );
  const gates = (opType: string): number => ({ LSTM: 4, GRU: 3 })[opType] ?? 1;
  const found = (...asked: Parameters<typeof ofNode>) => {
    const { layers, skipped } = findLayers(ofNode(...asked).index);
    return { layers: layers.map(({ name }) => name), reasons: skipped.map(({ reason }) => reason) };
  };

  it("the recurrent weights of a GRU whose reset gate comes first", () => {
    const reasons = [expect.stringMatching(/^its recurrent weights see r ⊙ h as well as h/)];
    expect(found("GRU", {})).toEqual({ layers: ["w"], reasons });
  });

  it("weights whose shapes do not fit the node", () => {
    expect(found("LSTM", { direction: "bidirectional" })).toEqual({
      layers: [],
      reasons: ['its weight has shape [1, 16, 3], and its direction is "bidirectional"'],
    });
    expect(found("RNN", {}, [1, 4, 5])).toEqual({
      layers: ["w"],
      reasons: ["its recurrent weights have shape [1, 4, 5], not [1, 4, 4]"],
    });
  });

  it("sequences with the batch first, as long as onnxruntime does not run them", async () => {
    const { layers, reasons } = found("LSTM", { layout: 1 });
    expect(layers).toEqual([]);
    expect(reasons).toEqual(["its layout is 1, batch first, which onnxruntime does not run"]);
    const { model } = ofNode("LSTM", { layout: 1 });
    const run = runOutput(editedModelBytes(model, {}), { type: "float32", dims: [5, 2, 3], data: floats(30, 1) }, "y");
    await expect(run).rejects.toThrow(/layout/);
  });
});
