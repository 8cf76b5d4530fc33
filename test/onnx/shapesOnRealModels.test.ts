import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import "../../src/runtime/environment";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it, type TestContext } from "vitest";
import { editedModelBytes } from "../../src/onnx/edit";
import { openModel, type OpenModel } from "../../src/onnx/reader";
import type { Dimension, Graph, Shape } from "../../src/onnx/schema";
import { inferShapes } from "../../src/onnx/shapes/inferShapes";
import { readSmallTensor } from "../../src/onnx/tensor";

const folders = ["zoo", "reference/models"].map((name) => resolve(import.meta.dirname, "../../../shared", name));
const models = folders
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
  .filter((path) => path.endsWith(".onnx"));

const NO_MODELS = "no models under shared/zoo and shared/reference/models";
for (const folder of folders) {
  if (!existsSync(folder)) console.warn(`SKIPPED: the models of ${folder}, which is missing`);
}

/** Python with the Debian package python3-onnx. */
const PYTHON = "/usr/bin/python3";

function skipLoudly(context: TestContext, reason: string): never {
  console.warn(`SKIPPED: ${context.task.name}: ${reason}`);
  return context.skip(reason);
}

/** Whether two shapes can be the same: equal ranks, and no two different sizes. */
function agree(a: Shape, b: Shape): boolean {
  if (!a || !b) return true;
  return a.length === b.length && a.every((dim, axis) => dim === b[axis] || ![dim, b[axis]].every(Number.isInteger));
}

const isKnown = (shape: Shape | undefined) => shape?.every((dim) => typeof dim === "number") ?? false;

function shapesOf(model: OpenModel, graph: Graph): ReadonlyMap<string, Shape> {
  return inferShapes(graph, (tensor) => readSmallTensor(model.wire, tensor), model.opsets.get("") ?? 0, {
    onRuleFailure: (node, error) => {
      throw new Error(`${model.path}: the rule for ${node.opType} failed`, { cause: error });
    },
  });
}

/** The graph without what it says of intermediate values, so that everything has to be inferred. */
const undeclared = (graph: Graph): Graph => ({
  ...graph,
  valueInfo: new Map(),
  outputs: graph.outputs.map((output) => ({ ...output, shape: null })),
});

/** Runs `check` on every model that can be opened, and counts the others by reason. */
async function forEachModel(check: (model: OpenModel) => Promise<string> | string): Promise<void> {
  const report: string[] = [];
  for (const path of models) {
    let model: OpenModel;
    try {
      model = openModel(path);
    } catch (error) {
      report.push(`${basename(path)}: not opened: ${String(error).slice(0, 120)}`);
      continue;
    }
    try {
      report.push(`${basename(path)}: ${await check(model)}`);
    } finally {
      model.close();
    }
  }
  console.log(report.join("\n"));
}

const producedNames = (graph: Graph) => graph.nodes.flatMap((node) => node.outputs).filter((name) => name !== "");

interface OnnxResult {
  readonly shapes?: Record<string, Dimension[]>;
  readonly refused?: string;
}

