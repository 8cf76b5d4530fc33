import { editedModelBytes } from "./edit";
import type { NewNode, NewValue } from "./encode";
import { ancestors, descendants, readsOf, type GraphIndex } from "./graphIndex";
import type { OpenModel } from "./reader";
import type { Node } from "./schema";

/** Nodes whose results depend on the data that is fed; all others give constants. */
export function dataDependentNodes(index: GraphIndex): ReadonlySet<Node> {
  return descendants(
    index,
    index.dataInputs.flatMap(({ name }) => index.consumers.get(name) ?? []),
  );
}

/** Nodes of a graph that are to run, and the values that must be there before. */
export interface Part {
  readonly nodes: ReadonlySet<Node>;
  /** Values that depend on the data and are computed outside the part. */
  readonly boundary: readonly string[];
}

/** What `output` needs of the nodes that depend on `start`; null where it depends on none of them. */
export function partBehind(
  index: GraphIndex,
  start: readonly Node[],
  output: string,
  dataDependent: ReadonlySet<Node>,
): Part | null {
  const behind = descendants(index, start);
  const nodes = new Set([...ancestors(index, [output], new Set())].filter((node) => behind.has(node)));
  return nodes.size === 0 ? null : closedPart(index, nodes, dataDependent);
}

/** The nodes that compute `values` from `known` ones (and from the graph's inputs). */
export function partBetween(
  index: GraphIndex,
  values: readonly string[],
  known: ReadonlySet<string>,
  dataDependent: ReadonlySet<Node>,
): Part {
  return closedPart(index, ancestors(index, values, known), dataDependent);
}

/** Adds the nodes of constants that the part reads, and lists what it reads from elsewhere. */
function closedPart(index: GraphIndex, nodes: ReadonlySet<Node>, dataDependent: ReadonlySet<Node>): Part {
  const inputs = new Set(index.dataInputs.map(({ name }) => name));
  const boundary = new Set<string>();
  const constants = new Set<string>();
  for (const node of nodes) {
    for (const value of readsOf(node)) {
      const producer = index.producers.get(value);
      if (producer ? nodes.has(producer) : !inputs.has(value)) continue;
      if (producer && !dataDependent.has(producer)) constants.add(value);
      else boundary.add(value);
    }
  }
  const all = new Set([...nodes, ...ancestors(index, constants, new Set())]);
  return { nodes: all, boundary: [...boundary] };
}

/** The part as a model of its own: `inputs` must cover the boundary. */
export function partModel(
  model: OpenModel,
  part: Part,
  options: {
    readonly inputs: readonly NewValue[];
    readonly outputs: readonly string[];
    readonly replaceNodes?: ReadonlyMap<Node, readonly NewNode[]>;
  },
): Uint8Array {
  const { nodes, reads } = neededNodes(part, options.outputs, options.replaceNodes);
  return editedModelBytes(model, {
    keepNodes: nodes,
    // One that is not needed here may read what is not there.
    replaceNodes: new Map([...(options.replaceNodes ?? [])].filter(([node]) => nodes.has(node))),
    keepInitializer: (name) => reads.has(name),
    inputs: options.inputs,
    outputs: options.outputs.map((name) => ({ name, elementType: null, shape: null })),
  });
}

/** The part less what only the replaced nodes read (a weight's Transpose, say), and all values that it reads. */
function neededNodes(
  part: Part,
  outputs: readonly string[],
  replaceNodes: ReadonlyMap<Node, readonly NewNode[]> | undefined,
): { nodes: ReadonlySet<Node>; reads: ReadonlySet<string> } {
  const producers = new Map([...part.nodes].flatMap((node) => node.outputs.map((output) => [output, node])));
  const nodes = new Set<Node>();
  const reads = new Set(outputs);
  for (const value of reads) {
    const node = producers.get(value);
    if (!node || nodes.has(node)) continue;
    nodes.add(node);
    const inputs = replaceNodes?.get(node)?.flatMap((replacement) => replacement.inputs) ?? readsOf(node);
    for (const input of inputs) reads.add(input);
  }
  return { nodes, reads };
}
