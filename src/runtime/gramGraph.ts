import type { Batches } from "../calibration/batches";
import { joined } from "../layers/emit";
import type { GramEmission } from "../layers/gram";
import type { Emission, Layer, LayerUse } from "../layers/layer";
import { gramKey } from "../layers/layer";
import type { Matrix } from "../numerics/matrix";
import { editedModelBytes } from "../onnx/edit";
import { ancestors, indexGraph, readsOf } from "../onnx/graphIndex";
import type { FloatType } from "../onnx/elements";
import type { NewNode } from "../onnx/encode";
import type { OpenModel } from "../onnx/reader";
import { ELEMENT_TYPES, type Node } from "../onnx/schema";
import type { Device } from "./executionProviders";
import { createSession } from "./session";

/**
 * Of one group of a layer's inputs, C = XᵀX (d×d), or X itself (N×d, float32 values) where it has fewer rows than features.
 * Never more than d×d numbers.
 */
export interface GramMatrix {
  readonly kind: "gram" | "rows";
  readonly matrix: Matrix;
  /** Of every second batch alone: the half of C that tells how firm ranks are. Not there for one batch, nor of wide layers. */
  readonly half?: Matrix;
}

/** Layers of more features have no halves: two more eigenproblems would take as long as all else. */
export const MOST_HALVED_FEATURES = 1024;

/** One for each group. */
export type GramMatrices = readonly GramMatrix[];

export interface GramOptions {
  /** Dims of each value that a layer reads, for a batch of any size. */
  readonly dimsOf: (value: string) => readonly number[];
  /** N: rows of a layer's X, over all batches. */
  readonly rowsOf: (layer: Layer) => number;
  /** The processor where it is left out. */
  readonly device?: Device;
  readonly signal: AbortSignal | undefined;
  readonly onBatch: (samples: number) => void;
}

/**
 * Gram matrices of the inputs of `layers`, by {@link gramKey}, in one pass over the calibration data. They are computed
 * inside the graph, in float32 per batch, and summed over batches in float64: only blocks of d×d matrices are read back,
 * or rows where they are fewer. Batches that are filled up with copies are left out.
 */
export async function gramMatrices(
  model: OpenModel,
  layers: readonly Layer[],
  batches: Batches,
  options: GramOptions,
): Promise<Map<string, GramMatrices>> {
  const { added, ofLayer } = planGrams(layers, options);
  const { nodes, initializers } = joined(...added.map(({ emission }) => emission));
  const outputs = added.flatMap((it) => (it.kind === "rows" ? [it.name] : it.emission.outputs.map(({ name }) => name)));
  const index = indexGraph(model.graph);
  const { read: inputs, replaceNodes } = sourcesOf(layers);
  // What a layer's features are made from may be more than one value: scales beside numbers.
  const read = [...new Set([...inputs, ...nodes.flatMap(({ inputs }) => inputs.filter(Boolean))])];
  const needed = new Set([...ancestors(index, read, new Set()), ...replaceNodes.keys()]);
  const values = new Set([...needed].flatMap(readsOf).concat(read));
  const bytes = editedModelBytes(model, {
    // onnxruntime would also run what nothing reads: all that lies behind the last layer's input.
    keepNodes: needed,
    replaceNodes,
    keepInitializer: (name) => values.has(name),
    addNodes: nodes,
    addInitializers: initializers,
    outputs: outputs.map((name) => ({ name, elementType: null, shape: null })),
  });
  const session = await createSession(bytes, `${model.path} (with Gram matrices)`, model.folder, options.device);
  const chunks = new Map(added.flatMap((it) => (it.kind === "rows" ? [[it.name, [] as Float32Array[]]] : [])));
  const [sums, halves] = [new Map<string, Float64Array>(), new Map<string, Float64Array>()];
  const halved = halvedOutputs(added);
  try {
    for (let index = 0; index < batches.count; index++) {
      options.signal?.throwIfAborted();
      const { values, samples, rows } = batches.batch(index);
      if (samples < rows) continue;
      for (const [name, { data }] of await session.run(values)) {
        const values = data as Float32Array;
        const rowsSoFar = chunks.get(name);
        if (rowsSoFar) rowsSoFar.push(values);
        else addTo(sums, name, values);
        if (index % 2 === 1 && halved.has(name)) addTo(halves, name, values);
      }
      options.onBatch(samples);
    }
  } finally {
    await session.release();
  }
  return new Map(
    [...ofLayer].map(([key, { layer, parts }]) => {
      const emissions = parts.flatMap((part) => (part.kind === "gram" ? [part.emission] : []));
      const rows = parts.flatMap((part) => (part.kind === "rows" ? chunks.get(part.name)! : []));
      if (emissions.length === 0) return [key, fromRows(layer, rows)];
      const wholes = fromBlocks(layer, emissions, sums);
      const isHalved = emissions.some(({ outputs }) => outputs.some(({ name }) => halves.has(name)));
      const second = isHalved ? fromBlocks(layer, emissions, halves) : [];
      return [key, wholes.map((matrix, at) => ({ kind: "gram", matrix, ...(isHalved ? { half: second[at] } : {}) }))];
    }),
  );
}

