import type { Constant } from "./constants";
import { unpackedBlocks } from "./blockPacking";
import { isFloatType } from "./elements";
import { fromHalves, numberToBrain, toHalves } from "./halves";
import { readNumbers, type NumberArray } from "./numbers";
import { dequantized, integerRange, quantized, type Quantization, type Scales } from "./quantization";
import type { ElementType } from "./schema";
import type { WireReader } from "./wire";

/**
 * The elements of the constant as a node reads it, in a fresh array; those of a wider type rounded to float32.
 * @throws ExpectedError if the stored tensor cannot be read.
 */
export function readConstant(wire: WireReader, constant: Constant): Float32Array {
  let elements: NumberArray = readNumbers(wire, constant.tensor);
  let { dims } = constant.tensor;
  for (const step of constant.steps) {
    switch (step.kind) {
      case "reshape":
        dims = step.dims;
        break;
      case "transpose":
        elements = transposed(elements, dims, step.perm);
        dims = step.perm.map((axis) => dims[axis]);
        break;
      case "slice":
        elements = sliced(elements, dims, step.starts, step.strides, step.dims);
        dims = step.dims;
        break;
      case "cast":
        elements = cast(elements, step.to);
        break;
      case "quantize": {
        const range = integerRange(step.quantization.type);
        if (!range) throw new Error(`no range of ${step.quantization.type}`);
        elements = quantized(elements, dims, scalesOf(wire, step.quantization), step.quantization, range);
        break;
      }
      case "dequantize":
        elements = dequantized(elements, dims, scalesOf(wire, step.quantization), step.quantization);
        elements = cast(elements, step.quantization.scale.elementType);
        break;
      case "subtract": {
        const zeroPoint = readNumbers(wire, step.zeroPoint);
        const scale = new Float32Array(zeroPoint.length).fill(1);
        elements = dequantized(elements, dims, { scale, zeroPoint }, { axis: step.axis, blockSize: 0 });
        break;
      }
      case "unpack":
        elements = cast(unpackedBlocks(wire, elements, step.packing), step.packing.scale.elementType);
        dims = [step.packing.rows, step.packing.columns];
        break;
    }
  }
  return elements instanceof Float32Array ? elements : Float32Array.from(elements);
}

/** The values of scales and zero points. */
export function scalesOf(wire: WireReader, { scale, zeroPoint }: Quantization): Scales {
  return { scale: readNumbers(wire, scale), zeroPoint: zeroPoint && readNumbers(wire, zeroPoint) };
}

/** Elements rounded to a narrower floating-point type; those of a wider one stay. */
function cast(elements: NumberArray, to: ElementType | null): NumberArray {
  if (to === "float64" || !isFloatType(to)) return elements;
  const single = Float32Array.from(elements);
  if (to === "float16") return fromHalves(toHalves(single));
  if (to === "bfloat16") {
    return new Float32Array(Uint32Array.from(single, (value) => numberToBrain(value) << 16).buffer);
  }
  return single;
}

/** An array of the same kind. */
function like<T extends NumberArray>(elements: T, length: number): T {
  return new (elements.constructor as new (length: number) => T)(length);
}

/** (elements of a tensor, its dims, the new order of axes) → the elements in their new order. */
export function transposed<T extends NumberArray>(elements: T, dims: readonly number[], perm: readonly number[]): T {
  const strides = stridesOf(dims);
  return gathered(
    elements,
    0,
    perm.map((axis) => strides[axis]),
    perm.map((axis) => dims[axis]),
  );
}

/** The part that begins at `starts` and takes every `strides`-th place along each axis. */
function sliced<T extends NumberArray>(
  elements: T,
  dims: readonly number[],
  starts: readonly number[],
  every: readonly number[],
  result: readonly number[],
): T {
  const strides = stridesOf(dims);
  const first = starts.reduce((sum, start, axis) => sum + start * strides[axis], 0);
  return gathered(
    elements,
    first,
    strides.map((stride, axis) => stride * every[axis]),
    result,
  );
}

function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * dims[axis + 1];
  return strides;
}

/** Elements from `first` on, in C order of `lengths`; `steps` is how far the next place along each axis lies. */
function gathered<T extends NumberArray>(
  elements: T,
  first: number,
  steps: readonly number[],
  lengths: readonly number[],
): T {
  const result = like(
    elements,
    lengths.reduce((product, length) => product * length, 1),
  );
  const place = new Array<number>(lengths.length).fill(0);
  let from = first;
  for (let to = 0; to < result.length; to++) {
    result[to] = elements[from];
    // Like an odometer: the last axis that has not reached its end moves on, those behind it start again.
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++place[axis] < lengths[axis]) break;
      from -= steps[axis] * lengths[axis];
      place[axis] = 0;
    }
  }
  return result;
}
