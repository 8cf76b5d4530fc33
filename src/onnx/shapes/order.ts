import type { Graph, Node } from "../schema";

/**
 * Which node defines each value. Two nodes may not define the same one, but there are files in which two Constant nodes
 * do; onnxruntime runs those, with the last one.
 */
export function producersOf(graph: Graph): ReadonlyMap<string, Node> {
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) {
    for (const name of node.outputs) if (name !== "") producers.set(name, node);
  }
  return producers;
}

/**
 * The nodes so that each comes after those whose outputs it reads, in linear time. Nodes on a cycle, and those behind
 * one, are left out: such a graph cannot run. Names that nothing produces do not hold a node back.
 */
export function topologicalOrder(graph: Graph, producers: ReadonlyMap<string, Node>): readonly Node[] {
  const waitingFor = new Map<Node, number>();
  const readers = new Map<Node, Node[]>();
  const ready: Node[] = [];
  for (const node of graph.nodes) {
    const before = new Set<Node>();
    for (const names of [node.inputs, node.captured]) {
      for (const name of names) {
        const producer = producers.get(name);
        if (producer) before.add(producer);
      }
    }
    for (const producer of before) {
      const known = readers.get(producer);
      if (known) known.push(node);
      else readers.set(producer, [node]);
    }
    if (before.size === 0) ready.push(node);
    else waitingFor.set(node, before.size);
  }
  // `ready` grows while it is walked.
  for (const node of ready) {
    for (const reader of readers.get(node) ?? []) {
      const left = (waitingFor.get(reader) ?? 0) - 1;
      waitingFor.set(reader, left);
      if (left === 0) ready.push(reader);
    }
  }
  return ready;
}
