import { beforeAll, describe, expect, it } from "vitest";
import { findLayers } from "../../src/layers";
import { gramKey, type Layer } from "../../src/layers/layer";
import { multiplyTransposed, transposeMultiply } from "../../src/numerics/matrix";
import { gramMatrices, type GramMatrices } from "../../src/runtime/gramGraph";
import { positionsPerSample, probeShapes, type Probe } from "../../src/runtime/probe";
import type { Batches } from "../../src/calibration/batches";
import { batchesOf, openBytes, relativeDifference, tensor, weight } from "../fixtures/data";
import { featureGrams } from "../fixtures/dataGrams";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { CLASSES, cnn, FEATURES, IMAGE, mlp } from "../fixtures/modelNetworks";

const FLOAT32 = 1e-6;

describe.each([
  ["a CNN", cnn(), tensor([37, ...IMAGE], 1)],
  ["an MLP", mlp(), tensor([37, FEATURES], 2)],
])("Gram matrices of all layers of %s at once", (_, bytes, x) => {
  const { model, index } = openBytes(bytes);
  const { layers } = findLayers(index);
  let probe: Probe;
  beforeAll(async () => {
    const first = batchesOf(x, 1).smallest();
    probe = await probeShapes(model, index, layers, first);
  });
  const grams = (of: readonly Layer[], batches: Batches): Promise<Map<string, GramMatrices>> =>
    gramMatrices(model, of, batches, {
      dimsOf: (name) => probe.dims.get(name)!,
      rowsOf: () => Infinity,
      signal: undefined,
      onBatch: () => undefined,
    });

  it.each([37, 10, 1])("equal XᵀX, in batches of %i", async (size) => {
    const found = await grams(layers, batchesOf(x, size));
    expect(found.size).toBe(new Set(layers.map(gramKey)).size);
    for (const layer of layers) {
      const sums = await featureGrams(model, layer, x, (name) => probe.dims.get(name)!.length);
      const gram = found.get(gramKey(layer))!;
      expect(gram).toHaveLength(sums.length);
      sums.forEach(({ data }, group) =>
        expect(relativeDifference(gram[group].matrix.data, data), layer.name).toBeLessThan(FLOAT32),
      );
    }
  });

  it("are the same, bit by bit, when computed again or for one layer alone", async () => {
    const all = await grams(layers, batchesOf(x, 10));
    expect(await grams(layers, batchesOf(x, 10))).toEqual(all);
    for (const layer of layers) {
      expect((await grams([layer], batchesOf(x, 10))).get(gramKey(layer))).toEqual(all.get(gramKey(layer)));
    }
  });

  it("leave out batches that are filled up with copies", async () => {
    const whole = batchesOf(x, 10);
    const filled: Batches = {
      ...whole,
      padded: true,
      batch: (at) => (at === 3 ? { ...whole.batch(0), start: 30, samples: 7 } : whole.batch(at)),
    };
    const width = x.data.length / 37;
    const leading = { ...x, dims: [30, ...x.dims.slice(1)], data: x.data.slice(0, 30 * width) };
    expect(await grams(layers, filled)).toEqual(await grams(layers, batchesOf(leading, 10)));
  });

  it("stop when they are aborted", async () => {
    const reason = new Error("stop");
    const signal = AbortSignal.abort(reason);
    const dimsOf = (name: string): readonly number[] => probe.dims.get(name)!;
    const options = { dimsOf, rowsOf: () => Infinity, signal, onBatch: () => undefined };
    await expect(gramMatrices(model, layers, batchesOf(x, 10), options)).rejects.toBe(reason);
  });
});

it("one value that layers read in two ways has two Gram matrices", async () => {
  const bytes = modelBytes({
    nodes: [node("Gemm", ["x", "rows"], "y"), node("Gemm", ["x", "columns"], "z", { transA: 1 })],
    initializers: [weight("rows", [6, 2], 1), weight("columns", [6, 3], 2)],
    inputs: [value("x", [6, 6])],
    outputs: [untyped("y"), untyped("z")],
  });
  const { model, index } = openBytes(bytes);
  const { layers } = findLayers(index);
  const x = tensor([6, 6], 3);
  const options = { dimsOf: () => [1, 1], rowsOf: () => Infinity, signal: undefined, onBatch: () => undefined };
  const found = await gramMatrices(model, layers, batchesOf(x, 6), options);
  const matrix = { rows: 6, columns: 6, data: Float64Array.from(x.data as Float32Array) };
  const expected = [transposeMultiply(matrix, matrix), multiplyTransposed(matrix, matrix)];
  layers.forEach((layer, i) =>
    expect(relativeDifference(found.get(gramKey(layer))![0].matrix.data, expected[i].data)).toBeLessThan(FLOAT32),
  );
});

it.each([512, 513])(
  "a wide layer has the whole matrix, of which half is computed where it divides: %i features",
  async (d) => {
    const bytes = modelBytes({
      nodes: [node("MatMul", ["x", "w"], "y")],
      initializers: [weight("w", [d, 2], 1)],
      inputs: [value("x", ["n", d])],
      outputs: [untyped("y")],
    });
    const { model, index } = openBytes(bytes);
    const { layers } = findLayers(index);
    const x = tensor([11, d], 4);
    const options = { dimsOf: () => x.dims, rowsOf: () => Infinity, signal: undefined, onBatch: () => undefined };
    const [{ matrix }] = (await gramMatrices(model, layers, batchesOf(x, 4), options)).get(gramKey(layers[0]))!;
    const rows = { rows: 11, columns: d, data: Float64Array.from(x.data as Float32Array) };
    expect(relativeDifference(matrix.data, transposeMultiply(rows, rows).data)).toBeLessThan(FLOAT32);
  },
);

describe("one probing run", () => {
  it("tells shapes, outputs and the places where each weight is applied", async () => {
    const { model, index } = openBytes(cnn());
    const { layers } = findLayers(index);
    for (const rows of [1, 4]) {
      const probe = await probeShapes(model, index, layers, batchesOf(tensor([rows, ...IMAGE], 3), rows).batch(0));
      expect(probe.rows).toBe(rows);
      expect(probe.dims.get("x")).toEqual([rows, ...IMAGE]);
      expect(probe.dims.get("s")).toEqual([rows, 6, 8, 8]);
      expect([...probe.outputs.keys()]).toEqual(["y", "side_out"]);
      expect(probe.outputs.get("y")!.dims).toEqual([rows, CLASSES]);
      const positions = Object.fromEntries(layers.map((layer) => [layer.name, positionsPerSample(probe, layer)]));
      expect(positions).toEqual({ stem: 64, res1: 64, res2: 64, left: 16, right: 16, twice: 32, side: 64, head: 1 });
    }
  });
});
