import { joined } from "./emit";
import type { Emission, Layer, WeightConstant } from "./layer";
import type { TypedElements } from "../onnx/elementBytes";
import type { NewInitializer, NewNode } from "../onnx/encode";
import { brainToNumber, halfToNumber, numberToBrain, numberToHalf } from "../onnx/halves";
import { integerRange, quantized, scaleIndex, type Quantization, type Scales } from "../onnx/quantization";
import { scalesOf } from "../onnx/readConstant";
import { ELEMENT_TYPES, type ElementType } from "../onnx/schema";
import { elementCount } from "../onnx/tensor";
import type { WireReader } from "../onnx/wire";

/**
 * The initializers that hold a factor as the layer's weight is held, and the nodes that make the value `factor.name` of
 * them: where the weight was quantized, or stored in another floating-point type than it is used in, so is the factor.
 */
export function storedFactor(wire: WireReader, { weight }: Pick<Layer, "weight">, factor: NewInitializer): Emission {
  const cast = weight.steps.some(({ kind }) => kind === "cast");
  const form = quantizationOf(weight);
  if (!form) {
    const stored = weight.tensor.elementType;
    if (!cast || stored === null) return { nodes: [], initializers: [{ ...factor, elementType: weight.elementType }] };
    const name = `${factor.name}.stored`;
    return {
      initializers: [{ ...factor, name, elementType: stored }],
      nodes: [castNode(name, factor.name, weight.elementType)],
    };
  }
  const { quantization, isStoredAsFloat } = form;
  const type = quantization.scale.elementType ?? weight.elementType;
  const [value, after] =
    type === weight.elementType
      ? [factor.name, []]
      : [`${factor.name}.dequantized`, [castNode(`${factor.name}.dequantized`, factor.name, weight.elementType)]];
  const dequantized = quantizedFactor(wire, weight, quantization, isStoredAsFloat, { ...factor, name: value });
  return joined(dequantized, { nodes: after, initializers: [] });
}

interface QuantizedForm {
  readonly quantization: Quantization;
  /** A float that is quantized and dequantized again, as training that knows of quantization leaves it. */
  readonly isStoredAsFloat: boolean;
}

/** How the weight is quantized, with the axis as its users see it; null where it is not. */
function quantizationOf({ steps }: WeightConstant): QuantizedForm | null {
  const last = steps.findLastIndex(({ kind }) => kind === "dequantize");
  const step = steps[last];
  if (step?.kind !== "dequantize") return null;
  let { axis } = step.quantization;
  for (const later of steps.slice(last + 1)) if (later.kind === "transpose") axis = later.perm.indexOf(axis);
  return {
    quantization: { ...step.quantization, axis },
    isStoredAsFloat: steps.slice(0, last).some(({ kind }) => kind === "quantize"),
  };
}

/** Why a weight's factors cannot be stored as it is stored; null where they can. */
export function unstorable({ steps, tensor }: WeightConstant): string | null {
  const last = steps.findLastIndex(({ kind }) => kind === "dequantize");
  const step = steps[last];
  if (step?.kind !== "dequantize") return null;
  const { scale, blockSize, type } = step.quantization;
  const several = elementCount(scale.dims) > 1 || blockSize > 0;
  if (several && steps.slice(last + 1).some(({ kind }) => kind === "reshape")) {
    return "its weight is reshaped behind its scales, so that its factors cannot be quantized as it is";
  }
  if (!integerRange(type) || tensor.elementType === null) return `its weight is quantized to ${type}`;
  return null;
}

function castNode(input: string, output: string, to: ElementType): NewNode {
  return { opType: "Cast", name: output, inputs: [input], outputs: [output], attributes: { to: ELEMENT_TYPES[to] } };
}

