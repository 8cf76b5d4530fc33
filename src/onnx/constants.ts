import { chainRule, type ConstantStep } from "./constantSteps";
import type { GraphIndex } from "./graphIndex";
import type { ElementType, Node, TensorInfo } from "./schema";
import { tooManyZeros } from "./sparse";

/** A constant as a node reads it: a stored tensor, and what a chain of nodes makes of it. */
export interface Constant {
  /** The value that holds the stored tensor: an initializer, or the output of a Constant node. */
  readonly name: string;
  readonly tensor: TensorInfo;
  readonly steps: readonly ConstantStep[];
  /** After the steps. */
  readonly dims: readonly number[];
  readonly elementType: ElementType | null;
}

export type ResolvedConstant =
  | { readonly kind: "constant"; readonly constant: Constant }
  /** A stored tensor is at the chain's end, but what comes out cannot be told without running it. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** Longer chains are not written by any exporter; a damaged file may close one to a cycle. */
const LONGEST_CHAIN = 64;

/** Whether a constant can be read through the node. */
export function isChainNode(node: Node): boolean {
  return chainRule(node) !== undefined;
}

/** The constant that `value` holds; null where no stored tensor is behind it, or another operator lies between. */
export function resolveConstant(index: GraphIndex, value: string): ResolvedConstant | null {
  const chain: Node[] = [];
  let name = value;
  let tensor = index.constants.get(name);
  while (!tensor) {
    const producer = index.producers.get(name);
    if (!producer || !isChainNode(producer) || chain.length === LONGEST_CHAIN) return null;
    chain.push(producer);
    name = producer.inputs[0] ?? "";
    tensor = index.constants.get(name);
  }
  const tooLarge = tooManyZeros(tensor);
  if (tooLarge !== undefined) return { kind: "unreadable", reason: `its weight is ${tooLarge}` };
  let constant: Constant = { name, tensor, steps: [], dims: tensor.dims, elementType: tensor.elementType };
  for (const node of chain.reverse()) {
    const next = chainRule(node)?.(constant, node, index) ?? "which is not known";
    if (typeof next === "string") {
      const reason = `its weight is made by the ${node.opType} ${node.name || (node.outputs[0] ?? "")}, ${next}`;
      return { kind: "unreadable", reason };
    }
    const { dims, elementType, step } = next;
    constant = { ...constant, dims, elementType, steps: step ? [...constant.steps, step] : constant.steps };
  }
  return { kind: "constant", constant };
}
