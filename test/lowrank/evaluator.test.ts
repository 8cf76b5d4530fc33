import { describe, expect, it } from "vitest";
import { cutIntoBatches } from "../../src/calibration/batches";
import { findLayers } from "../../src/layers";
import type { Layer } from "../../src/layers/layer";
import { Evaluator } from "../../src/lowrank/evaluator";
import { editedModelBytes } from "../../src/onnx/edit";
import type { Dimension } from "../../src/onnx/schema";
import { readConstant } from "../../src/onnx/readConstant";
import { createSession } from "../../src/runtime/session";
import { classes, openBytes, type Opened } from "../fixtures/data";
import { CLASSES, cnn, FEATURES, IMAGE, mlp } from "../fixtures/modelNetworks";
import { dataset, disturbed, evaluatorContext, SAMPLES } from "./evaluated";

const networks: [string, (batch: Dimension) => Uint8Array, readonly number[]][] = [
  ["a CNN with shortcuts, branches and a kernel used twice", cnn, IMAGE],
  ["an MLP with a shortcut", mlp, [FEATURES]],
];

/** Right answers of the whole model with a weight replaced, sample by sample (as many at once as it takes). */
async function correctOfWhole(
  { model }: Opened,
  sampleDims: readonly number[],
  fixed: number,
  layer: Layer,
  data: Float32Array,
): Promise<number> {
  const bytes = editedModelBytes(model, {
    addInitializers: [{ name: layer.weightName, dims: layer.weight.dims, data }],
  });
  const targets = classes(SAMPLES, CLASSES, 2);
  const samples = dataset(sampleDims);
  const session = await createSession(bytes, "whole model");
  let correct = 0;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const one = samples.batch(sample, 1).get("x")!.data as Float32Array;
    const repeated = new Float32Array(fixed * one.length);
    for (let row = 0; row < fixed; row++) repeated.set(one, row * one.length);
    const x = { type: "float32" as const, dims: [fixed, ...sampleDims], data: repeated };
    const scores = (await session.run(new Map([["x", x]]))).get("y")!.data as Float32Array;
    const own = [...scores.subarray(0, CLASSES)];
    if (own.indexOf(Math.max(...own)) === targets[sample]) correct++;
  }
  await session.release();
  return correct;
}

describe.each(networks)("in %s", (_, build, sampleDims) => {
  it.each([
    ["one batch", "n", 100],
    ["several batches and a smaller last one", "n", 10],
    ["single samples", "n", 1],
    ["a fixed batch size with a filled-up last batch", 8, 8],
    ["everything kept on disk", "n", 10, 0],
    ["part of it kept on disk", "n", 10, 500],
  ] as [string, Dimension, number, number?][])(
    "every layer's count is that of the whole model: %s",
    async (__, batch, size, cacheBytes = Infinity) => {
      const opened = openBytes(build(batch));
      const batches = cutIntoBatches(dataset(sampleDims), opened.model.graph.inputs, size);
      expect(batches.count).toBe(Math.ceil(SAMPLES / size));
      const evaluator = new Evaluator(evaluatorContext(opened, batches, { cacheBytes }));
      const counts = new Set<number>();
      const { layers } = findLayers(opened.index);
      for (const layer of layers) {
        const matters = await evaluator.start(layer);
        expect(matters).toBe(layer.name !== "side");
        if (!matters) continue;
        for (const seed of [1, 2]) {
          const data = disturbed(opened, layer, seed);
          const fixed = typeof batch === "number" ? batch : 1;
          const expected = await correctOfWhole(opened, sampleDims, fixed, layer, data);
          expect(await evaluator.result(data), layer.name).toBe(expected);
          counts.add(expected);
        }
      }
      const { memory, disk } = evaluator.cachePeak;
      expect(memory).toBeLessThanOrEqual(cacheBytes);
      expect(memory > 0).toBe(cacheBytes > 0);
      expect(disk > 0).toBe(cacheBytes < Infinity);
      await evaluator.close();
      expect(counts.size).toBeGreaterThan(2);
    },
  );

  it("layers may be started in any order, and again", async () => {
    const opened = openBytes(build("n"));
    const batches = cutIntoBatches(dataset(sampleDims), opened.model.graph.inputs, 16);
    const evaluator = new Evaluator(evaluatorContext(opened, batches));
    const layers = findLayers(opened.index).layers.filter(({ name }) => name !== "side");
    for (const layer of [...layers].reverse().concat(layers.slice(1, 3), layers.slice(0, 1))) {
      await evaluator.start(layer);
      const data = disturbed(opened, layer, 3);
      expect(await evaluator.result(data), layer.name).toBe(await correctOfWhole(opened, sampleDims, 1, layer, data));
    }
    await evaluator.close();
  });
});

describe("an evaluator", () => {
  const opened = openBytes(mlp());
  const batches = cutIntoBatches(dataset([FEATURES]), opened.model.graph.inputs, 10);
  const [first] = findLayers(opened.index).layers;

  it("refuses to count before a layer is started", async () => {
    await expect(new Evaluator(evaluatorContext(opened, batches)).result(new Float32Array(120))).rejects.toThrow(
      /start\(\)/,
    );
  });

  it("judges as a full count does, and stops before its end", async () => {
    const samples = { ...dataset([FEATURES]) };
    const small = cutIntoBatches(samples, opened.model.graph.inputs, 3);
    const weight = readConstant(opened.model.wire, first.weight);
    const work: number[] = [];
    const plain = new Evaluator(evaluatorContext(opened, small, { onWork: (done) => work.push(done) }));
    await plain.start(first);
    let stopped = 0;
    for (const seed of [1, 2, 3, 4]) {
      const data = seed === 1 ? weight : disturbed(opened, first, seed);
      const correct = await plain.result(data);
      for (let needed = 0; needed <= SAMPLES + 1; needed++) {
        work.length = 0;
        const tally = await plain.judge(data, needed);
        expect(tally.passed).toBe(correct >= needed);
        expect(tally.result === null || tally.result === correct).toBe(true);
        expect(work.length === small.count).toBe(tally.result !== null);
        if (tally.result === null) stopped++;
      }
    }
    expect(stopped).toBeGreaterThan(50);
    await plain.close();
  });

  it("tells its work, batch by batch, in forward equivalents", async () => {
    const work: number[] = [];
    const evaluator = new Evaluator(
      evaluatorContext(opened, batches, { macShare: () => 0.5, onWork: (done) => work.push(done) }),
    );
    await evaluator.start(first);
    await evaluator.result(readConstant(opened.model.wire, first.weight));
    expect(work).toEqual([5, 5, 5, 3.5]);
    await evaluator.close();
  });

  it("counts a NaN weight as wrong everywhere, and stops when it is aborted", async () => {
    const controller = new AbortController();
    const evaluator = new Evaluator(evaluatorContext(opened, batches, { signal: controller.signal }));
    await evaluator.start(first);
    const nan = new Float32Array(FEATURES * 10).fill(NaN);
    expect(await evaluator.result(nan)).toBe(0);
    controller.abort(new Error("stop"));
    await expect(evaluator.result(nan)).rejects.toThrow("stop");
    await evaluator.close();
  });
});
