import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { LayerSolver, LEAST_FEATURES, type LayerSolverOptions } from "../../../src/analysis/solving/layerSolver";
import { solve, type SolveInput } from "../../../src/analysis/solving/solve";
import type { Layer } from "../../../src/layers/layer";
import { symmetricEigen } from "../../../src/numerics/eigen";
import { multiplyTransposed, type Matrix } from "../../../src/numerics/matrix";
import { builtFile, newLab, type Lab } from "../../cli/lab";

const ROWS = 8;

/** Layers of these many inputs; all but their views and names are left out, which the solver does not look at. */
function layersOf(...columns: number[]): Layer[] {
  const view = { groups: 1, rows: ROWS, transposed: false, scale: 1 };
  return columns.map((each, i) => ({ name: `layer ${i}`, view: { ...view, columns: each } }) as unknown as Layer);
}

function inputOf({ view }: Layer, energy: number | null = null): SolveInput {
  const { rows, columns } = view;
  const weight = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i));
  const x: Matrix = { rows: columns, columns: 4, data: Float64Array.from({ length: 4 * columns }, (_, i) => Math.cos(3 * i)) }; // prettier-ignore
  return { layer: { view, parts: [] }, weight, grams: [{ kind: "gram", matrix: multiplyTransposed(x, x) }], energy };
}

let lab: Lab | undefined;
let solver: LayerSolver | undefined;
afterEach(async () => {
  await solver?.close();
  lab?.remove();
  [solver, lab] = [undefined, undefined];
});

interface Made {
  readonly solver: LayerSolver;
  /** Names of the layers that were read, in order. */
  readonly read: string[];
}

function make(layers: readonly Layer[], options: Partial<LayerSolverOptions> = {}, energy: number | null = null): Made {
  const read: string[] = [];
  solver = new LayerSolver(
    layers,
    (layer) => {
      read.push(layer.name);
      return inputOf(layer, energy);
    },
    { budget: 1e9, eigen: symmetricEigen, threads: { cache: null }, signal: undefined, file: builtFile("solveThread.js"), cores: 2, ...options }, // prettier-ignore
  );
  return { solver, read };
}

const LARGE = LEAST_FEATURES;

describe("layers that are solved in threads", () => {
  it.each([null, 0.9])("have the numbers that one thread finds, bit by bit (energy %s)", async (energy) => {
    const layers = layersOf(LARGE, 20, LARGE + 3, LARGE, 10);
    const { solver } = make(layers, {}, energy);
    for (const layer of layers) expect(await solver.of(layer)).toEqual(solve(inputOf(layer, energy), symmetricEigen));
  });

  it("are begun while a large one before them is awaited, as many as there are threads", async () => {
    const layers = layersOf(20, LARGE, LARGE, LARGE);
    const { solver, read } = make(layers);
    await solver.of(layers[0]);
    expect(read).toEqual(["layer 0"]);
    const first = solver.of(layers[1]);
    expect(read).toEqual(["layer 0", "layer 1", "layer 2"]);
    await first;
    const before = [...read];
    await new Promise((resolve) => setTimeout(resolve, 50));
    // Between two layers nothing is begun: the processor is the search's.
    expect(read).toEqual(before);
    for (const layer of layers.slice(2)) await solver.of(layer);
    expect(read).toHaveLength(4);
  });

  it("are begun only as far as memory goes", async () => {
    const layers = layersOf(LARGE, LARGE, LARGE);
    const { solver, read } = make(layers, { budget: 1 });
    for (const [i, layer] of layers.entries()) {
      await solver.of(layer);
      expect(read).toHaveLength(i + 1);
    }
  });

  it.each([
    ["of one core", { cores: 1 }],
    ["whose solver is another's", { threads: null }],
    ["without the threads' file", { file: path.join("no", "such.js") }],
  ])("are solved without threads on a machine %s", async (_, options) => {
    const layers = layersOf(LARGE, LARGE);
    let solved = 0;
    const eigen: typeof symmetricEigen = (a, leading) => {
      solved++;
      return symmetricEigen(a, leading);
    };
    const { solver, read } = make(layers, { ...options, eigen });
    await solver.of(layers[0]);
    expect([read.length, solved]).toEqual([1, 2]);
  });

  it("fail where they are asked for, with what went wrong in reading or in the thread", async () => {
    const layers = layersOf(LARGE, LARGE, LARGE);
    solver = new LayerSolver(
      layers,
      (layer) => {
        if (layer === layers[1]) throw new Error("cannot be read");
        return layer === layers[2] ? { ...inputOf(layer), grams: [] } : inputOf(layer);
      },
      { budget: 1e9, eigen: symmetricEigen, threads: { cache: null }, signal: undefined, file: builtFile("solveThread.js"), cores: 3 }, // prettier-ignore
    );
    expect((await solver.of(layers[0])).basis).not.toBeNull();
    await expect(solver.of(layers[1])).rejects.toThrow("cannot be read");
    await expect(solver.of(layers[2])).rejects.toThrow(TypeError);
  });

  it("fail where their thread ends", async () => {
    lab = newLab();
    const file = lab.at("ends.js");
    writeFileSync(file, `require("node:worker_threads").parentPort.on("message", () => process.exit(3));`);
    const layers = layersOf(LARGE);
    await expect(make(layers, { file }).solver.of(layers[0])).rejects.toThrow("a thread ended with status 3");
  });

  it("end at once when they are aborted, with the signal's reason", async () => {
    lab = newLab();
    const file = lab.at("never.js");
    writeFileSync(file, `require("node:worker_threads").parentPort.on("message", () => { for (;;); });`);
    const controller = new AbortController();
    const layers = layersOf(LARGE, LARGE);
    const { solver } = make(layers, { file, signal: controller.signal });
    const solved = solver.of(layers[0]);
    setTimeout(() => controller.abort(new Error("stopped by the user")), 100);
    await expect(solved).rejects.toThrow("stopped by the user");
    await expect(solver.of(layers[1])).rejects.toThrow("stopped by the user");
  });
});
