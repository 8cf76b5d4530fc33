/**
 * Elements of the small tensors that a graph computes shapes with: Shape → Gather → Concat → Reshape and the like.
 * A rule gives null for an output whose elements it cannot tell, and a null element for a single unknown number.
 */
import { ELEMENT_TYPES, type Dimension, type Shape } from "../schema";
import { CONSTANT, int, type ValueRule } from "./context";
import { broadcast, divideExactly, isSize, multiply, product, subtract, add } from "./dimensions";
import { shapeRange } from "./reducing";
import { elementCount, scalar, smallTensor, strides, view, type Arithmetic, type SmallTensor } from "./smallTensor";

export const shapeValue: ValueRule = (context, [output]) => {
  const x = context.shape(0);
  const reported = x && shapeRange(context, x.length);
  return [reported ? smallTensor(output, x.slice(reported.start, reported.end), "integer") : null];
};

export const sizeValue: ValueRule = ({ shape }) => {
  const x = shape(0);
  return [x ? smallTensor([], [product(x)], "integer") : null];
};

/** Same elements in another shape: Reshape, Squeeze, Identity, … */
export const sameElements: ValueRule = ({ value }, [output]) => {
  const x = value(0);
  return [x && smallTensor(output, x.elements, x.arithmetic)];
};

export const constantOfShapeValue: ValueRule = ({ node, value }, [output]) => {
  const count = elementCount(output);
  const attribute = node.attributes.get("value");
  // The default is one zero of type float32 (ONNX: ConstantOfShape).
  const fill = attribute ? value(CONSTANT) : smallTensor([], [0], "float32");
  if (count === null || fill?.elements.length !== 1) return [null];
  return [smallTensor(output, new Array<Dimension>(count).fill(fill.elements[0]), fill.arithmetic)];
};

export const constantValue: ValueRule = ({ node, value }) => {
  const whole = node.attributes.get("value_int") ?? node.attributes.get("value_float");
  if (whole?.kind === "int") return [smallTensor([], [whole.value], "integer")];
  if (whole?.kind === "float") return [smallTensor([], [whole.value], "float32")];
  const list = node.attributes.get("value_ints") ?? node.attributes.get("value_floats");
  if (list?.kind === "ints") return [smallTensor([list.values.length], list.values, "integer")];
  if (list?.kind === "floats") return [smallTensor([list.values.length], list.values, "float32")];
  return [value(CONSTANT)];
};

type Cast = (x: number) => Dimension;

/** By the number of the target type. Other types are not used for sizes, and may not hold them exactly. */
const CASTS: ReadonlyMap<number, { readonly arithmetic: Arithmetic; readonly apply: Cast }> = new Map([
  [ELEMENT_TYPES.int32, { arithmetic: "integer", apply: Math.trunc }],
  [ELEMENT_TYPES.int64, { arithmetic: "integer", apply: Math.trunc }],
  [ELEMENT_TYPES.bool, { arithmetic: "integer", apply: (x: number) => (x !== 0 ? 1 : 0) }],
  [ELEMENT_TYPES.float32, { arithmetic: "float32", apply: Math.fround }],
  [ELEMENT_TYPES.float64, { arithmetic: "float64", apply: (x: number) => x }],
]);

/** A symbol is taken to fit the target type: sizes beyond 2²⁴ (float32) or 2³¹ (int32) do not occur as one axis. */
export const castValue: ValueRule = ({ node, value }) => {
  const x = value(0);
  const to = int(node, "to", null);
  const cast = to === null ? undefined : CASTS.get(to);
  if (!x || !cast) return [null];
  const keepsSymbols = to !== ELEMENT_TYPES.bool;
  const elements = x.elements.map((element) =>
    typeof element === "number" ? cast.apply(element) : keepsSymbols ? element : null,
  );
  return [smallTensor(x.shape, elements, cast.arithmetic)];
};

type Binary = (a: Dimension, b: Dimension, arithmetic: Arithmetic) => Dimension;

