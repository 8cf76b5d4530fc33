import type { AttributeValue, ElementType, Node, TensorInfo } from "./schema";

/** The attributes of a Constant node, of which it has one (ONNX: Constant). */
const VALUE_ATTRIBUTES = [
  "value",
  "sparse_value",
  "value_float",
  "value_floats",
  "value_int",
  "value_ints",
  "value_string",
  "value_strings",
];

/** What a Constant node gives, as a stored tensor; undefined for another node, or one without a value. */
export function constantOf(node: Node): TensorInfo | undefined {
  if (node.opType !== "Constant" || node.domain !== "") return undefined;
  for (const name of VALUE_ATTRIBUTES) {
    const value = node.attributes.get(name);
    const tensor = value && asTensor(value, node);
    if (tensor) return tensor;
  }
  return undefined;
}

function asTensor(value: AttributeValue, { field }: Node): TensorInfo | undefined {
  const listed = (elementType: ElementType, dims: readonly number[], values: readonly number[]): TensorInfo => {
    return { name: "", elementType, dims, payload: { kind: "listed", values }, field };
  };
  switch (value.kind) {
    case "tensor":
    case "sparse":
      return value.tensor;
    case "float":
      return listed("float32", [], [value.value]);
    case "floats":
      return listed("float32", [value.values.length], value.values);
    case "int":
      return listed("int64", [], [value.value]);
    case "ints":
      return listed("int64", [value.values.length], value.values);
    // Texts are never read: that they are there, and how many, is all there is to know.
    case "string":
      return listed("string", [], []);
    case "strings":
      return listed("string", [value.values.length], []);
    default:
      return undefined;
  }
}
