/** Operators that take parts of a tensor, put parts together, or put a border around it. */
import type { Dimension, Shape } from "../schema";
import { axesOf, axisOf, int, ints, operand, UNKNOWN, type RuleContext, type ShapeRule } from "./context";
import { add, divideExactly, isSize, sharper, subtract, unknownShape } from "./dimensions";
import { numbers, scalar } from "./smallTensor";

/** What Slice takes along one axis; starts and ends as given, so negative ones count from the end. */
export interface SliceRange<End = number> {
  readonly axis: number;
  readonly start: number;
  readonly end: End;
  readonly step: number;
}

/** Ends from here on mean "to the end" whatever the size: exporters write INT32_MAX or INT64_MAX. */
const TO_THE_END = 2 ** 31 - 1;

/** The ranges of a Slice node, or null where they are malformed or not all known; only an end may be a symbol. */
function symbolicRanges(context: RuleContext, rank: number): readonly SliceRange<Dimension>[] | null {
  const starts = operand(context, 1, "starts");
  const ends = context.has(2) ? context.value(2)?.elements : ints(context.node, "ends", null);
  const given = operand(context, 3, "axes");
  const steps = operand(context, 4, "steps");
  if (!starts || ends?.length !== starts.length || given === null || steps === null) return null;
  const axes = axesOf(given ?? [...starts.keys()], rank);
  if (axes?.length !== starts.length || (steps && steps.length !== starts.length)) return null;
  const ranges = axes.map((axis, i) => ({ axis, start: starts[i], end: ends[i], step: steps?.[i] ?? 1 }));
  return ranges.some(isDoubtful) ? null : ranges;
}

/** Malformed, or backwards to INT64_MAX: the specification takes nothing then, onnxruntime everything before `start`. */
function isDoubtful({ step, end }: SliceRange<Dimension>): boolean {
  return step === 0 || !Number.isInteger(step) || (step < 0 && typeof end === "number" && end >= TO_THE_END);
}

export function sliceRanges(context: RuleContext, rank: number): readonly SliceRange[] | null {
  const ranges = symbolicRanges(context, rank);
  return ranges?.every((range): range is SliceRange => typeof range.end === "number") ? ranges : null;
}

/** First index and number of elements along an axis of known size (ONNX: Slice; out of range values are clamped). */
export function sliceExtent(size: number, { start, end, step }: SliceRange): { first: number; count: number } {
  if (size === 0) return { first: 0, count: 0 };
  const [lowest, highest] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (index: number) => Math.min(Math.max(index < 0 ? index + size : index, lowest), highest);
  // A start before the first element is the first element whichever way the slice goes; an end may be just before it.
  const first = Math.max(clamp(start), 0);
  return { first, count: Math.max(Math.ceil((clamp(end) - first) / step), 0) };
}

/**
 * A symbolic end is taken to lie within an axis of known size above 1: so models cut their tables of positions and
 * masks, and where the sequence is longer than the table they fail.
 */
function slicedDimension(size: Dimension, { axis, start, end, step }: SliceRange<Dimension>): Dimension {
  if (typeof end === "string") {
    const cuts = end === size || (typeof size === "number" && size > 1);
    return start === 0 && step === 1 && cuts ? end : null;
  }
  if (end === null) return null;
  if (typeof size === "number") return sliceExtent(size, { axis, start, end, step }).count;
  return start === 0 && step === 1 && end >= TO_THE_END ? size : null;
}

/** Attributes before opset 10, inputs since; the axes default to the first ones. */
export const slice: ShapeRule = (context) => {
  const x = context.shape(0);
  if (!x) return UNKNOWN;
  const ranges = symbolicRanges(context, x.length);
  if (ranges) {
    const result = [...x];
    for (const range of ranges) result[range.axis] = slicedDimension(x[range.axis], range);
    return [result];
  }
  // The bounds are computed at run time; where at least the axes are fixed, the other dimensions stay.
  const given = operand(context, 3, "axes");
  const axes = given && context.has(1) ? axesOf(given, x.length) : null;
  return [axes ? x.map((dim, axis) => (axes.includes(axis) ? null : dim)) : unknownShape(x.length)];
};

/** Sizes of the parts of a Split: given as input or attribute, else equal; `null` entries are unknown. */
export function splitSizes(context: RuleContext, size: Dimension): readonly Dimension[] | null {
  const { node } = context;
  const given = operand(context, 1, "split");
  if (given === null) return null;
  if (given) return given.every(isSize) ? given : null;
  const parts = int(node, "num_outputs", node.outputs.length);
  if (parts !== node.outputs.length || parts === 0) return null;
  const equal = divideExactly(size, parts);
  if (typeof size !== "number" || equal !== null) return node.outputs.map(() => equal);
  if (!node.attributes.has("num_outputs")) return null;
  // Opset 18: "if the tensor is not evenly splittable, the last chunk will be smaller".
  const chunk = Math.ceil(size / parts);
  const last = size - chunk * (parts - 1);
  return last < 0 ? null : node.outputs.map((_, part) => (part < parts - 1 ? chunk : last));
}

