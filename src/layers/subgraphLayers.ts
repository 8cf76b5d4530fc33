import { indexGraph, readsOf, descendants, type GraphIndex } from "../onnx/graphIndex";
import { subgraphs } from "../onnx/graphReader";
import type { Graph, Node } from "../onnx/schema";
import type { Recognition } from "./layer";
import { nodeLabel } from "./nodes";

/** A node with a constant weight that is not analysed. */
export interface SkippedNode {
  readonly name: string;
  readonly op: string;
  readonly reason: string;
}

/** A graph as the nodes in it see it: what is around it included. */
export interface Scope {
  readonly index: GraphIndex;
  /** Nodes of this graph, and of those around it, whose results depend on the data; all others give constants. */
  readonly dataDependent: ReadonlySet<Node>;
  /** Values of the surrounding graphs that depend on the data. */
  readonly outerData: ReadonlySet<string>;
}

/** Layers in the bodies of If, Loop and Scan, and in theirs: listed, with the reason why they are not analysed. */
export function subgraphLayers(
  node: Node,
  scope: Scope,
  recognise: (node: Node, scope: Scope) => readonly Recognition[],
  where = "",
): SkippedNode[] {
  const bodies = [...node.attributes.values()].flatMap(subgraphs);
  if (bodies.length === 0) return [];
  const here = `the ${node.opType} "${nodeLabel(node)}"${where}`;
  return bodies.flatMap((body) => {
    const inner = bodyScope(body, scope);
    const reason = `it is inside ${here}; layers in subgraphs are not analysed yet`;
    return inner.index.order.flatMap((it) => [
      ...recognise(it, inner).map(() => ({ name: nodeLabel(it), op: it.opType, reason })),
      ...subgraphLayers(it, inner, recognise, `, inside ${here}`),
    ]);
  });
}

/** The body's own nodes, with the constants and the producers of the graphs around it. */
function bodyScope(body: Graph, outer: Scope): Scope {
  const own = indexGraph(body, outer.index.readSmall);
  const outerData = new Set(outer.outerData);
  for (const { name } of outer.index.dataInputs) outerData.add(name);
  for (const { outputs } of outer.dataDependent) for (const output of outputs) outerData.add(output);
  // What a Loop or Scan hands to its body changes from turn to turn.
  const data = new Set([...outerData, ...own.dataInputs.map(({ name }) => name)]);
  const readers = body.nodes.filter((node) => readsOf(node).some((value) => data.has(value)));
  const index: GraphIndex = {
    ...own,
    constants: new Map([...outer.index.constants, ...own.constants]),
    producers: new Map([...outer.index.producers, ...own.producers]),
  };
  return { index, dataDependent: new Set([...outer.dataDependent, ...descendants(own, readers)]), outerData };
}
