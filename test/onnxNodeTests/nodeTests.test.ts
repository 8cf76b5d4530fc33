import { afterAll, describe, expect, it } from "vitest";
import type { Batch, Batches } from "../../src/calibration/batches";
import { isExpected } from "../../src/errors";
import { findLayers } from "../../src/layers";
import { gramKey, type Layer } from "../../src/layers/layer";
import { weightMatrices } from "../../src/layers/weights";
import { decompositionEdit, projectionEdit } from "../../src/lowrank/decompose";
import { factorizeLayer, layerBasis } from "../../src/lowrank/layerBasis";
import { multiplyTransposed } from "../../src/numerics/matrix";
import { editedModelBytes, type GraphEdit } from "../../src/onnx/edit";
import { readConstant } from "../../src/onnx/readConstant";
import { gramMatrices } from "../../src/runtime/gramGraph";
import { probeShapes } from "../../src/runtime/probe";
import type { TensorValue } from "../../src/runtime/session";
import { relativeDifference, runModel } from "../fixtures/data";
import { FOLDER, nodeTests, type NodeTest } from "./cases";

/** onnxruntime against ONNX's reference in NumPy, both in float32. */
const REFERENCE = 1e-5;
/** Also through two factors. */
const DECOMPOSED = 2e-5;

/** What a layer type says that it does not analyse, and what onnxruntime does not run. */
const LIMITS = [
  /^not supported yet/,
  /^onnxruntime does not run it/,
  /^(MatMulInteger|QLinearMatMul): its weight is its first operand; only the second is analysed/,
  /^QLinearMatMul: its weight has shape \[2, 4, 3\]; a matrix is needed/,
  /^(LSTM|GRU|RNN): its layout is 1/,
  /^GRU: its recurrent weights see r ⊙ h as well as h/,
];

const tests = nodeTests();
if (tests.length === 0) console.warn(`NOT TESTED: ONNX's own tests of nodes, as there is no ${FOLDER} (Debian: libonnx-testdata).`); // prettier-ignore

describe.skipIf(tests.length === 0)("ONNX's own tests of nodes, with constant weights", () => {
  const checked = new Map<string, number>();
  const left = new Map<string, number>();
  const count = (counts: Map<string, number>, key: string): unknown => counts.set(key, (counts.get(key) ?? 0) + 1);

  it.each(tests.map((test) => [test.name, test] as const))("%s", async (_, test) => {
    const reasons = await check(test, (what) => count(checked, `${test.op}: ${what}`));
    for (const reason of reasons) {
      expect(LIMITS.some((limit) => limit.test(reason)), reason).toBe(true); // prettier-ignore
      count(left, reason.replaceAll(/"[^"]*"/g, "…"));
    }
  });

  it("go over every operator", () => {
    const operators = [...new Set(tests.map(({ op }) => op))].sort();
    expect(operators).toEqual(expect.arrayContaining(["Conv", "ConvTranspose", "Einsum", "GRU", "Gemm", "LSTM", "MatMul", "RNN"])); // prettier-ignore
  });

  afterAll(() => {
    const lines = (counts: Map<string, number>): string => [...counts].sort().map(([key, n]) => `  ${n} × ${key}\n`).join(""); // prettier-ignore
    console.info(`${tests.length} tests of ONNX's own\nChecked:\n${lines(checked)}Not analysed:\n${lines(left)}`);
  });
});

/** Checks all layers of a test; returns the reasons why weights of it are none. */
async function check(test: NodeTest, checked: (what: string) => void): Promise<string[]> {
  const { opened, expected, bytes } = test;
  const { layers, skipped } = findLayers(opened.index);
  const reasons = skipped.map(({ op, reason }) =>
    reason.includes("not supported yet") ? `not supported yet: ${op}` : `${op}: ${reason}`,
  );
  if (layers.length === 0) {
    expect(reasons).not.toEqual([]);
    return reasons;
  }
  try {
    await expectOutputs(bytes, test, REFERENCE);
  } catch (error) {
    if (!isExpected(error)) throw error;
    return [...reasons, `onnxruntime does not run it: ${test.op}`];
  }
  for (const layer of layers) {
    const { features, matrices, factors } = await measured(test, layer);
    await expectOutputs(edited(test, projectionEdit(opened.index, [{ layer, matrices }])), test, REFERENCE);
    checked("W′ in its place");
    if (layer.kept === null) {
      await expectOutputs(edited(test, decompositionEdit(opened, [{ layer, factors }])), test, DECOMPOSED);
      checked("two factors at full rank");
    }
    const [use] = layer.uses;
    const { groups, rows } = layer.view;
    const hasBias = use.node.inputs.length > 2;
    if (hasBias || use.counted.value !== use.output || use.counted.perRow !== groups * rows) continue;
    // Every entry of the output is one of Y: in which order, is the operator's own matter.
    const y = matrices.flatMap((matrix, group) => [...multiplyTransposed(features[group], matrix).data]);
    const output = [...numbers(expected.get(use.output)!)];
    expect(relativeDifference(ascending(y), ascending(output))).toBeLessThan(REFERENCE);
    checked("Y = X Wᵀ");
  }
  return reasons;
}

/** X of each group as rows, W, and its factors at full rank. */
async function measured(test: NodeTest, layer: Layer) {
  const { model, index } = test.opened;
  const values = test.feeds;
  const { dims } = await probeShapes(model, index, [layer], { rows: 1, values });
  const batch: Batch = { start: 0, samples: 1, rows: 1, values };
  const batches: Batches = { inputs: new Set(values.keys()), samples: 1, count: 1, size: 1, padded: false, batch: () => batch, attended: () => new Map(), smallest: () => batch }; // prettier-ignore
  const options = { dimsOf: (value: string) => dims.get(value)!, rowsOf: () => 0, signal: undefined, onBatch: () => undefined }; // prettier-ignore
  const grams = (await gramMatrices(model, [layer], batches, options)).get(gramKey(layer))!;
  const weight = readConstant(model.wire, layer.weight);
  const { rows, columns } = layer.view;
  const { factors } = factorizeLayer(layerBasis(layer, weight, grams), columns, rows);
  return { features: grams.map(({ matrix }) => matrix), matrices: weightMatrices(layer.view, weight), factors };
}

function edited({ opened }: NodeTest, edit: GraphEdit): Uint8Array {
  return editedModelBytes(opened.model, edit);
}

async function expectOutputs(bytes: Uint8Array, { feeds, expected }: NodeTest, tolerance: number): Promise<void> {
  const found = await runModel(bytes, Object.fromEntries(feeds));
  for (const [name, value] of expected) {
    expect(found.get(name)?.dims).toEqual(value.dims);
    expect(relativeDifference(numbers(found.get(name)!), numbers(value))).toBeLessThan(tolerance);
  }
}

function numbers({ data }: TensorValue): Float64Array {
  return Float64Array.from(data, Number);
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
