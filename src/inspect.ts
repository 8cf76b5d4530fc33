import path from "node:path";
import { modelParameters } from "./analysis/prepare";
import { findLayers, type SkippedNode } from "./layers";
import { parameterCount, type Layer } from "./layers/layer";
import { indexGraph, type GraphIndex } from "./onnx/graphIndex";
import { openModel } from "./onnx/reader";
import type { Dimension, ElementType, Shape, ValueInfo } from "./onnx/schema";
import { inferShapes } from "./onnx/shapes/inferShapes";
import { readSmallTensor } from "./onnx/tensor";

/** What a model file says of itself; nothing is run and no weight is read. */
export interface Inspection {
  readonly model: {
    readonly path: string;
    readonly bytes: number;
    readonly irVersion: number;
    /** Opset by domain; the ONNX domain is "". */
    readonly opsets: Readonly<Record<string, number>>;
    readonly producer: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly nodes: number;
    /** Every number stored as data, analysable or not. */
    readonly parameters: number;
  };
  readonly inputs: readonly InspectedValue[];
  readonly outputs: readonly InspectedValue[];
  readonly layers: readonly InspectedLayer[];
  readonly skipped: readonly SkippedNode[];
}

export interface InspectedValue {
  readonly name: string;
  readonly type: ElementType | null;
  /** Sizes, symbols, or null for unknown; null altogether where the rank is unknown. */
  readonly shape: readonly Dimension[] | null;
}

export interface InspectedLayer {
  readonly name: string;
  readonly op: string;
  /** ONNX names of the nodes that apply the weight. */
  readonly nodes: readonly string[];
  readonly initializer: string;
  readonly groups: number;
  /** m: outputs (per group). */
  readonly rows: number;
  /** d: inputs (per group). */
  readonly columns: number;
  readonly parameters: number;
  /** Multiply–accumulates per sample; null where the graph does not tell the shapes. */
  readonly macs: number | null;
}

/** @throws ExpectedError if the file is missing, or not an ONNX model, or cut off. */
export function inspect(modelPath: string): Inspection {
  const model = openModel(path.resolve(modelPath));
  try {
    const index = indexGraph(model.graph);
    const { layers, skipped } = findLayers(index);
    const shapes = inferShapes(model.graph, (tensor) => readSmallTensor(model.wire, tensor), model.opsets.get("") ?? 1);
    return {
      model: {
        path: model.path,
        bytes: model.bytes,
        irVersion: model.irVersion,
        opsets: Object.fromEntries(model.opsets),
        producer: [model.producerName, model.producerVersion].filter(Boolean).join(" "),
        metadata: Object.fromEntries(model.metadata),
        nodes: model.graph.nodes.length,
        parameters: modelParameters(index),
      },
      inputs: index.dataInputs.map(inspectedValue),
      outputs: model.graph.outputs.map((output) => ({
        ...inspectedValue(output),
        shape: shapes.get(output.name) ?? output.shape,
      })),
      layers: layers.map((layer) => inspectedLayer(layer, index, shapes)),
      skipped,
    };
  } finally {
    model.close();
  }
}

function inspectedValue({ name, elementType, shape }: ValueInfo): InspectedValue {
  return { name, type: elementType, shape };
}

function inspectedLayer(layer: Layer, index: GraphIndex, shapes: ReadonlyMap<string, Shape>): InspectedLayer {
  const { view, uses } = layer;
  const elements = uses.map(({ output }) => elementsPerSample(shapes.get(output) ?? null, index));
  return {
    name: layer.name,
    op: layer.op,
    nodes: uses.map(({ node }) => node.name),
    initializer: layer.weightName,
    groups: view.groups,
    rows: view.rows,
    columns: view.columns,
    parameters: parameterCount(view),
    // Every output element costs one row of W.
    macs: elements.reduce<number | null>((sum, n) => (sum === null || n === null ? null : sum + n * view.columns), 0),
  };
}

/** Elements of a value for one sample. The first axis is the batch: free, or of the size that the input fixes. */
function elementsPerSample(shape: Shape, index: GraphIndex): number | null {
  if (!shape || shape.length === 0) return null;
  const [first, ...rest] = shape;
  const batch = index.dataInputs[0]?.shape?.[0];
  const leading = typeof first === "number" ? first / (typeof batch === "number" ? batch : 1) : 1;
  let product = leading;
  for (const dim of rest) {
    if (typeof dim !== "number") return null;
    product *= dim;
  }
  return Number.isInteger(product) ? product : null;
}