/** A factor under new scales of the weight's own kind: per tensor, per place of an axis, or per block of one. */
function quantizedFactor(
  wire: WireReader,
  weight: WeightConstant,
  quantization: Quantization,
  isStoredAsFloat: boolean,
  factor: NewInitializer,
): Emission {
  const { dims, name } = factor;
  const values = Float64Array.from(factor.data as Float64Array);
  const range = integerRange(quantization.type);
  if (!range) throw new Error(`no range of ${quantization.type}`);
  const isShared = elementCount(quantization.scale.dims) === 1 && quantization.blockSize === 0;
  // A factor with fewer axes than the weight (the projection before a recurrent layer) has no axis that corresponds.
  const perTensor = isShared || dims.length !== weight.dims.length;
  const [axis, blockSize] = perTensor ? [0, 0] : [quantization.axis, quantization.blockSize];
  const scaleDims = perTensor ? [] : scalesShape(dims, axis, blockSize);
  const old = scalesOf(wire, quantization);
  const scaleType = quantization.scale.elementType ?? "float32";
  const { scale, zeroPoint } = fittedScales(values, dims, { scaleDims, axis, blockSize, scaleType }, old, range);
  const [scaleName, zeroName] = [`${name}.scale`, `${name}.zero_point`];
  // A QuantizeLinear without a zero point gives uint8.
  const withZero = isStoredAsFloat || quantization.zeroPoint !== null || zeroPoint.some((zero) => zero !== 0);
  const scaleInputs = [scaleName, ...(withZero ? [zeroName] : [])];
  const attributes: Record<string, number> = perTensor
    ? {}
    : { axis, ...(blockSize > 0 ? { block_size: blockSize } : {}) };
  const domain = quantization.domain === "" ? {} : { domain: quantization.domain };
  const ofType = (data: Int32Array): TypedElements => ({ data, elementType: quantization.type });
  const scales: NewInitializer[] = [
    { name: scaleName, dims: scaleDims, data: scale, elementType: scaleType },
    ...(withZero ? [{ name: zeroName, dims: scaleDims, ...ofType(zeroPoint) }] : []),
  ];
  const stored = `${name}.stored`;
  const codes = `${name}.quantized`;
  const dequantize: NewNode = {
    opType: "DequantizeLinear",
    ...domain,
    name,
    inputs: [codes, ...scaleInputs],
    outputs: [name],
    attributes,
  };
  if (isStoredAsFloat) {
    const quantize: NewNode = {
      opType: "QuantizeLinear",
      ...domain,
      name: codes,
      inputs: [stored, ...scaleInputs],
      outputs: [codes],
      attributes,
    };
    // QuantizeLinear takes what is of its scales' type, into which the weight may have been converted.
    const floats: NewInitializer = { ...factor, name: stored, elementType: scaleType };
    return { nodes: [quantize, dequantize], initializers: [floats, ...scales] };
  }
  const numbers = quantized(values, dims, { scale, zeroPoint }, { axis, blockSize }, range);
  return { nodes: [dequantize], initializers: [{ name: codes, dims, ...ofType(numbers) }, ...scales] };
}

function scalesShape(dims: readonly number[], axis: number, blockSize: number): number[] {
  if (blockSize === 0) return [dims[axis]];
  return dims.map((dim, at) => (at === axis ? Math.ceil(dim / blockSize) : dim));
}

interface ScaleForm {
  readonly scaleDims: readonly number[];
  readonly axis: number;
  readonly blockSize: number;
  readonly scaleType: ElementType;
}

/**
 * Scales that just hold the values. Where all old zero points are equal they stay, and the range is symmetric about them;
 * else each range reaches from the lowest to the highest value, 0 included.
 */
function fittedScales(
  values: Float64Array,
  dims: readonly number[],
  { scaleDims, axis, blockSize, scaleType }: ScaleForm,
  old: Scales,
  [lowest, highest]: readonly [number, number],
): { scale: Float32Array; zeroPoint: Int32Array } {
  const count = elementCount(scaleDims);
  const [low, high] = [new Float64Array(count), new Float64Array(count)];
  const at = scaleIndex(dims, count, { axis, blockSize });
  for (let i = 0; i < values.length; i++) {
    low[at(i)] = Math.min(low[at(i)], values[i]);
    high[at(i)] = Math.max(high[at(i)], values[i]);
  }
  const middle = lowest < 0 ? 0 : (highest + 1) / 2;
  const isSymmetric = lowest < 0 ? everyIs(old.zeroPoint, 0) : old.zeroPoint !== null && everyIs(old.zeroPoint, middle);
  const reach = highest - middle;
  const scale = Float32Array.from(low, (_, i) => {
    const span = isSymmetric ? Math.max(-low[i], high[i]) / reach : (high[i] - low[i]) / (highest - lowest);
    return span === 0 ? 1 : roundedUp(span, scaleType);
  });
  const zeroPoint = Int32Array.from(low, (value, i) => {
    if (isSymmetric) return middle;
    return Math.min(highest, Math.max(lowest, Math.round(lowest - value / scale[i])));
  });
  return { scale, zeroPoint };
}

function everyIs(values: ArrayLike<number> | null, value: number): boolean {
  return values === null ? value === 0 : Array.from(values).every((one) => one === value);
}

/** The least positive number of the type that is not below the value: what a scale is stored as is what it counts by. */
function roundedUp(value: number, type: ElementType): number {
  if (type === "float16") {
    const bits = numberToHalf(value);
    return halfToNumber(halfToNumber(bits) < value ? bits + 1 : bits);
  }
  if (type !== "bfloat16") return Math.fround(value);
  const bits = numberToBrain(value);
  return brainToNumber(brainToNumber(bits) < value ? bits + 1 : bits);
}