/** Element by element with broadcasting; what leaves the exact range of numbers becomes unknown. */
export function binary(operation: Binary, result?: Arithmetic): ValueRule {
  return (context) => {
    const [a, b] = [context.value(0), context.value(1)];
    const shape = a && b && broadcast([a.shape, b.shape]);
    if (!shape || elementCount(shape) === null) return [null];
    const [left, right] = [spread(a, shape), spread(b, shape)];
    if (!left || !right) return [null];
    const arithmetic = result ?? a.arithmetic;
    const elements = left.map((element, i) => settled(operation(element, right[i], a.arithmetic), arithmetic));
    return [smallTensor(shape, elements, arithmetic)];
  };
}

function settled(element: Dimension, arithmetic: Arithmetic): Dimension {
  if (typeof element !== "number") return element;
  if (arithmetic === "integer") return Number.isSafeInteger(element) ? element : null;
  return arithmetic === "float32" ? Math.fround(element) : element;
}

/** The elements of `tensor`, repeated to fill `shape`. */
export function spread(tensor: SmallTensor, shape: Shape): readonly Dimension[] | null {
  const own = strides(tensor.shape);
  const offset = (shape?.length ?? 0) - tensor.shape.length;
  const steps = shape?.map((_, axis) => (axis < offset || tensor.shape[axis - offset] === 1 ? 0 : own[axis - offset]));
  return steps ? view(tensor.elements, 0, shape as readonly number[], steps) : null;
}

/** Integers are divided towards zero (ONNX: Div). A symbol is divided only where that leaves no remainder. */
export const quotient: Binary = (a, b, arithmetic) => {
  if (typeof a !== "number" || typeof b !== "number") return divideExactly(a, b);
  if (b === 0) return null;
  return arithmetic === "integer" ? Math.trunc(a / b) : a / b;
};

export const sum: Binary = (a, b) => add(a, b);
export const difference: Binary = (a, b) => subtract(a, b);
export const productOf: Binary = (a, b) => multiply(a, b);
export const least: Binary = (a, b) => (a === b ? a : numeric(a, b, Math.min));
export const greatest: Binary = (a, b) => (a === b ? a : numeric(a, b, Math.max));

function numeric(a: Dimension, b: Dimension, operation: (a: number, b: number) => number): Dimension {
  return typeof a === "number" && typeof b === "number" ? operation(a, b) : null;
}

/** 1 or 0; a symbol is a size, so it equals no negative number. */
export const equals: Binary = (a, b) => {
  if (a === null || b === null) return null;
  if (a === b) return 1;
  if (typeof a === "number" && typeof b === "number") return 0;
  return [a, b].some((side) => typeof side === "number" && !isSize(side)) ? 0 : null;
};

/** Floor, Ceil, Neg, Not, …: numbers one by one; `symbols` says whether a size stays what it is. */
export function unary(operation: (x: number) => number, symbols: "kept" | "unknown"): ValueRule {
  return ({ value }) => {
    const x = value(0);
    const apply = (element: Dimension) =>
      typeof element === "number" ? operation(element) : symbols === "kept" ? element : null;
    return [x && smallTensor(x.shape, x.elements.map(apply), x.arithmetic)];
  };
}

/** Picks by condition; where that is unknown, what both choices agree on. */
export const whereValue: ValueRule = ({ value }) => {
  const [condition, a, b] = [value(0), value(1), value(2)];
  const shape = condition && a && b && broadcast([condition.shape, a.shape, b.shape]);
  if (!shape || elementCount(shape) === null) return [null];
  const [picks, yes, no] = [spread(condition, shape), spread(a, shape), spread(b, shape)];
  if (!picks || !yes || !no) return [null];
  const elements = picks.map((pick, i) =>
    typeof pick === "number" ? (pick !== 0 ? yes[i] : no[i]) : yes[i] === no[i] ? yes[i] : null,
  );
  return [smallTensor(shape, elements, a.arithmetic)];
};

/** Of a whole vector only: the number of elements that a shape describes. */
export const reduceProdValue: ValueRule = ({ value }, [output]) => {
  const x = value(0);
  return [x && elementCount(output) === 1 ? smallTensor(output, [product(x.elements)], x.arithmetic) : null];
};

export const rangeValue: ValueRule = ({ value }, [output]) => {
  const [first, step, count] = [value(0), scalar(value(2)), elementCount(output)];
  const start = scalar(first);
  if (!first || start === null || step === null || count === null) return [null];
  return [
    smallTensor(
      output,
      Array.from({ length: count }, (_, i) => settled(start + i * step, first.arithmetic)),
      first.arithmetic,
    ),
  ];
};
