import type { GraphIndex } from "./graphIndex";
import type { ElementType } from "./schema";
import { elementCount } from "./tensor";

/** Types of shapes, indices and texts: not what is trained. */
const STRUCTURAL: ReadonlySet<ElementType> = new Set(["int64", "int32", "uint64", "uint32", "bool", "string"]);

/** Numbers stored in the model: elements of floating-point and quantized tensors. */
export function modelParameters(index: GraphIndex): number {
  let total = 0;
  for (const { elementType, dims } of index.constants.values()) {
    if (elementType === null || !STRUCTURAL.has(elementType)) total += elementCount(dims);
  }
  return total;
}
