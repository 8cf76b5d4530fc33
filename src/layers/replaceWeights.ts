import type { NewNode } from "../onnx/encode";
import { ELEMENT_TYPES, type Node } from "../onnx/schema";
import type { Layer } from "./layer";
import { copyNode } from "./nodes";

/** A layer, and the value that is to be its weight. */
export interface ReplacedWeight {
  readonly layer: Layer;
  readonly weight: string;
  /** Whether the value is float32 though the layer's weight may be of another type; without it, it is of that type. */
  readonly isFloat32?: boolean;
}

/** What takes the place of each node that applies one of the weights; a node may apply several. */
export function withWeights(replaced: readonly ReplacedWeight[]): Map<Node, readonly NewNode[]> {
  const nodes = new Map<Node, readonly NewNode[]>();
  for (const { layer, weight, isFloat32 = false } of replaced) {
    const { elementType } = layer.weight;
    for (const [at, use] of layer.uses.entries()) {
      const before = nodes.get(use.node) ?? [copyNode(use.node, {})];
      const casts = isFloat32 && elementType !== "float32";
      const own = casts ? `${weight}/${at}` : weight;
      const cast: NewNode = {
        opType: "Cast",
        name: own,
        inputs: [weight],
        outputs: [own],
        attributes: { to: ELEMENT_TYPES[elementType] },
      };
      const [last] = before.slice(-1);
      nodes.set(use.node, [...before.slice(0, -1), ...(casts ? [cast] : []), ...use.withWeight(own, last)]);
    }
  }
  return nodes;
}
