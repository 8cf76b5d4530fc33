import { ExpectedError } from "../errors";
import { fromHalves } from "./halves";
import type { ElementType, TensorInfo } from "./schema";
import { denseElements, isSparse } from "./sparse";
import { storedElements } from "./storedElements";
import { called } from "./tensor";
import type { WireReader } from "./wire";

const FLOAT_TYPES = ["float32", "float64", "float16", "bfloat16"] as const satisfies readonly ElementType[];
export type FloatType = (typeof FLOAT_TYPES)[number];

export function isFloatType(type: ElementType | null): type is FloatType {
  return FLOAT_TYPES.some((each) => each === type);
}

/**
 * The elements of a floating-point tensor in a fresh array, from wherever they lie: float64 as it is, all others as
 * float32, which holds them exactly.
 * @throws ExpectedError if the tensor is of another type, does not hold what its dims promise, or its file is not there.
 */
export function readFloats(wire: WireReader, tensor: TensorInfo): Float32Array | Float64Array {
  const { elementType } = tensor;
  if (!isFloatType(elementType)) {
    throw new ExpectedError(`${called(wire, tensor)} is ${elementType ?? "of an unknown type"}, not floating-point.`);
  }
  if (isSparse(tensor)) return denseElements(wire, tensor, readFloats);
  switch (elementType) {
    case "float32":
      return new Float32Array(storedElements(wire, tensor).buffer);
    case "float64":
      return new Float64Array(storedElements(wire, tensor).buffer);
    case "float16":
      return fromHalves(new Uint16Array(storedElements(wire, tensor).buffer));
    case "bfloat16": {
      const halves = new Uint16Array(storedElements(wire, tensor).buffer);
      return new Float32Array(Uint32Array.from(halves, (bits) => bits << 16).buffer);
    }
  }
}
