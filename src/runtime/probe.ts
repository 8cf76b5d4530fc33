import { ExpectedError } from "../errors";
import type { Layer, LayerUse } from "../layers/layer";
import { editedModelBytes } from "../onnx/edit";
import type { NewNode } from "../onnx/encode";
import type { GraphIndex } from "../onnx/graphIndex";
import type { OpenModel } from "../onnx/reader";
import type { Node } from "../onnx/schema";
import { elementCount } from "../onnx/tensor";
import { batchDependence, type SamplePair } from "./batchDependence";
import { createSession, type TensorValue, type TensorValues } from "./session";

/** What one run with real data tells of the values in a graph. */
export interface Probe {
  /** Rows of the batch that was run. */
  readonly rows: number;
  /** Dims of every layer's input and output, and of the model's inputs and outputs. */
  readonly dims: ReadonlyMap<string, readonly number[]>;
  /** The model's outputs. */
  readonly outputs: ReadonlyMap<string, TensorValue>;
  /** As {@link batchDependence}; null also where two samples were not tried. */
  readonly dependence?: number | null;
}

/**
 * Runs one batch (`rows` samples, a value for every input) with the inputs and outputs of all layers exposed: shapes as
 * they are, not as they were declared. With a pair of samples, also whether they change one another's outputs.
 */
export async function probeShapes(
  model: OpenModel,
  index: GraphIndex,
  layers: readonly Layer[],
  { rows, values }: { readonly rows: number; readonly values: TensorValues },
  pair: SamplePair | null = null,
): Promise<Probe> {
  const fed = new Set(index.dataInputs.map(({ name }) => name));
  const exposed = new Set<string>();
  for (const { input, output, counted } of layers.flatMap(({ uses }) => uses)) {
    exposed.add(input).add(output).add(counted.value);
  }
  for (const name of [...fed, ...index.outputs]) exposed.delete(name);
  const inner = [...exposed].map((name) => ({ name, elementType: null, shape: null }));
  const replaceNodes = new Map<Node, readonly NewNode[]>();
  for (const { node, instrumented } of layers.flatMap(({ uses }) => uses)) {
    if (instrumented) replaceNodes.set(node, [instrumented]);
  }
  const bytes = editedModelBytes(model, { addOutputs: inner, replaceNodes });
  const session = await createSession(bytes, model.path, model.folder);
  try {
    const computed = await session.run(values);
    const dims = new Map([...values, ...computed].map(([name, value]) => [name, value.dims]));
    const outputs = new Map([...computed].filter(([name]) => index.outputs.has(name)));
    const dependence = pair && (await batchDependence(session, pair, [...outputs.keys()]));
    return { rows, dims, outputs, dependence };
  } finally {
    await session.release();
  }
}

/** Places per sample at which the layer's weight is applied, over all its uses. */
export function positionsPerSample(probe: Probe, layer: Layer): number {
  return layer.uses.reduce((sum, use) => sum + usePositions(probe, use), 0);
}

/** Places per sample at which one node applies the layer's weight. */
export function usePositions(probe: Probe, { counted: { value, perRow } }: LayerUse): number {
  const dims = probe.dims.get(value);
  if (!dims) throw new ExpectedError(`The value "${value}" was not computed when the model was run.`);
  return elementCount(dims) / perRow / probe.rows;
}
