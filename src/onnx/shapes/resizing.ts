/** Resize and Upsample: output sizes given, or scales. */
import type { Dimension, Shape } from "../schema";
import { axesOf, float, floats, ints, text, UNKNOWN, type RuleContext, type ShapeRule } from "./context";
import { isSize, multiply, unknownShape } from "./dimensions";

/** floor(size·scale), in the single precision in which scales are given and runtimes multiply. */
function scaled(size: Dimension, scale: Dimension): Dimension {
  if (typeof scale !== "number") return null;
  const factor = Math.fround(scale);
  if (!(factor > 0)) return null;
  if (typeof size === "number") return Math.floor(Math.fround(size * factor));
  return Number.isSafeInteger(factor) ? multiply(size, factor) : null;
}

function scaledShape(x: NonNullable<Shape>, scales: readonly Dimension[] | null, axes: readonly number[]): Shape {
  if (scales?.length !== axes.length) return scales ? null : replaced(x, axes, () => null);
  return replaced(x, axes, (i) => scaled(x[axes[i]], scales[i]));
}

function replaced(x: NonNullable<Shape>, axes: readonly number[], by: (i: number) => Dimension): Shape {
  const result = [...x];
  for (const [i, axis] of axes.entries()) result[axis] = by(i);
  return result;
}

/** The elements of a 1-D input; undefined where it is absent or empty, which exporters use for absent. */
function list({ has, shape, value }: RuleContext, index: number): readonly Dimension[] | null | undefined {
  if (!has(index) || shape(index)?.[0] === 0) return undefined;
  return value(index)?.elements ?? null;
}

/**
 * Inputs X, roi, scales, sizes (opset 10: X, scales). With `axes` (opset 18) the lists are about these axes only. Where
 * the output size follows from the region of interest or from the aspect ratio, it is left unknown.
 */
export const resize: ShapeRule = (context) => {
  const { node, shape } = context;
  const x = shape(0);
  if (!x) return UNKNOWN;
  const axes = axesOf(ints(node, "axes", [...x.keys()]) ?? [-1, -1], x.length);
  const mode = text(node, "coordinate_transformation_mode", "");
  const policy = text(node, "keep_aspect_ratio_policy", "stretch");
  if (!axes) return UNKNOWN;
  const scalesInput = node.inputs.length === 2 ? 1 : 2;
  const sizes = scalesInput === 2 ? list(context, 3) : undefined;
  if (sizes !== undefined) {
    if (sizes && sizes.length !== axes.length) return UNKNOWN;
    return [replaced(x, axes, (i) => (policy === "stretch" ? (sizes?.[i] ?? null) : null))];
  }
  const scales = list(context, scalesInput);
  if (scales === undefined) return [unknownShape(x.length)];
  return [scaledShape(x, mode === "tf_crop_and_resize" ? null : scales, axes)];
};

/** Scales as input (opset 9), as attribute (7), or for height and width alone (1). */
export const upsample: ShapeRule = (context) => {
  const { node, shape, has, value } = context;
  const x = shape(0);
  if (!x) return UNKNOWN;
  const axes = [...x.keys()];
  if (has(1)) return [scaledShape(x, value(1)?.elements ?? null, axes)];
  const [height, width] = [float(node, "height_scale"), float(node, "width_scale")];
  const scales =
    floats(node, "scales") ?? (x.length === 4 && height !== null && width !== null ? [1, 1, height, width] : null);
  return scales ? [scaledShape(x, scales, axes)] : UNKNOWN;
};

/** The sizes of the image axes, for operators that take them as an operand (CenterCropPad). */
export const centerCropPad: ShapeRule = ({ node, shape, value }) => {
  const x = shape(0);
  const axes = x && axesOf(ints(node, "axes", [...x.keys()]) ?? [-1, -1], x.length);
  const sizes = value(1)?.elements;
  if (!x || !axes || (sizes && sizes.length !== axes.length)) return UNKNOWN;
  return [replaced(x, axes, (i) => (isSize(sizes?.[i]) ? sizes[i] : null))];
};
