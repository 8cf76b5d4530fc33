/** Reductions, and operators whose output describes or is made from a shape. */
import { constantOf } from "../constantNodes";
import type { Shape } from "../schema";
import { axesOf, axisOf, int, ints, operand, UNKNOWN, type RuleContext, type ShapeRule } from "./context";
import { isSize, unknownShape } from "./dimensions";
import { listedShape } from "./reshaping";

/** ReduceSum and the others: axes as attribute or (opset 13, 18) input; none means all, or none with `noop_with_empty_axes`. */
export const reduce: ShapeRule = (context) => {
  const { node, shape } = context;
  const x = shape(0);
  const keep = int(node, "keepdims", 1);
  const noop = int(node, "noop_with_empty_axes", 0);
  const given = operand(context, 1, "axes");
  if (keep === null || noop === null) return UNKNOWN;
  if (!x) return keep === 0 && noop === 0 && (given === undefined || given?.length === 0) ? [[]] : UNKNOWN;
  if (given === null) return keep !== 0 ? [unknownShape(x.length)] : UNKNOWN;
  if ((given === undefined || given.length === 0) && noop !== 0) return [x];
  const axes = given === undefined || given.length === 0 ? [...x.keys()] : axesOf(given, x.length);
  return axes ? [reduced(x, axes, keep !== 0)] : UNKNOWN;
};

/** ArgMax and ArgMin: one axis, the first by default. */
export const argReduce: ShapeRule = ({ node, shape }) => {
  const x = shape(0);
  const keep = int(node, "keepdims", 1);
  const axis = x && axisOf(int(node, "axis", 0), x.length);
  return x && axis !== null && keep !== null ? [reduced(x, [axis], keep !== 0)] : UNKNOWN;
};

function reduced(x: NonNullable<Shape>, axes: readonly number[], keep: boolean): Shape {
  return keep ? x.map((dim, axis) => (axes.includes(axis) ? 1 : dim)) : x.filter((_, axis) => !axes.includes(axis));
}

/** The axes that a Shape node reports: `start` and `end` (opset 15) are clamped to the rank. */
export function shapeRange({ node }: RuleContext, rank: number): { start: number; end: number } | null {
  const given = { start: int(node, "start", 0), end: int(node, "end", rank) };
  if (given.start === null || given.end === null) return null;
  const clamp = (axis: number) => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank);
  const start = clamp(given.start);
  return { start, end: Math.max(clamp(given.end), start) };
}

export const shapeOf: ShapeRule = (context) => {
  const x = context.shape(0);
  const reported = x && shapeRange(context, x.length);
  return [[reported ? reported.end - reported.start : null]];
};

/** One number, such as Size or Det of a single matrix. */
export const scalarOutput: ShapeRule = () => [[]];

export const constant: ShapeRule = ({ node }) => {
  const dims = constantOf(node)?.dims;
  return dims ? [dims] : UNKNOWN;
};

/** The operand lists the shape; an empty list is a scalar. */
export const constantOfShape: ShapeRule = (context) => [listedShape(context, 0)];

/** RandomNormal, RandomUniform: the shape is an attribute. */
export const shapeAttribute: ShapeRule = ({ node }) => [ints(node, "shape", null)];

/** Indices of the nonzero elements, one row per axis (a scalar counts as one axis). */
export const nonZero: ShapeRule = ({ shape }) => {
  const x = shape(0);
  return [[x ? Math.max(x.length, 1) : null, null]];
};

/** Rows of batch, class and box index. */
export const nonMaxSuppression: ShapeRule = () => [[null, 3]];

/** RoiAlign and MaxRoiPool: one map of given size per region. */
export const roiAlign: ShapeRule = ({ node, shape }) => {
  const pooled = ints(node, "pooled_shape", null);
  const height = pooled ? pooled[0] : int(node, "output_height", 1);
  const width = pooled ? pooled[1] : int(node, "output_width", 1);
  return isSize(height) && isSize(width) ? [[shape(1)?.[0] ?? null, shape(0)?.[1] ?? null, height, width]] : UNKNOWN;
};

/** N×C from the input, the other axes from the grid, whose last axis holds coordinates. */
export const gridSample: ShapeRule = ({ shape }) => {
  const [x, grid] = [shape(0), shape(1)];
  return x && grid && x.length === grid.length && x.length > 2 ? [[...x.slice(0, 2), ...grid.slice(1, -1)]] : UNKNOWN;
};
