import { constantOf } from "./constantNodes";
import type { Graph, Node, TensorInfo } from "./schema";

/** Who makes and who reads each value of a graph. Built once; every walk over the graph goes through it. */
export interface GraphIndex {
  readonly graph: Graph;
  /** Value name → the node that makes it. */
  readonly producers: ReadonlyMap<string, Node>;
  /** Value name → the nodes that read it, also from inside their subgraphs. */
  readonly consumers: ReadonlyMap<string, readonly Node[]>;
  /** Initializers, sparse ones too, and the tensors of Constant nodes under the node's output. */
  readonly constants: ReadonlyMap<string, TensorInfo>;
  readonly outputs: ReadonlySet<string>;
  /** What the caller feeds: graph inputs without an initializer. */
  readonly dataInputs: Graph["inputs"];
  /** Every node, each after those it reads from. */
  readonly order: readonly Node[];
  /** The elements of a small tensor (a shape, axes); null where they cannot be told. */
  readonly readSmall: SmallTensorReader;
}

export type SmallTensorReader = (tensor: TensorInfo) => readonly number[] | null;

/** Without `readSmall`, what depends on the elements of tensors (the target of a Reshape) counts as unknown. */
export function indexGraph(graph: Graph, readSmall: SmallTensorReader = () => null): GraphIndex {
  const producers = new Map<string, Node>();
  const consumers = new Map<string, Node[]>();
  const constants = new Map<string, TensorInfo>([...graph.initializers, ...graph.sparseInitializers]);
  for (const node of graph.nodes) {
    for (const output of node.outputs) if (output !== "") producers.set(output, node);
    for (const input of new Set(readsOf(node))) {
      const readers = consumers.get(input);
      if (readers) readers.push(node);
      else consumers.set(input, [node]);
    }
    const constant = constantOf(node);
    if (constant && node.outputs[0]) constants.set(node.outputs[0], constant);
  }
  return {
    graph,
    producers,
    consumers,
    constants,
    outputs: new Set(graph.outputs.map((output) => output.name)),
    dataInputs: graph.inputs.filter(({ name }) => !graph.initializers.has(name) && !graph.sparseInitializers.has(name)),
    order: topologicalOrder(graph, producers),
    readSmall,
  };
}

/** Every value that a node reads; absent optional inputs left out. */
export function readsOf(node: Node): string[] {
  return [...node.inputs.filter((input) => input !== ""), ...node.captured];
}

/**
 * Depth-first, in file order where there is a choice: a file that is sorted already (ONNX asks for it, not all are)
 * keeps its order. The edge that closes a cycle, in a damaged file, is ignored.
 */
function topologicalOrder(graph: Graph, producers: ReadonlyMap<string, Node>): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  for (const root of graph.nodes) {
    if (seen.has(root)) continue;
    seen.add(root);
    const path: { node: Node; reads: readonly string[]; next: number }[] = [
      { node: root, reads: readsOf(root), next: 0 },
    ];
    while (path.length > 0) {
      const top = path[path.length - 1];
      if (top.next === top.reads.length) {
        order.push(top.node);
        path.pop();
        continue;
      }
      const producer = producers.get(top.reads[top.next++]);
      if (!producer || seen.has(producer)) continue;
      seen.add(producer);
      path.push({ node: producer, reads: readsOf(producer), next: 0 });
    }
  }
  return order;
}

/** `nodes` and all that depends on them. */
export function descendants(index: GraphIndex, nodes: readonly Node[]): Set<Node> {
  const found = new Set(nodes);
  for (const node of found) {
    for (const output of node.outputs) for (const reader of index.consumers.get(output) ?? []) found.add(reader);
  }
  return found;
}

/** The nodes that `values` are computed by, going back no further than `known` values. */
export function ancestors(index: GraphIndex, values: Iterable<string>, known: ReadonlySet<string>): Set<Node> {
  const found = new Set<Node>();
  const visit = (value: string): void => {
    const producer = known.has(value) ? undefined : index.producers.get(value);
    if (producer) found.add(producer);
  };
  for (const value of values) visit(value);
  for (const node of found) for (const input of readsOf(node)) visit(input);
  return found;
}
