import type { Batches } from "../calibration/batches";
import { joined } from "../layers/emit";
import type { Emission, Layer, LayerUse } from "../layers/layer";
import { gramKey } from "../layers/layer";
import { editedModelBytes } from "../onnx/edit";
import type { OpenModel } from "../onnx/reader";
import type { Device } from "./executionProviders";
import { createSession } from "./session";

/** C = XᵀX of a layer's inputs: one d×d matrix, row-major, for each group. */
export type GramMatrices = readonly Float64Array[];

export interface GramOptions {
  /** Rank of each value that a layer reads. */
  readonly rankOf: (value: string) => number;
  /** The processor where it is left out. */
  readonly device?: Device;
  readonly signal: AbortSignal | undefined;
  readonly onBatch: (samples: number) => void;
}

/**
 * Gram matrices of the inputs of `layers`, by {@link gramKey}, in one pass over the calibration data. They are computed
 * inside the graph, in float32 per batch, and summed over batches in float64: only d×d matrices are read back. Batches
 * that are filled up with copies are left out.
 */
export async function gramMatrices(
  model: OpenModel,
  layers: readonly Layer[],
  batches: Batches,
  options: GramOptions,
): Promise<Map<string, GramMatrices>> {
  const plan = planOutputs(layers);
  const emission = joined(...[...plan.outputs].map(([output, { use }]) => gramNodes(use, output, options)));
  const bytes = editedModelBytes(model, {
    addNodes: emission.nodes,
    addInitializers: emission.initializers,
    outputs: [...plan.outputs.keys()].map((name) => ({ name, elementType: null, shape: null })),
  });
  const session = await createSession(bytes, `${model.path} (with Gram matrices)`, model.folder, options.device);
  const sums = new Map<string, Float64Array>();
  try {
    for (let index = 0; index < batches.count; index++) {
      options.signal?.throwIfAborted();
      const { values, samples, rows } = batches.batch(index);
      if (samples < rows) continue;
      for (const [name, gram] of await session.run(values)) {
        addTo(sums, name, gram.data as Float32Array);
      }
      options.onBatch(samples);
    }
  } finally {
    await session.release();
  }
  return new Map(layers.map((layer) => [gramKey(layer), perGroup(layer, plan.ofLayer.get(layer) ?? [], sums)]));
}

/** One output for each distinct input that layers see, however many of them see it. */
function planOutputs(layers: readonly Layer[]): {
  outputs: Map<string, { use: LayerUse }>;
  ofLayer: Map<Layer, string[]>;
} {
  const names = new Map<string, string>();
  const outputs = new Map<string, { use: LayerUse }>();
  const ofLayer = new Map<Layer, string[]>();
  for (const layer of layers) {
    for (const use of layer.uses) {
      const key = `${use.input} ${use.featuresKey}`;
      let name = names.get(key);
      if (name === undefined) {
        name = `ranklens/gram/${names.size}`;
        names.set(key, name);
        outputs.set(name, { use });
      }
      ofLayer.set(layer, [...(ofLayer.get(layer) ?? []), name]);
    }
  }
  return { outputs, ofLayer };
}

/** XᵀX from the use's Xᵀ; a plain Transpose and MatMul mean the same in every opset. */
function gramNodes(use: LayerUse, output: string, options: GramOptions): Emission {
  const features = `${output}/features`;
  const emission = use.features(features, options.rankOf(use.input));
  const groups = use.featureGroups;
  const turned = `${output}/turned`;
  const nodes = [
    {
      opType: "Transpose",
      name: turned,
      inputs: [features],
      outputs: [turned],
      attributes: { perm: groups === 1 ? [1, 0] : [0, 2, 1] },
    },
    { opType: "MatMul", name: output, inputs: [features, turned], outputs: [output] },
  ];
  return joined(emission, { nodes, initializers: [] });
}

function addTo(sums: Map<string, Float64Array>, name: string, values: Float32Array): void {
  const sum = sums.get(name);
  if (!sum) {
    sums.set(name, Float64Array.from(values));
    return;
  }
  for (let i = 0; i < values.length; i++) sum[i] += values[i];
}

function perGroup(layer: Layer, names: readonly string[], sums: ReadonlyMap<string, Float64Array>): GramMatrices {
  const { groups, columns } = layer.view;
  const size = columns * columns;
  const total = new Float64Array(groups * size);
  for (const name of names) {
    const sum = sums.get(name);
    for (let i = 0; sum && i < total.length; i++) total[i] += sum[i];
  }
  return Array.from({ length: groups }, (_, group) => total.slice(group * size, (group + 1) * size));
}