describe("shape inference on real models", () => {
  it("contradicts ONNX's own inference nowhere, and knows at least as much", async (context) => {
    if (models.length === 0) skipLoudly(context, NO_MODELS);
    try {
      execFileSync(PYTHON, ["-c", "import onnx"], { stdio: "ignore" });
    } catch {
      skipLoudly(context, `${PYTHON} has no module onnx (Debian: python3-onnx)`);
    }
    const script = resolve(import.meta.dirname, "shapes/onnxShapes.py");
    const output = execFileSync(PYTHON, [script, ...models], { encoding: "utf8", maxBuffer: 1e9, stdio: "pipe" });
    const reference = JSON.parse(output) as Record<string, OnnxResult>;

    await forEachModel((model) => {
      const inferred = shapesOf(model, model.graph);
      const { shapes: theirs, refused } = reference[model.path];
      const names = producedNames(model.graph);
      const ours = names.filter((name) => isKnown(inferred.get(name)));
      if (!theirs) return `${ours.length} of ${names.length} known; ONNX refuses it: ${refused ?? ""}`;
      const wrong = names.filter((name) => !agree(inferred.get(name) ?? null, theirs[name] ?? null));
      expect(wrong, model.path).toEqual([]);
      const missed = names.filter((name) => isKnown(theirs[name]) && !isKnown(inferred.get(name)));
      expect(missed, model.path).toEqual([]);
      const known = names.filter((name) => isKnown(theirs[name]));
      return `${ours.length} of ${names.length} known, to ONNX ${known.length}`;
    });
  });

  it.for([2, 3])(
    "agrees with every tensor that onnxruntime computes, dynamic sizes from %i",
    async (first, context) => {
      if (models.length === 0) skipLoudly(context, NO_MODELS);
      let compared = 0;
      await forEachModel(async (model) => {
        const sizes = dynamicSizes(model.graph, first);
        const bound: Graph = { ...undeclared(model.graph), inputs: boundInputs(model.graph, sizes) };
        let computed: ReadonlyMap<string, Shape>;
        try {
          computed = await run(model, bound);
        } catch (error) {
          return `does not run: ${String(error).slice(0, 120)}`;
        }
        const symbolic = shapesOf(model, undeclared(model.graph));
        const concrete = shapesOf(model, bound);
        let known = 0;
        for (const [name, shape] of computed) {
          const substituted = symbolic.get(name)?.map((dim) => valueOf(dim, sizes)) ?? null;
          expect(agree(substituted, shape), `${model.path}: ${name} ${JSON.stringify(symbolic.get(name))}`).toBe(true);
          expect(agree(concrete.get(name) ?? null, shape), `${model.path}: ${name}`).toBe(true);
          if (isKnown(concrete.get(name))) known++;
        }
        compared++;
        return `${known} of ${computed.size} known`;
      });
      // Some of the models are broken on purpose; if most do not run, the test is.
      expect(compared).toBeGreaterThan(models.length / 2);
    },
  );
});

/** silero-vad wants 512 samples and 64 of context. */
const SPECIAL_SIZES: Readonly<Record<string, number>> = { sequence: 576 };

/** A size for every name, different ones as far as possible, so that a mixed-up dimension shows. */
function dynamicSizes(graph: Graph, first: number): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const { shape } of graph.inputs) {
    for (const dim of shape ?? []) {
      if (typeof dim === "string" && !sizes.has(dim)) sizes.set(dim, SPECIAL_SIZES[dim] ?? first + 3 * sizes.size);
    }
  }
  return sizes;
}

function boundInputs(graph: Graph, sizes: ReadonlyMap<string, number>): Graph["inputs"] {
  return graph.inputs.map((input) => ({
    ...input,
    shape: input.shape && input.shape.map((dim) => (typeof dim === "number" ? dim : (sizes.get(dim ?? "") ?? 2))),
  }));
}

/** What a result such as `7*batch` comes to. */
function valueOf(dim: Dimension, sizes: ReadonlyMap<string, number>): Dimension {
  if (typeof dim !== "string") return dim;
  return dim.split("*").reduce((product, factor) => product * (sizes.get(factor) ?? Number(factor)), 1);
}

/** The shapes of all tensors that onnxruntime computes, optimizations off, on inputs of ones. */
async function run(model: OpenModel, bound: Graph): Promise<ReadonlyMap<string, Shape>> {
  const given = new Set(model.graph.outputs.map(({ name }) => name));
  const more = [...new Set(producedNames(model.graph))].filter((name) => !given.has(name));
  const bytes = editedModelBytes(model, {
    addOutputs: more.map((name) => ({ name, elementType: null, shape: null })),
  });
  const session = await InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", logSeverityLevel: 4 });
  try {
    const feeds: Record<string, Tensor> = {};
    for (const { name, elementType, shape } of bound.inputs) {
      if (!model.graph.initializers.has(name)) feeds[name] = ones(elementType, shape as number[]);
    }
    const results = await session.run(feeds);
    return new Map(Object.entries(results).map(([name, value]) => [name, "dims" in value ? value.dims : null]));
  } finally {
    await session.release();
  }
}

function ones(elementType: string | null, dims: number[]): Tensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  switch (elementType) {
    case "int64":
      return new Tensor(elementType, new BigInt64Array(count).fill(1n), dims);
    case "int32":
      return new Tensor(elementType, new Int32Array(count).fill(1), dims);
    case "float32":
      return new Tensor(elementType, new Float32Array(count).fill(1), dims);
    case "uint8":
      return new Tensor(elementType, new Uint8Array(count).fill(1), dims);
    case "int8":
      return new Tensor(elementType, new Int8Array(count).fill(1), dims);
    default:
      throw new Error(`no test input of type ${elementType ?? "unknown"}`);
  }
}
