/** Operators that keep the elements and change the axes around them, or repeat elements along axes. */
import type { Dimension, Shape } from "../schema";
import { axesOf, axisOf, int, ints, operand, UNKNOWN, type RuleContext, type ShapeRule } from "./context";
import { broadcast, divideExactly, isSize, multiply, product, unknownShape } from "./dimensions";

/** The length of a 1-D input, if known: the rank of what it describes. */
function entries({ shape }: RuleContext, index: number): number | null {
  const dims = shape(index);
  return dims?.length === 1 && typeof dims[0] === "number" ? dims[0] : null;
}

/** The dimensions that input `index` lists, null for unknown ones; null where not even their number is known. */
export function listedShape(context: RuleContext, index: number): Shape {
  const value = context.value(index);
  if (value) return value.shape.length === 1 ? value.elements : null;
  const count = entries(context, index);
  return count === null ? null : unknownShape(count);
}

/**
 * Reshape: 0 copies the input's dimension (unless `allowzero`), −1 is what is left of the elements. A target entry that
 * is unknown stands for what is left too, if it is the only one: the number of elements does not change.
 */
export const reshape: ShapeRule = (context) => {
  const { node, shape, has } = context;
  const attribute = ints(node, "shape", null);
  const target = has(1) ? listedShape(context, 1) : attribute;
  const allowZero = int(node, "allowzero", 0);
  if (!target || allowZero === null) return UNKNOWN;
  const data = shape(0);
  const result: Dimension[] = [];
  const left: number[] = [];
  for (const [axis, entry] of target.entries()) {
    const copied = entry === 0 && allowZero === 0;
    if (copied && data && axis >= data.length) return UNKNOWN;
    if (typeof entry === "number" && entry < -1) return UNKNOWN;
    const open = entry === null || entry === -1;
    if (open) left.push(axis);
    result.push(copied ? (data?.[axis] ?? null) : open ? null : entry);
  }
  if (data && left.length === 1) {
    result[left[0]] = divideExactly(product(data), product(result.toSpliced(left[0], 1)));
  }
  return [result];
};

/** Always rank 2: the axes before `axis`, and the others. */
export const flatten: ShapeRule = ({ node, shape }) => {
  const x = shape(0);
  const given = int(node, "axis", 1);
  if (!x) return [[null, null]];
  const axis = given === x.length ? given : axisOf(given, x.length);
  return axis === null ? UNKNOWN : [[product(x.slice(0, axis)), product(x.slice(axis))]];
};

/** `perm` of Transpose, checked; without the attribute the axes are reversed. */
export function permutation({ node }: RuleContext, rank: number): readonly number[] | null {
  const given = ints(node, "perm", undefined);
  if (given === undefined) return Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
  return given?.length === rank ? axesOf(given, rank) : null;
}

export const transpose: ShapeRule = (context) => {
  const x = context.shape(0);
  if (!x) {
    const given = ints(context.node, "perm", null);
    return given ? [unknownShape(given.length)] : UNKNOWN;
  }
  const perm = permutation(context, x.length);
  return perm ? [perm.map((axis) => x[axis])] : UNKNOWN;
};

/** Without axes every axis of length 1 goes, so one unknown dimension makes the rank unknown. */
export const squeeze: ShapeRule = (context) => {
  const x = context.shape(0);
  if (!x) return UNKNOWN;
  const given = operand(context, 1, "axes");
  if (given === undefined) return x.every(isSize) ? [x.filter((dim) => dim !== 1)] : UNKNOWN;
  if (given === null) {
    const count = entries(context, 1);
    return count !== null && count <= x.length ? [unknownShape(x.length - count)] : UNKNOWN;
  }
  const axes = axesOf(given, x.length);
  if (!axes || axes.some((axis) => typeof x[axis] === "number" && x[axis] !== 1)) return UNKNOWN;
  return [x.filter((_, axis) => !axes.includes(axis))];
};

/** The axes count in the output. */
export const unsqueeze: ShapeRule = (context) => {
  const x = context.shape(0);
  const given = operand(context, 1, "axes");
  if (!x || given === undefined) return UNKNOWN;
  if (given === null) {
    const count = entries(context, 1);
    return count === null ? UNKNOWN : [unknownShape(x.length + count)];
  }
  const axes = axesOf(given, x.length + given.length);
  if (!axes) return UNKNOWN;
  const inserted = new Set(axes);
  const rest = x.values();
  return [
    Array.from({ length: x.length + given.length }, (_, axis) =>
      inserted.has(axis) ? 1 : (rest.next().value ?? null),
    ),
  ];
};

/** Broadcasts both ways: an entry of 1 keeps the input's dimension. */
export const expand: ShapeRule = (context) => {
  const target = listedShape(context, 1);
  if (!target || target.some((dim) => typeof dim === "number" && !isSize(dim))) return UNKNOWN;
  return [broadcast([context.shape(0), target])];
};

/** Since opset 6 one count per axis; before it `tiles` and `axis` are two scalars. */
export const tile: ShapeRule = (context) => {
  const { shape, value, node } = context;
  const x = shape(0);
  if (!x || node.inputs.length > 2) return UNKNOWN;
  const repeats = value(1);
  if (!repeats) return [unknownShape(x.length)];
  if (repeats.shape.length !== 1 || repeats.elements.length !== x.length) return UNKNOWN;
  return [x.map((dim, axis) => multiply(dim, repeats.elements[axis]))];
};

/** N×C×H×W → N×C/b²×bH×bW. */
export const depthToSpace: ShapeRule = (context) => blocks(context, divideExactly, multiply);

/** N×C×H×W → N×C·b²×H/b×W/b. */
export const spaceToDepth: ShapeRule = (context) => blocks(context, multiply, divideExactly);

type Scale = (dimension: Dimension, by: number) => Dimension;

function blocks({ node, shape }: RuleContext, channels: Scale, extent: Scale): readonly Shape[] {
  const x = shape(0);
  const size = int(node, "blocksize", null);
  if ((x && x.length !== 4) || !isSize(size) || size === 0) return UNKNOWN;
  const [n, c, h, w] = x ?? [null, null, null, null];
  return [[n, channels(c, size * size), extent(h, size), extent(w, size)]];
}
