import type { Constant } from "../onnx/constants";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Node } from "../onnx/schema";
import { dataDependentNodes } from "../onnx/subgraph";
import { conv } from "./conv";
import { convTranspose } from "./convTranspose";
import type { Layer, LayerType, LayerUse, Recognition, WeightView } from "./layer";
import { linear } from "./linear";
import { nodeLabel } from "./nodes";
import { computedWeight, otherOperator } from "./otherOperators";
import { subgraphLayers, type Scope, type SkippedNode } from "./subgraphLayers";

/** Tried in order; a new kind of layer is one file and one entry. */
export const layerTypes: readonly LayerType[] = [conv, convTranspose, linear];

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
    const recognition = recognise(node, scope);
    if (recognition.kind === "skipped") skip(node, recognition.reason);
    if (recognition.kind === "layer" && !scope.dataDependent.has(node)) {
      skip(node, "its input is the same whatever data the model is given");
    } else if (recognition.kind === "layer") {
      const { weight, view, use } = recognition;
      const entry = found.get(weight.name);
      if (!entry) {
        found.set(weight.name, { weight, view, uses: [use] });
      } else if (sameReading(entry, recognition)) {
        entry.uses.push(use);
      } else {
        entry.conflict = nodeLabel(node);
        skip(node, `it shares its weight with ${nodeLabel(entry.uses[0].node)}, which reads it in another way`);
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
  return { layers: withNames(layers), skipped };
}

function recognise(node: Node, { index, dataDependent }: Scope): Recognition {
  const type = node.domain === "" ? layerTypes.find(({ ops }) => ops.includes(node.opType)) : undefined;
  if (!type) return otherOperator(node, index);
  const own = type.recognise(node, index);
  return own.kind === "none" ? computedWeight(node, index, dataDependent) : own;
}

interface FoundWeight {
  readonly weight: Constant;
  readonly view: WeightView;
  readonly uses: LayerUse[];
  conflict?: string;
}

/** Whether another use of the same stored tensor makes the same matrix of it, and can share its factors. */
function sameReading(entry: FoundWeight, other: { weight: Constant; view: WeightView; use: LayerUse }): boolean {
  return (
    JSON.stringify([entry.weight.steps, entry.view]) === JSON.stringify([other.weight.steps, other.view]) &&
    entry.uses[0].factorLayout === other.use.factorLayout
  );
}

/** Exporters that rename weights write `onnx::Conv_263` or a bare number; the node's name then says more. */
const MADE_UP_NAME = /^(onnx::.*|\d+|)$/;

function withNames(entries: readonly FoundWeight[]): Layer[] {
  const used = new Set<string>();
  return entries.map(({ weight, view, uses }) => {
    const { node } = uses[0];
    // A Constant node's output carries no name of its own.
    const fromConstant = weight.tensor.name !== weight.name;
    const base = MADE_UP_NAME.test(weight.name) || fromConstant ? nodeLabel(node) : weight.name;
    let name = base;
    for (let count = 2; used.has(name); count++) name = `${base} (${count})`;
    used.add(name);
    return { name, op: node.opType, weightName: weight.name, weight, view, uses };
  });
}
