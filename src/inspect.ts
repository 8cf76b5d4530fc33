import path from "node:path";
import { findLayers, type SkippedNode } from "./layers";
import { parameterCount, type Layer } from "./layers/layer";
import { indexGraph, type GraphIndex } from "./onnx/graphIndex";
import { modelParameters } from "./onnx/parameters";
import { openModel, type OpenModel } from "./onnx/reader";
import type { Dimension, ElementType, Graph, Shape, TensorInfo, ValueInfo } from "./onnx/schema";
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
    return inspectModel(model);
  } finally {
    model.close();
  }
}

/** The same of a model that is open. */
export function inspectModel(model: OpenModel): Inspection {
  const readSmall = (tensor: TensorInfo): readonly number[] | null => readSmallTensor(model.wire, tensor);
  const index = indexGraph(model.graph, readSmall);
  const { layers, skipped } = findLayers(index);
  const opset = model.opsets.get("") ?? 1;
  const shapes = inferShapes(model.graph, readSmall, opset);
  const oneSample = inferShapes(withOneSample(index), readSmall, opset);
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
    layers: layers.map((layer) => inspectedLayer(layer, index, oneSample)),
    skipped,
  };
}

function inspectedValue({ name, elementType, shape }: ValueInfo): InspectedValue {
  return { name, type: elementType, shape };
}

function inspectedLayer(layer: Layer, index: GraphIndex, shapes: ReadonlyMap<string, Shape>): InspectedLayer {
  const { view, uses } = layer;
  const parameters = parameterCount(view);
  const positions = uses.map(({ counted: { value, perRow } }) => {
    const elements = elementsPerSample(shapes.get(value) ?? null, index);
    return elements === null || elements % perRow !== 0 ? null : elements / perRow;
  });
  return {
    name: layer.name,
    op: layer.op,
    nodes: uses.map(({ node }) => node.name),
    initializer: layer.weightName,
    groups: view.groups,
    rows: view.rows,
    columns: view.columns,
    parameters,
    macs: positions.reduce<number | null>((sum, n) => (sum === null || n === null ? null : sum + n * parameters), 0),
  };
}

/** The graph with the batch axis, where it is free, bound to one sample: the first axis of an input, under any name. */
function withOneSample({ graph, dataInputs }: GraphIndex): Graph {
  const batches = new Set(dataInputs.map(({ shape }) => shape?.[0]).filter((dim) => typeof dim === "string"));
  const bind = (dim: Dimension, axis: number): Dimension => {
    if (axis === 0 && typeof dim !== "number") return 1;
    return typeof dim === "string" && batches.has(dim) ? 1 : dim;
  };
  return { ...graph, inputs: graph.inputs.map((input) => ({ ...input, shape: input.shape?.map(bind) ?? null })) };
}

/** Elements of a value for one sample, where all of its sizes are known; a fixed batch size is divided out. */
function elementsPerSample(shape: Shape, { dataInputs }: GraphIndex): number | null {
  if (!shape) return null;
  const batch = dataInputs[0]?.shape?.[0];
  let product = typeof batch === "number" ? 1 / batch : 1;
  for (const dim of shape) {
    if (typeof dim !== "number") return null;
    product *= dim;
  }
  return Number.isInteger(product) ? product : null;
}
