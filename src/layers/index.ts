import { subgraphs } from "../onnx/graphReader";
import { indexGraph, type GraphIndex } from "../onnx/graphIndex";
import type { Graph, Node, TensorInfo } from "../onnx/schema";
import { dataDependentNodes } from "../onnx/subgraph";
import { conv } from "./conv";
import type { Layer, LayerType, LayerUse, WeightView } from "./layer";
import { linear } from "./linear";
import { nodeLabel } from "./nodes";

/** Tried in order; a new kind of layer is one file and one entry. */
export const layerTypes: readonly LayerType[] = [conv, linear];

/** A node with a constant weight that is not analysed. */
export interface SkippedNode {
  readonly name: string;
  readonly op: string;
  readonly reason: string;
}

export interface FoundLayers {
  /** In the order in which data reaches them. */
  readonly layers: readonly Layer[];
  readonly skipped: readonly SkippedNode[];
}

/**
 * Operators whose constants are not weights that mix features: element-wise operands, positions, shapes, tables of
 * quantization. They are not listed; any other operator with a constant of two or more axes is.
 */
const NOT_WEIGHTS = new Set(
  (
    "Add Sub Mul Div Mod Pow Min Max Sum Mean And Or Xor Not Equal Greater GreaterOrEqual Less LessOrEqual Where PRelu " +
    "Clip BatchNormalization LayerNormalization InstanceNormalization GroupNormalization RMSNormalization Reshape " +
    "Concat Slice Pad Resize Upsample Expand Tile Squeeze Unsqueeze Transpose Identity Cast CastLike Shape Size Split " +
    "BitShift BitwiseAnd BitwiseOr BitwiseXor Constant ConstantOfShape OneHot Range Loop Scan If Trilu Flatten " +
    "QuantizeLinear DequantizeLinear ScatterND ScatterElements GatherND GatherElements"
  ).split(" "),
);

/** Every constant-weight layer of the graph, and every constant-weight node that is not analysable, with the reason. */
export function findLayers(index: GraphIndex): FoundLayers {
  const found = new Map<string, FoundWeight>();
  const skipped: SkippedNode[] = [];
  const skip = (node: Node, reason: string): void => {
    skipped.push({ name: nodeLabel(node), op: node.opType, reason });
  };
  const dataDependent = dataDependentNodes(index);
  for (const node of index.order) {
    const type = node.domain === "" ? layerTypes.find(({ ops }) => ops.includes(node.opType)) : undefined;
    const own = type?.recognise(node, index) ?? otherOperator(node, index);
    const recognition = type && own.kind === "none" ? computedWeight(node, index, dataDependent) : own;
    if (recognition.kind === "skipped") skip(node, recognition.reason);
    if (recognition.kind === "layer" && !dataDependent.has(node)) {
      skip(node, "its input is the same whatever data the model is given");
    } else if (recognition.kind === "layer") {
      const { weightName, view, use } = recognition;
      const entry = found.get(weightName);
      if (!entry) {
        found.set(weightName, { weightName, weight: index.constants.get(weightName)!, view, uses: [use] });
      } else if (sameShape(entry, view, use)) {
        entry.uses.push(use);
      } else {
        entry.conflict = nodeLabel(node);
        skip(node, `it shares its weight with ${nodeLabel(entry.uses[0].node)}, which reads it in another way`);
      }
    }
    skipped.push(...subgraphLayers(node, index));
  }
  const layers: FoundWeight[] = [];
  for (const entry of found.values()) {
    const { conflict } = entry;
    if (conflict === undefined) {
      layers.push(entry);
      continue;
    }
    for (const { node } of entry.uses) {
      skip(node, `it shares its weight with ${conflict}, which reads it in another way`);
    }
  }
  return { layers: withNames(layers), skipped };
}

interface FoundWeight {
  readonly weightName: string;
  readonly weight: TensorInfo;
  readonly view: WeightView;
  readonly uses: LayerUse[];
  conflict?: string;
}

function sameShape(entry: FoundWeight, view: WeightView, use: LayerUse): boolean {
  return JSON.stringify(entry.view) === JSON.stringify(view) && entry.uses[0].factorLayout === use.factorLayout;
}

function otherOperator(node: Node, index: GraphIndex): { kind: "skipped"; reason: string } | { kind: "none" } {
  if (node.domain === "" && NOT_WEIGHTS.has(node.opType)) return { kind: "none" };
  const weight = node.inputs
    .map((input) => index.constants.get(input))
    .find((tensor) => tensor && tensor.dims.length > 1);
  if (!weight) return { kind: "none" };
  const operator = node.domain === "" ? node.opType : `${node.domain}.${node.opType}`;
  const what = node.opType === "Gather" ? "an embedding table is looked up, not multiplied" : "is not supported yet";
  return { kind: "skipped", reason: node.opType === "Gather" ? what : `the operator ${operator} ${what}` };
}

/** A weight that other nodes reshape, transpose or dequantize first is a constant too, but not one that can be read here. */
function computedWeight(
  node: Node,
  index: GraphIndex,
  dataDependent: ReadonlySet<Node>,
): { kind: "skipped"; reason: string } | { kind: "none" } {
  const producers = node.inputs.slice(0, 2).map((input) => index.producers.get(input));
  const producer = producers.find((it) => it && !dataDependent.has(it));
  if (!producer) return { kind: "none" };
  return {
    kind: "skipped",
    reason: `its weight is computed from constants, by the ${producer.opType} ${nodeLabel(producer)}; fold constants first`,
  };
}

/** Layers in the bodies of If, Loop and Scan: listed, with the reason why they are not analysed. */
function subgraphLayers(node: Node, outer: GraphIndex): SkippedNode[] {
  const bodies = [...node.attributes.values()].flatMap(subgraphs);
  return bodies.flatMap((body) => {
    const index = withOuterConstants(body, outer);
    return index.order.flatMap((inner) => {
      const type = layerTypes.find(({ ops }) => inner.domain === "" && ops.includes(inner.opType));
      const recognition = type?.recognise(inner, index) ?? otherOperator(inner, index);
      const reason = `it is inside the ${node.opType} "${nodeLabel(node)}"; layers in subgraphs are not analysed yet`;
      const here = recognition.kind === "none" ? [] : [{ name: nodeLabel(inner), op: inner.opType, reason }];
      return [...here, ...subgraphLayers(inner, index)];
    });
  });
}

function withOuterConstants(body: Graph, outer: GraphIndex): GraphIndex {
  const index = indexGraph(body);
  return { ...index, constants: new Map([...outer.constants, ...index.constants]) };
}

/** Exporters that rename weights write `onnx::Conv_263` or a bare number; the node's name then says more. */
const MADE_UP_NAME = /^(onnx::.*|\d+|)$/;

function withNames(entries: readonly FoundWeight[]): Layer[] {
  const used = new Set<string>();
  return entries.map((entry) => {
    const { node } = entry.uses[0];
    // A Constant node's output carries no name of its own.
    const fromConstant = node.inputs.includes(entry.weightName) && entry.weight.name !== entry.weightName;
    const base = MADE_UP_NAME.test(entry.weightName) || fromConstant ? nodeLabel(node) : entry.weightName;
    let name = base;
    for (let count = 2; used.has(name); count++) name = `${base} (${count})`;
    used.add(name);
    const { weightName, weight, view, uses } = entry;
    return { name, op: node.opType, weightName, weight, view, uses };
  });
}