/** What the graph has to compute for the layers' features, and the nodes that have to give more than the model asks for. */
function sourcesOf(layers: readonly Layer[]): { read: string[]; replaceNodes: Map<Node, readonly NewNode[]> } {
  const uses = layers.flatMap((layer) => layer.uses);
  const instrumented = uses.flatMap(({ node, instrumented }) =>
    instrumented ? [[node, [instrumented]] as const] : [],
  );
  // What is prepared may be made from any of the node's inputs.
  const read = uses.flatMap(({ node, input, prepare, instrumented }) =>
    prepare || instrumented ? [...node.inputs.filter(Boolean), input] : [input],
  );
  return { read, replaceNodes: new Map(instrumented) };
}

/** What is added to the graph for one input: blocks of XᵀX, or Xᵀ as the value `name`. */
type Addition =
  | { readonly kind: "gram"; readonly emission: GramEmission }
  | { readonly kind: "rows"; readonly emission: Emission; readonly name: string };

interface GramPlan {
  readonly added: readonly Addition[];
  /** By {@link gramKey}: one of the layers, and what its Gram matrices are the sum of. */
  readonly ofLayer: ReadonlyMap<string, { readonly layer: Layer; readonly parts: readonly Addition[] }>;
}

/** One addition for each distinct input that layers see, however many of them see it. */
function planGrams(layers: readonly Layer[], { dimsOf, rowsOf }: GramOptions): GramPlan {
  const additions = new Map<string, Addition>();
  const additionFor = (use: LayerUse, kind: GramMatrix["kind"], elementType: FloatType): Addition => {
    const key = `${kind} ${use.input} ${use.featuresKey}`;
    const known = additions.get(key);
    if (known) return known;
    const name = `ranklens/gram/${additions.size}`;
    const dims = dimsOf(use.input);
    const { source, before } = sourceOf(use, elementType, `${name}/source`);
    const addition: Addition =
      kind === "rows"
        ? { kind, name, emission: joined(before, use.features(source, name, dims.length)) }
        : { kind, emission: preceded(before, use.gram(source, name, dims)) };
    additions.set(key, addition);
    return addition;
  };
  const ofLayer = new Map(
    layers.map((layer) => {
      const kind = rowsOf(layer) < layer.view.columns ? "rows" : "gram";
      return [
        gramKey(layer),
        { layer, parts: layer.uses.map((use) => additionFor(use, kind, layer.weight.elementType)) },
      ];
    }),
  );
  return { added: [...additions.values()], ofLayer };
}

/** The float32 value that the features are made from, and the nodes that compute it as `name`, where there are any. */
function sourceOf(use: LayerUse, elementType: FloatType, name: string): { source: string; before: Emission } {
  if (use.prepare) return { source: name, before: use.prepare(name) };
  if (elementType === "float32") return { source: use.input, before: { nodes: [], initializers: [] } };
  const attributes = { to: ELEMENT_TYPES.float32 };
  const cast: NewNode = { opType: "Cast", name, inputs: [use.input], outputs: [name], attributes };
  return { source: name, before: { nodes: [cast], initializers: [] } };
}

/** The values whose sums over every second batch are kept as well. */
function halvedOutputs(added: readonly Addition[]): Set<string> {
  const outputs = added.flatMap((addition) => (addition.kind === "gram" ? [addition.emission.outputs] : []));
  const width = (all: GramEmission["outputs"]): number =>
    1 +
    Math.max(...all.flatMap(({ blocks }) => blocks.map(({ columns }) => columns.reduce((a, b) => Math.max(a, b), 0))));
  return new Set(
    outputs
      .filter((all) => width(all) <= MOST_HALVED_FEATURES)
      .flat()
      .map(({ name }) => name),
  );
}

function preceded(before: Emission, gram: GramEmission): GramEmission {
  return { ...joined(before, gram), outputs: gram.outputs };
}

function addTo(sums: Map<string, Float64Array>, name: string, values: Float32Array): void {
  const sum = sums.get(name);
  if (!sum) {
    sums.set(name, new Float64Array(values));
    return;
  }
  for (let i = 0; i < values.length; i++) sum[i] += values[i];
}

/** The sum of the emissions' Gram matrices, from their blocks. */
function fromBlocks(
  { view: { groups, columns } }: Layer,
  emissions: readonly GramEmission[],
  sums: ReadonlyMap<string, Float64Array>,
): Matrix[] {
  const grams = Array.from({ length: groups }, () => new Float64Array(columns * columns));
  for (const { name, blocks } of emissions.flatMap(({ outputs }) => outputs)) {
    const values = sums.get(name);
    if (!values) continue;
    let at = 0;
    for (const { rows, columns: others } of blocks) {
      for (const gram of grams) {
        for (const row of rows) {
          for (const column of others) {
            const value = values[at++];
            gram[row * columns + column] += value;
            if (rows !== others) gram[column * columns + row] += value;
          }
        }
      }
    }
  }
  return grams.map((data) => ({ rows: columns, columns, data }));
}

/** X of each group, from pieces of Xᵀ (groups×d×n each). */
function fromRows({ view: { groups, columns } }: Layer, pieces: readonly Float32Array[]): GramMatrices {
  const rows = pieces.reduce((sum, { length }) => sum + length / (groups * columns), 0);
  return Array.from({ length: groups }, (_, group) => {
    const data = new Float64Array(rows * columns);
    let start = 0;
    for (const piece of pieces) {
      const count = piece.length / (groups * columns);
      for (let feature = 0; feature < columns; feature++) {
        const from = (group * columns + feature) * count;
        for (let row = 0; row < count; row++) data[(start + row) * columns + feature] = piece[from + row];
      }
      start += count;
    }
    return { kind: "rows", matrix: { rows, columns, data } };
  });
}
