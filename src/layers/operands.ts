import { resolveConstant } from "../onnx/constants";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Node } from "../onnx/schema";
import { skipped, type Recognition, type WeightConstant } from "./layer";
import { floatWeight } from "./nodes";

/** The operand of a product that is its weight. */
export interface ConstantOperand {
  readonly weight: WeightConstant;
  /** 0 or 1: which of the node's first two inputs. */
  readonly position: 0 | 1;
}

/** The one constant operand among a node's first two; or why there is none to be analysed. */
export function constantOperand(node: Node, index: GraphIndex): ConstantOperand | readonly Recognition[] {
  const [left, right] = node.inputs;
  if (left === undefined || right === undefined) return [];
  const operands = ([0, 1] as const).map((position) => {
    const value = position === 0 ? left : right;
    return { position, resolved: resolveConstant(index, value) };
  });
  const constants = operands.filter(({ resolved }) => resolved?.kind === "constant");
  if (constants.length === 2) return skipped("both its operands are constants");
  const [only] = constants.length === 1 ? constants : operands.filter(({ resolved }) => resolved);
  if (!only?.resolved) return [];
  if (only.resolved.kind === "unreadable") return skipped(only.resolved.reason);
  const weight = floatWeight(only.resolved.constant);
  return typeof weight === "string" ? skipped(weight) : { weight, position: only.position };
}
