/** Elements of small tensors, known without running the model: shapes that a graph computes with, and their constants. */
import type { Dimension, ElementType, Shape } from "../schema";
import { isSize, MAX_RANK } from "./dimensions";

/**
 * A shape has at most {@link MAX_RANK} entries and a computed Pad or Slice operand twice that; some exporters index with
 * longer constants. More than this is data, not a shape.
 */
export const MAX_ELEMENTS = 512;

/** What arithmetic on the elements does: truncate, round to single precision, or neither. Booleans are integers 0, 1. */
export type Arithmetic = "integer" | "float32" | "float64";

export interface SmallTensor {
  readonly shape: readonly number[];
  /** Row-major. A symbol is a dimension of the model's inputs (or a product of some); null is an unknown number. */
  readonly elements: readonly Dimension[];
  readonly arithmetic: Arithmetic;
}

/** Null where the elements do not fill the shape, or are too many to follow. */
export function smallTensor(shape: Shape, elements: readonly Dimension[], arithmetic: Arithmetic): SmallTensor | null {
  return elementCount(shape) === elements.length ? { shape: shape as readonly number[], elements, arithmetic } : null;
}

/** Number of elements if that is known and small enough to follow them, else null. */
export function elementCount(shape: Shape): number | null {
  if (!shape || shape.length > MAX_RANK) return null;
  let count = 1;
  for (const dim of shape) {
    if (!isSize(dim)) return null;
    count *= dim;
    if (count > MAX_ELEMENTS && !shape.includes(0)) return null;
  }
  return count <= MAX_ELEMENTS ? count : null;
}

/** Null for types that shapes are never computed in: half precision would need its own rounding. */
export function arithmeticOf(type: ElementType | null): Arithmetic | null {
  switch (type) {
    case "float32":
    case "float64":
      return type;
    case "bool":
    case "int8":
    case "int16":
    case "int32":
    case "int64":
    case "uint8":
    case "uint16":
    case "uint32":
    case "uint64":
      return "integer";
    default:
      return null;
  }
}

/** The elements as plain numbers, or null if one is a symbol or unknown. */
export function numbers(tensor: SmallTensor | null): readonly number[] | null {
  if (!tensor) return null;
  const { elements } = tensor;
  return elements.every((element) => typeof element === "number") ? elements : null;
}

/** The only element, as a number. */
export function scalar(tensor: SmallTensor | null): number | null {
  const elements = numbers(tensor);
  return elements?.length === 1 ? elements[0] : null;
}

/** Distance between neighbours along each axis of a row-major tensor. */
export function strides(shape: readonly number[]): number[] {
  const result = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    result[axis] = step;
    step *= shape[axis];
  }
  return result;
}

/** Copy in row-major order of the view of `elements` that starts at `offset` and moves by `steps` along each axis. */
export function view(
  elements: readonly Dimension[],
  offset: number,
  shape: readonly number[],
  steps: readonly number[],
): Dimension[] | null {
  const count = elementCount(shape);
  if (count === null) return null;
  const result = new Array<Dimension>(count);
  for (let index = 0; index < count; index++) {
    let rest = index;
    let at = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]) * steps[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    result[index] = elements[at] ?? null;
  }
  return result;
}
