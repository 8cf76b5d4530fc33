/** Convolutions and poolings: how many positions a sliding window takes. */
import type { Dimension, Node, Shape } from "../schema";
import { ints, int, text, UNKNOWN, type ShapeRule } from "./context";
import { isSize, multiply } from "./dimensions";

export type AutoPad = "NOTSET" | "VALID" | "SAME_UPPER" | "SAME_LOWER";

/** One spatial axis of a sliding window. */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding at the beginning and at the end; meaningless unless `autoPad` is NOTSET. */
  readonly begin: number;
  readonly end: number;
  readonly autoPad: AutoPad;
  readonly ceil: boolean;
}

/**
 * Positions of the window along an axis of `size` elements (ONNX: Conv, MaxPool, AveragePool, LpPool). In ceil mode a
 * last window that would begin in the padding at the end is left out, as opset 22 spells out and runtimes do.
 */
export function windowPositions(size: Dimension, window: Window): Dimension {
  const { kernel, stride, dilation, autoPad } = window;
  if (autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER") {
    if (typeof size === "number") return Math.ceil(size / stride);
    return stride === 1 ? size : null;
  }
  const [begin, end] = autoPad === "VALID" ? [0, 0] : [window.begin, window.end];
  const extent = (kernel - 1) * dilation + 1;
  if (typeof size !== "number") return stride === 1 && begin + end === extent - 1 ? size : null;
  const room = size + begin + end - extent;
  if (room < 0) return null;
  if (!window.ceil) return Math.floor(room / stride) + 1;
  const last = Math.ceil(room / stride);
  return last * stride >= size + begin ? last : last + 1;
}

/** Output size of a transposed convolution (ONNX: ConvTranspose) without `output_shape`. */
function transposedSize(size: Dimension, window: Window, outputPadding: number): Dimension {
  const { kernel, stride, dilation, autoPad, begin, end } = window;
  const excess = (kernel - 1) * dilation + 1 + outputPadding - stride;
  // SAME pads the excess away, to size·stride; where there is a deficit instead, runtimes do not pad negatively.
  const same = autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER";
  const beyond = same ? Math.min(excess, 0) : excess - (autoPad === "VALID" ? 0 : begin + end);
  if (typeof size === "number") return size > 0 ? stride * size + beyond : null;
  return beyond === 0 ? multiply(size, stride) : null;
}

/** An attribute with one entry per axis, each at least `least`; `fallback` where it is absent or empty. */
function perAxis(node: Node, name: string, count: number, least: number, fallback: number): readonly number[] | null {
  const given = ints(node, name, []);
  if (given?.length === 0) return new Array<number>(count).fill(fallback);
  return given?.length === count && given.every((value) => isSize(value) && value >= least) ? given : null;
}

/** The window along each axis; an axis is null where the kernel size is unknown, everything where attributes are wrong. */
function windows(node: Node, kernel: readonly Dimension[]): (Window | null)[] | null {
  const rank = kernel.length;
  const strides = perAxis(node, "strides", rank, 1, 1);
  const dilations = perAxis(node, "dilations", rank, 1, 1);
  const pads = perAxis(node, "pads", 2 * rank, 0, 0);
  const autoPad = text(node, "auto_pad", "NOTSET");
  const ceil = int(node, "ceil_mode", 0);
  if (!strides || !dilations || !pads || ceil === null || !isAutoPad(autoPad)) return null;
  return kernel.map((size, axis) =>
    typeof size === "number" && size > 0
      ? {
          kernel: size,
          stride: strides[axis],
          dilation: dilations[axis],
          begin: pads[axis],
          end: pads[axis + rank],
          autoPad,
          ceil: ceil !== 0,
        }
      : null,
  );
}

function isAutoPad(value: string | null): value is AutoPad {
  return value === "NOTSET" || value === "VALID" || value === "SAME_UPPER" || value === "SAME_LOWER";
}