export const split: ShapeRule = (context) => {
  const x = context.shape(0);
  const axis = x && axisOf(int(context.node, "axis", 0), x.length);
  if (!x || axis === null) return UNKNOWN;
  const sizes = splitSizes(context, x[axis]);
  return context.node.outputs.map((_, part) => x.with(axis, sizes?.[part] ?? null));
};

/** The other axes are the same in all inputs, so each takes the most that any input says. */
export const concat: ShapeRule = ({ node, shape, opset }) => {
  const inputs = node.inputs.map((_, index) => shape(index));
  const known = inputs.filter((dims) => dims !== null);
  const rank = known.at(0)?.length;
  if (rank === undefined || known.some((dims) => dims.length !== rank)) return UNKNOWN;
  // Until opset 3 the attribute was optional.
  const axis = axisOf(int(node, "axis", opset > 0 && opset < 4 ? 1 : null), rank);
  if (axis === null) return UNKNOWN;
  const result = known.reduce((dims, next) => dims.map((dim, at) => sharper(dim, next[at])));
  return [result.with(axis, inputs.map((dims) => dims?.[axis] ?? null).reduce(add, 0))];
};

/** `pads` lists what to add at the beginning of every axis, then at the end; negative entries crop. */
export const pad: ShapeRule = (context) => {
  const { node, shape, has, value } = context;
  const x = shape(0);
  if (!x) return UNKNOWN;
  const attribute = ints(node, "pads", null) ?? ints(node, "paddings", null);
  const pads: readonly Dimension[] | null = has(1) ? (value(1)?.elements ?? null) : attribute;
  const given = has(3) ? numbers(value(3)) : [...x.keys()];
  const axes = given && axesOf(given, x.length);
  if (!pads || !axes) return [unknownShape(x.length)];
  if (pads.length !== 2 * axes.length) return UNKNOWN;
  const result = [...x];
  for (const [i, axis] of axes.entries()) result[axis] = add(x[axis], add(pads[i], pads[i + axes.length]));
  return [result];
};

/** The indices take the place of the axis. */
export const gather: ShapeRule = ({ node, shape }) => {
  const [data, indices] = [shape(0), shape(1)];
  const axis = data && axisOf(int(node, "axis", 0), data.length);
  return data && indices && axis !== null ? [data.toSpliced(axis, 1, ...indices)] : UNKNOWN;
};

/** GatherElements, MaxUnpool-like selections: the output is shaped as the indices. */
export const asIndices: ShapeRule = ({ shape }) => [shape(1)];

/** Each row of the last axis of the indices is one index into the data, after `batch_dims` shared axes. */
export const gatherND: ShapeRule = ({ node, shape }) => {
  const [data, indices] = [shape(0), shape(1)];
  const depth = indices?.at(-1);
  const shared = int(node, "batch_dims", 0);
  if (!data || !indices || !isSize(depth) || !isSize(shared) || shared + depth > data.length) return UNKNOWN;
  return [[...indices.slice(0, -1), ...data.slice(shared + depth)]];
};

/** Values and indices of the k largest along an axis; k was an attribute before opset 10. */
export const topK: ShapeRule = ({ node, shape, has, value }) => {
  const x = shape(0);
  const axis = x && axisOf(int(node, "axis", -1), x.length);
  if (!x || axis === null) return UNKNOWN;
  const k: Dimension = has(1) ? single(value(1)?.elements) : int(node, "k", null);
  const y: Shape = x.with(axis, k);
  return [y, y];
};

/** A new axis of length `depth` among those of the indices. */
export const oneHot: ShapeRule = ({ node, shape, value }) => {
  const indices = shape(0);
  const axis = indices && axisOf(int(node, "axis", -1), indices.length + 1);
  return indices && axis !== null ? [indices.toSpliced(axis, 0, single(value(1)?.elements))] : UNKNOWN;
};

function single(elements: readonly Dimension[] | undefined): Dimension {
  return elements?.length === 1 ? elements[0] : null;
}

/** From `start` to `limit`, exclusive, by `delta`. */
export const range: ShapeRule = ({ value }) => {
  const [start, limit, delta] = [scalar(value(0)), single(value(1)?.elements), scalar(value(2))];
  if (start === null || delta === null || delta === 0) return [[null]];
  if (typeof limit !== "number") return [[delta === 1 ? subtract(limit, start) : null]];
  return [[Math.max(Math.ceil((limit - start) / delta), 0)]];
};
