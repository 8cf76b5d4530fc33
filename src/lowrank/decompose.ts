import { joined } from "../layers/emit";
import type { Factors, Layer } from "../layers/layer";
import { withWeights } from "../layers/replaceWeights";
import { weightElements } from "../layers/weights";
import type { Matrix } from "../numerics/matrix";
import type { GraphEdit } from "../onnx/edit";
import type { NewInitializer, NewNode } from "../onnx/encode";
import type { GraphIndex } from "../onnx/graphIndex";
import type { OpenModel } from "../onnx/reader";
import type { Node } from "../onnx/schema";
import { storedFactor } from "../layers/storedFactor";

/** A layer that is to become two. */
export interface Decomposition {
  readonly layer: Layer;
  readonly factors: Factors;
}

/** The edit that puts two layers in the place of each decomposed one; weights that nothing else reads are removed. */
export function decompositionEdit(
  { model, index }: { readonly model: OpenModel; readonly index: GraphIndex },
  decompositions: readonly Decomposition[],
): GraphEdit {
  const fresh = freshNames(valueNames(index));
  // onnxruntime refuses two nodes of one name; a model that was decomposed before has such names already.
  const freshNode = freshNames(new Set(index.graph.nodes.map(({ name }) => name)));
  const replaceNodes = new Map<Node, readonly NewNode[]>();
  const addInitializers: NewInitializer[] = [];
  for (const { layer, factors } of decompositions) {
    const names = { first: fresh(`${layer.weightName}.low_rank_B`), second: fresh(`${layer.weightName}.low_rank_A`) };
    const stored = layer.uses[0].factorInitializers(factors, names).map((it) => storedFactor(model.wire, layer, it));
    const { initializers, nodes: before } = joined(...stored);
    addInitializers.push(...initializers);
    // Nodes come after those that they read from: what makes the factors stands before all who use them.
    const inOrder = [...layer.uses].sort((one, other) => one.node.index - other.node.index);
    for (const [at, use] of inOrder.entries()) {
      const nodes = [...(at === 0 ? before : []), ...use.decomposed(names, fresh(`${use.output}.low_rank`))];
      const own = use.node.name;
      replaceNodes.set(
        use.node,
        nodes.map((node) => (node.name === own ? node : { ...node, name: freshNode(node.name) })),
      );
    }
  }
  return withoutUnusedWeights(
    index,
    decompositions.map(({ layer }) => layer),
    { replaceNodes, addInitializers },
  );
}

/** The edit that puts W′ (still m×d) in the place of every layer's W. */
export function projectionEdit(
  index: GraphIndex,
  projected: readonly { readonly layer: Layer; readonly matrices: readonly Matrix[] }[],
): GraphEdit {
  const fresh = freshNames(valueNames(index));
  const addInitializers: NewInitializer[] = [];
  const replacements = projected.map(({ layer, matrices }) => {
    const weight = fresh(`${layer.weightName}.projected`);
    const { dims, elementType } = layer.weight;
    addInitializers.push({ name: weight, dims, data: weightElements(layer.view, matrices), elementType });
    return { layer, weight };
  });
  const replaceNodes = withWeights(replacements);
  return withoutUnusedWeights(
    index,
    projected.map(({ layer }) => layer),
    { replaceNodes, addInitializers },
  );
}

/** Removes the weights that nothing reads any more, and the nodes between them and their layers. */
function withoutUnusedWeights(
  index: GraphIndex,
  layers: readonly Layer[],
  edit: { replaceNodes: Map<Node, readonly NewNode[]>; addInitializers: NewInitializer[] },
): GraphEdit {
  const unused = new Set<string>();
  const reads = (node: Node, value: string): boolean => {
    const replacement = edit.replaceNodes.get(node);
    return !replacement || replacement.some(({ inputs }) => inputs.includes(value));
  };
  const candidates = layers.flatMap(({ uses }) => uses.map(({ weight }) => weight));
  for (const value of candidates) {
    const isRead = index.outputs.has(value) || index.consumers.get(value)?.some((node) => reads(node, value));
    if (isRead) continue;
    const producer = index.producers.get(value);
    if (!producer) {
      unused.add(value);
    } else if (!edit.replaceNodes.has(producer)) {
      edit.replaceNodes.set(producer, []);
      candidates.push(...producer.inputs);
    }
  }
  return { ...edit, keepInitializer: (name) => !unused.has(name) };
}

function valueNames({ graph, producers }: GraphIndex): Set<string> {
  return new Set([...producers.keys(), ...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
}

/** Names that are not `taken` yet. */
function freshNames(taken: Set<string>): (wanted: string) => string {
  return (wanted) => {
    let name = wanted;
    for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`;
    taken.add(name);
    return name;
  };
}
