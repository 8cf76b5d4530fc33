/** What a rule sees of its node: operands, attributes and the opset. Whatever is missing or malformed reads as null. */
import type { Node, Shape } from "../schema";
import { MAX_RANK } from "./dimensions";
import { numbers, type SmallTensor } from "./smallTensor";

export interface RuleContext {
  readonly node: Node;
  /** Version of the ONNX operator set. */
  readonly opset: number;
  /** Whether input `index` is given ("" stands for an absent optional input). */
  readonly has: (index: number) => boolean;
  /** Null where the rank is unknown or the input is absent. */
  readonly shape: (index: number) => Shape;
  /** The elements, where they are few and known. */
  readonly value: (index: number) => SmallTensor | null;
}

/** The shapes of the outputs in order; outputs past the end of the list are unknown. */
export type ShapeRule = (context: RuleContext) => readonly Shape[];

/** The elements of the outputs, whose shapes are those that the shape rule found. */
export type ValueRule = (context: RuleContext, outputs: readonly Shape[]) => readonly (SmallTensor | null)[];

/** Index under which {@link RuleContext.value} gives the tensor in attribute `value` of Constant and ConstantOfShape. */
export const CONSTANT = -1;

/** No output is known. */
export const UNKNOWN: readonly Shape[] = [];

/** Integer attribute; `fallback` where it is absent, null where it is of another kind. */
export function int<T>(node: Node, name: string, fallback: T): number | T | null {
  const attribute = node.attributes.get(name);
  if (!attribute) return fallback;
  return attribute.kind === "int" ? attribute.value : null;
}

export function ints<T>(node: Node, name: string, fallback: T): readonly number[] | T | null {
  const attribute = node.attributes.get(name);
  if (!attribute) return fallback;
  return attribute.kind === "ints" ? attribute.values : null;
}

export function text<T>(node: Node, name: string, fallback: T): string | T | null {
  const attribute = node.attributes.get(name);
  if (!attribute) return fallback;
  return attribute.kind === "string" ? attribute.value : null;
}

export function floats(node: Node, name: string): readonly number[] | null {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "floats" ? attribute.values : null;
}

export function float(node: Node, name: string): number | null {
  const attribute = node.attributes.get(name);
  return attribute?.kind === "float" ? attribute.value : null;
}

/**
 * A list that newer opsets take as an input and older ones as an attribute. Which of the two a node uses shows in the
 * node itself, so models with a wrong or no opset are read as well. Undefined: absent; null: present but unknown.
 */
export function operand(context: RuleContext, index: number, attribute: string): readonly number[] | null | undefined {
  return context.has(index) ? numbers(context.value(index)) : ints(context.node, attribute, undefined);
}

/** `axis` counted from the front, or null if there is no such axis. */
export function axisOf(axis: number | null, rank: number): number | null {
  if (axis === null || !Number.isInteger(axis) || axis < -rank || axis >= rank) return null;
  return axis < 0 ? axis + rank : axis;
}

/** Null if an axis does not exist or is named twice. */
export function axesOf(axes: readonly number[], rank: number): number[] | null {
  // Checked first, as the list may be as long as the file allows, and is searched for every axis.
  if (axes.length > Math.min(rank, MAX_RANK)) return null;
  const result: number[] = [];
  for (const given of axes) {
    const axis = axisOf(given, rank);
    if (axis === null || result.includes(axis)) return null;
    result.push(axis);
  }
  return result;
}