/** Spatial kernel size from the attribute, else from the weights (M×C/g×k₁×…); null where the two ranks differ. */
function kernelShape(node: Node, weights: Shape): readonly Dimension[] | null {
  const given = ints(node, "kernel_shape", undefined);
  if (given === null) return null;
  if (!given || given.length === 0) return weights && weights.length > 2 ? weights.slice(2) : null;
  return weights && weights.length !== given.length + 2 ? null : given;
}

/** The spatial axes of X (N×C×…), unknown where X is; null where its rank does not fit the kernel. */
function spatial(x: Shape, kernel: readonly Dimension[]): readonly Dimension[] | null {
  if (!x) return kernel.map(() => null);
  return kernel.length > 0 && x.length === kernel.length + 2 ? x.slice(2) : null;
}

/** Conv and its quantized forms; `weights` is the input that holds W. */
export function convolution(weights: number): ShapeRule {
  return ({ node, shape }) => {
    const x = shape(0);
    const w = shape(weights);
    const kernel = kernelShape(node, w);
    const sizes = kernel && spatial(x, kernel);
    const axes = kernel && windows(node, kernel);
    if (!sizes || !axes) return UNKNOWN;
    const positions = sizes.map((size, axis) => (axes[axis] ? windowPositions(size, axes[axis]) : null));
    return [[x?.[0] ?? null, w?.[0] ?? null, ...positions]];
  };
}

/** W is C×M/group×k₁×…; a given `output_shape` holds the spatial axes, and runtimes also accept all of them. */
export const convTranspose: ShapeRule = ({ node, shape }) => {
  const x = shape(0);
  const w = shape(1);
  const kernel = kernelShape(node, w);
  const sizes = kernel && spatial(x, kernel);
  const axes = kernel && windows(node, kernel);
  const group = int(node, "group", 1);
  if (!sizes || !axes || group === null || group < 1) return UNKNOWN;
  const batchAndChannels = [x?.[0] ?? null, multiply(w?.[1] ?? null, group)];
  const outputShape = ints(node, "output_shape", []);
  if (outputShape === null) return UNKNOWN;
  if (outputShape.length > 0) {
    if (outputShape.length !== sizes.length && outputShape.length !== sizes.length + 2) return UNKNOWN;
    return [[...batchAndChannels, ...outputShape.slice(-sizes.length)]];
  }
  const outputPadding = perAxis(node, "output_padding", sizes.length, 0, 0);
  if (!outputPadding) return UNKNOWN;
  const extents = sizes.map((size, axis) =>
    axes[axis] ? transposedSize(size, axes[axis], outputPadding[axis]) : null,
  );
  return [[...batchAndChannels, ...extents]];
};

/**
 * MaxPool (with its indices), AveragePool, LpPool. With SAME padding and dilation, onnxruntime takes the padding for the
 * undilated kernel and so fewer positions than the specification says: left unknown.
 */
export const pool: ShapeRule = ({ node, shape }) => {
  const x = shape(0);
  const kernel = kernelShape(node, null);
  const sizes = kernel && spatial(x, kernel);
  const axes = kernel && windows(node, kernel);
  if (!sizes || !axes) return UNKNOWN;
  const positions = sizes.map((size, axis) => {
    const window = axes[axis];
    return window && !isSameDilated(window) ? windowPositions(size, window) : null;
  });
  const y = [x?.[0] ?? null, x?.[1] ?? null, ...positions];
  return [y, y];
};

function isSameDilated({ autoPad, kernel, dilation }: Window): boolean {
  return autoPad.startsWith("SAME") && kernel > 1 && dilation > 1;
}

/** GlobalMaxPool, GlobalAveragePool, GlobalLpPool. */
export const globalPool: ShapeRule = ({ shape }) => {
  const x = shape(0);
  return x && x.length >= 2 ? [x.map((dim, axis) => (axis < 2 ? dim : 1))] : UNKNOWN;
};
