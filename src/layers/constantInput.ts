import { resolveConstant, type Constant } from "../onnx/constants";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Node } from "../onnx/schema";
import { skipped, type Recognition, type WeightConstant } from "./layer";
import { floatWeight } from "./nodes";

/** The constant that is the node's input number `position`, of any type; or why there is none to be analysed. */
export function constantInput(node: Node, index: GraphIndex, position: number): Constant | readonly Recognition[] {
  const name = node.inputs[position];
  if (name === undefined) return [];
  const resolved = resolveConstant(index, name);
  if (!resolved) return [];
  return resolved.kind === "unreadable" ? skipped(resolved.reason) : resolved.constant;
}

/** The same, of floating-point numbers. */
export function floatInput(node: Node, index: GraphIndex, position: number): WeightConstant | readonly Recognition[] {
  const constant = constantInput(node, index, position);
  if (!("tensor" in constant)) return constant;
  const weight = floatWeight(constant);
  return typeof weight === "string" ? skipped(weight) : weight;
}
