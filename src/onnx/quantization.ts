import type { ElementType, TensorInfo } from "./schema";
import { elementCount } from "./tensor";

/** How numbers stand for others (ONNX operators QuantizeLinear and DequantizeLinear): value = (q − zero point) · scale. */
export interface Quantization {
  readonly scale: TensorInfo;
  readonly zeroPoint: TensorInfo | null;
  /** The axis along which scales differ, where there are several. */
  readonly axis: number;
  /** Elements along the axis that share a scale; 0 where each place of the axis has its own. */
  readonly blockSize: number;
  /** Of the quantized numbers. */
  readonly type: ElementType;
  /** Of the operator: onnxruntime's own has types that ONNX's had not. */
  readonly domain: string;
}

/** Scales and zero points with their values; a missing zero point is 0. */
export interface Scales {
  readonly scale: ArrayLike<number>;
  readonly zeroPoint: ArrayLike<number> | null;
}

/** The numbers that a quantized integer type holds. */
const INTEGER_RANGES: Partial<Record<ElementType, readonly [lowest: number, highest: number]>> = {
  int2: [-2, 1],
  uint2: [0, 3],
  int4: [-8, 7],
  uint4: [0, 15],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int32: [-2147483648, 2147483647],
};

export function integerRange(type: ElementType): readonly [lowest: number, highest: number] | null {
  return INTEGER_RANGES[type] ?? null;
}

/** Why the scales do not fit a tensor of these dims; undefined where they do. */
export function misfit(
  dims: readonly number[],
  { scale, zeroPoint, axis, blockSize }: Quantization,
): string | undefined {
  if (zeroPoint && elementCount(zeroPoint.dims) !== elementCount(scale.dims)) {
    return `with ${elementCount(zeroPoint.dims)} zero points for ${elementCount(scale.dims)} scales`;
  }
  if (elementCount(scale.dims) === 1 && blockSize === 0) return undefined;
  if (axis < 0 || axis >= dims.length) return `along axis ${axis} of [${dims.join(", ")}]`;
  const places = blockSize === 0 ? dims[axis] : Math.ceil(dims[axis] / blockSize);
  const needed = blockSize === 0 ? places : elementCount(dims.map((dim, at) => (at === axis ? places : dim)));
  if (elementCount(scale.dims) === needed) return undefined;
  return `with ${elementCount(scale.dims)} scales, and ${needed} are needed for [${dims.join(", ")}] along axis ${axis}`;
}

/** For each element in C order, the position of its scale. */
export function scaleIndex(
  dims: readonly number[],
  count: number,
  { axis, blockSize }: Pick<Quantization, "axis" | "blockSize">,
): (element: number) => number {
  if (count === 1 && blockSize === 0) return () => 0;
  const inner = elementCount(dims.slice(axis + 1));
  if (blockSize === 0) return (element) => Math.floor(element / inner) % dims[axis];
  const blocks = Math.ceil(dims[axis] / blockSize);
  return (element) => {
    const line = Math.floor(element / inner);
    const block = Math.floor((line % dims[axis]) / blockSize);
    return (Math.floor(line / dims[axis]) * blocks + block) * inner + (element % inner);
  };
}

/** (q − zero point) · scale for every element, in float32. */
export function dequantized(
  values: ArrayLike<number>,
  dims: readonly number[],
  { scale, zeroPoint }: Scales,
  form: Pick<Quantization, "axis" | "blockSize">,
): Float32Array {
  const at = scaleIndex(dims, scale.length, form);
  const result = new Float32Array(values.length);
  for (let i = 0; i < result.length; i++) {
    const index = at(i);
    result[i] = (values[i] - (zeroPoint?.[index] ?? 0)) * scale[index];
  }
  return result;
}

/** round(value / scale) + zero point for every element, ties to even, within the type's numbers. */
export function quantized(
  values: ArrayLike<number>,
  dims: readonly number[],
  { scale, zeroPoint }: Scales,
  form: Pick<Quantization, "axis" | "blockSize">,
  [lowest, highest]: readonly [number, number],
): Int32Array {
  const at = scaleIndex(dims, scale.length, form);
  const result = new Int32Array(values.length);
  for (let i = 0; i < result.length; i++) {
    const index = at(i);
    const rounded = roundedToEven(Math.fround(values[i] / scale[index])) + (zeroPoint?.[index] ?? 0);
    result[i] = Math.min(highest, Math.max(lowest, rounded));
  }
  return result;
}

/** The nearest whole number, the even one of two. */
export function roundedToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
