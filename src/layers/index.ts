import type { GraphIndex } from "../onnx/graphIndex";
import type { Node } from "../onnx/schema";
import { dataDependentNodes } from "../onnx/subgraph";
import { attention } from "./attention";
import { conv } from "./conv";
import { convTranspose } from "./convTranspose";
import { einsum } from "./einsum";
import type { Layer, LayerType, LayerUse, RecognisedLayer, Recognition } from "./layer";
import { linear } from "./linear";
import { nodeLabel } from "./nodes";
import { matMulNBits } from "./matMulNBits";
import { computedWeight, otherOperator } from "./otherOperators";
import { packedProjections } from "./packedProjections";
import { quantized } from "./quantized";
import { unstorable } from "./storedFactor";
import { recurrent } from "./recurrent";
import { subgraphLayers, type Scope, type SkippedNode } from "./subgraphLayers";

/** Tried in order; a new kind of layer is one file and one entry. */
export const layerTypes: readonly LayerType[] = [
  conv,
  convTranspose,
  linear,
  einsum,
  recurrent,
  attention,
  quantized,
  matMulNBits,
];

export type { SkippedNode };

export interface FoundLayers {
  /** In the order in which data reaches them. */
  readonly layers: readonly Layer[];
  readonly skipped: readonly SkippedNode[];
}

/** Every constant-weight layer of the graph, and every constant-weight node that is not analysable, with the reason. */
export function findLayers(index: GraphIndex): FoundLayers {
  const found = new Map<string, FoundWeight>();
  const skipped: SkippedNode[] = [];
  const skip = (node: Node, reason: string): void => {
    skipped.push({ name: nodeLabel(node), op: node.opType, reason });
  };
  const scope: Scope = { index, dataDependent: dataDependentNodes(index), outerData: new Set() };
  for (const node of index.order) {
    for (const recognition of recognise(node, scope)) {
      if (recognition.kind === "skipped") {
        skip(node, recognition.reason);
      } else if (!scope.dataDependent.has(node)) {
        skip(node, "its input is the same whatever data the model is given");
      } else {
        const { use, ...rest } = recognition;
        const key = weightKey(recognition);
        const entry = found.get(key);
        if (!entry) {
          found.set(key, { ...rest, key, uses: [use] });
        } else if (sameReading(entry, recognition)) {
          entry.uses.push(use);
        } else {
          entry.conflict = nodeLabel(node);
          skip(node, `it shares its weight with ${nodeLabel(entry.uses[0].node)}, which reads it in another way`);
        }
      }
    }
    skipped.push(...subgraphLayers(node, scope, recognise));
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
  return { layers: withNames(layers, index), skipped };
}

const typeOf = new Map(layerTypes.flatMap((type) => type.ops.map((op) => [op, type] as const)));

function recognise(node: Node, { index, dataDependent }: Scope): readonly Recognition[] {
  const type = typeOf.get(node.domain === "" ? node.opType : `${node.domain}:${node.opType}`);
  if (!type) return otherOperator(node, index);
  const own = type.recognise(node, index);
  return own.length === 0 ? computedWeight(node, index, dataDependent, type.operands?.(node) ?? [0, 1]) : own;
}

interface FoundWeight extends Omit<RecognisedLayer, "use"> {
  readonly key: string;
  readonly uses: LayerUse[];
  conflict?: string;
}

/** Layers of one stored tensor are one layer, but for those that each read another slice of it. */
function weightKey({ weight, use }: RecognisedLayer): string {
  return weight.steps.some(({ kind }) => kind === "slice") ? use.weight : weight.name;
}

/** Whether another use of the same stored tensor makes the same matrix of it, and can share its factors. */
function sameReading(entry: FoundWeight, other: RecognisedLayer): boolean {
  return (
    entry.kept === other.kept &&
    JSON.stringify([entry.weight.steps, entry.view]) === JSON.stringify([other.weight.steps, other.view]) &&
    entry.uses[0].factorLayout === other.use.factorLayout
  );
}

/** Exporters that rename weights write `onnx::Conv_263` or a bare number; the node's name then says more. */
const MADE_UP_NAME = /^(onnx::.*|\d+|)$/;

function withNames(entries: readonly FoundWeight[], index: GraphIndex): Layer[] {
  const used = new Set<string>();
  return entries.map(({ weight, view, uses, key, kept, part, parts }) => {
    const { node } = uses[0];
    // A Constant node's output carries no name of its own, and a slice's may be any exporter's.
    const unnamed = weight.tensor.name !== weight.name || key !== weight.name;
    const ofNode = part === undefined ? nodeLabel(node) : `${nodeLabel(node)} ${part}`;
    const base = MADE_UP_NAME.test(weight.name) || unnamed ? ofNode : weight.name;
    let name = base;
    for (let count = 2; used.has(name); count++) name = `${base} (${count})`;
    used.add(name);
    return {
      name,
      op: node.opType,
      weightName: key,
      weight,
      view,
      kept: kept ?? unstorable(weight),
      parts: parts ?? (uses.length === 1 ? packedProjections(uses[0], view, index) : []),
      uses,
    };
  });
}
