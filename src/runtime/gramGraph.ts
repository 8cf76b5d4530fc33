import type { Batches } from "../calibration/batches";
import { joined } from "../layers/emit";
import type { GramEmission } from "../layers/gram";
import type { Layer, LayerUse } from "../layers/layer";
import { gramKey } from "../layers/layer";
import { editedModelBytes } from "../onnx/edit";
import type { OpenModel } from "../onnx/reader";
import type { Device } from "./executionProviders";
import { createSession } from "./session";

/** C = XᵀX of a layer's inputs: one d×d matrix, row-major, for each group. */
export type GramMatrices = readonly Float64Array[];

export interface GramOptions {
  /** Dims of each value that a layer reads, for a batch of any size. */
  readonly dimsOf: (value: string) => readonly number[];
  /** The processor where it is left out. */
  readonly device?: Device;
  readonly signal: AbortSignal | undefined;
  readonly onBatch: (samples: number) => void;
}

/**
 * Gram matrices of the inputs of `layers`, by {@link gramKey}, in one pass over the calibration data. They are computed
 * inside the graph, in float32 per batch, and summed over batches in float64: only blocks of d×d matrices are read back.
 * Batches that are filled up with copies are left out.
 */
export async function gramMatrices(
  model: OpenModel,
  layers: readonly Layer[],
  batches: Batches,
  options: GramOptions,
): Promise<Map<string, GramMatrices>> {
  const { emissions, ofLayer } = planGrams(layers, options);
  const { nodes, initializers } = joined(...emissions);
  const bytes = editedModelBytes(model, {
    addNodes: nodes,
    addInitializers: initializers,
    outputs: emissions.flatMap(({ outputs }) => outputs.map(({ name }) => ({ name, elementType: null, shape: null }))),
  });
  const session = await createSession(bytes, `${model.path} (with Gram matrices)`, model.folder, options.device);
  const sums = new Map<string, Float64Array>();
  try {
    for (let index = 0; index < batches.count; index++) {
      options.signal?.throwIfAborted();
      const { values, samples, rows } = batches.batch(index);
      if (samples < rows) continue;
      for (const [name, blocks] of await session.run(values)) {
        addTo(sums, name, blocks.data as Float32Array);
      }
      options.onBatch(samples);
    }
  } finally {
    await session.release();
  }
  return new Map([...ofLayer].map(([key, { layer, emissions }]) => [key, assembled(layer, emissions, sums)]));
}

interface GramPlan {
  readonly emissions: readonly GramEmission[];
  /** By {@link gramKey}: one of the layers, and what its Gram matrices are the sum of. */
  readonly ofLayer: ReadonlyMap<string, { readonly layer: Layer; readonly emissions: readonly GramEmission[] }>;
}

/** One emission for each distinct input that layers see, however many of them see it. */
function planGrams(layers: readonly Layer[], { dimsOf }: GramOptions): GramPlan {
  const ofInput = new Map<string, GramEmission>();
  const emissionOf = (use: LayerUse): GramEmission => {
    const key = `${use.input} ${use.featuresKey}`;
    const emission = ofInput.get(key) ?? use.gram(`ranklens/gram/${ofInput.size}`, dimsOf(use.input));
    ofInput.set(key, emission);
    return emission;
  };
  const ofLayer = new Map(layers.map((layer) => [gramKey(layer), { layer, emissions: layer.uses.map(emissionOf) }]));
  return { emissions: [...ofInput.values()], ofLayer };
}

function addTo(sums: Map<string, Float64Array>, name: string, values: Float32Array): void {
  const sum = sums.get(name);
  if (!sum) {
    sums.set(name, Float64Array.from(values));
    return;
  }
  for (let i = 0; i < values.length; i++) sum[i] += values[i];
}

/** The sum of the emissions' Gram matrices, from their blocks. */
function assembled(
  { view: { groups, columns } }: Layer,
  emissions: readonly GramEmission[],
  sums: ReadonlyMap<string, Float64Array>,
): GramMatrices {
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
  return grams;
}
