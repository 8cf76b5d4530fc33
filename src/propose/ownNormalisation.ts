import type { GraphIndex } from "../onnx/graphIndex";
import type { Node } from "../onnx/schema";

/** What a model does with an input before anything else. */
export interface OwnNormalisation {
  /** How it is shown: `Sub "norm/mean"`. */
  readonly node: string;
  /** The values that its constants are made for: 0 to 255, 0 to 1, or any. */
  readonly takes: "pixels" | "unit" | "any";
}

/** Operators that move or convert values one by one, and so may lie between the input and its normalisation. */
const PASSED: readonly string[] = [
  ...["Cast", "Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Resize", "Pad"],
  ...["QuantizeLinear", "DequantizeLinear"],
];
/** Longer chains are no preparation any more; a damaged file may close one to a cycle. */
const LONGEST_CHAIN = 16;
/** Means of pixels are above it (104, 127.5), those of values from 0 to 1 below; likewise standard deviations. */
const LARGEST_UNIT = 2;
/** Where mean and variance of a BatchNormalization are among its inputs. */
const BATCH_MEAN = 3;

/** Finds arithmetic with constants, or a normalisation, right behind a model's input; null where there is none. */
export function findOwnNormalisation(index: GraphIndex, input: string): OwnNormalisation | null {
  let value = input;
  for (let step = 0; step < LONGEST_CHAIN; step++) {
    const readers = index.consumers.get(value) ?? [];
    if (readers.length !== 1) return null;
    const [node] = readers;
    const takes = takesOf(index, node, value);
    if (takes !== null) return { node: `${node.opType} "${node.name || (node.outputs[0] ?? "")}"`, takes };
    if (node.domain !== "" || !PASSED.includes(node.opType) || node.inputs[0] !== value) return null;
    value = node.outputs[0] ?? "";
  }
  return null;
}

function takesOf(index: GraphIndex, node: Node, value: string): OwnNormalisation["takes"] | null {
  if (node.domain !== "") return null;
  switch (node.opType) {
    case "InstanceNormalization":
    case "LayerNormalization":
    case "MeanVarianceNormalization":
      return "any";
    case "BatchNormalization":
      return rangeOf(sizesOf(index, node.inputs[BATCH_MEAN]), (size) => size > LARGEST_UNIT);
    case "Add":
    case "Sub":
    case "Div":
    case "Mul": {
      const other = node.inputs.find((name) => name !== value);
      const isPixels = (size: number): boolean =>
        node.opType === "Mul" ? size > 0 && size < 1 / BYTES_PER_UNIT : size > LARGEST_UNIT;
      return rangeOf(sizesOf(index, other), isPixels);
    }
    default:
      return null;
  }
}

/** Factors for pixels (1/255, 1/58.4) are below its reciprocal, those for values from 0 to 1 (2, 1/0.229) above. */
const BYTES_PER_UNIT = 10;

/** Null where the values are not constants of the file. */
function rangeOf(sizes: readonly number[] | null, isPixels: (size: number) => boolean): "pixels" | "unit" | null {
  if (sizes === null || sizes.length === 0) return null;
  return sizes.some(isPixels) ? "pixels" : "unit";
}

/** The absolute values of a small constant. */
function sizesOf(index: GraphIndex, name: string | undefined): readonly number[] | null {
  const tensor = name === undefined ? undefined : index.constants.get(name);
  return tensor ? (index.readSmall(tensor)?.map(Math.abs) ?? null) : null;
}
