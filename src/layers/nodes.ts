import type { FloatAttribute, NewAttribute, NewNode } from "../onnx/encode";
import type { Constant } from "../onnx/constants";
import type { AttributeValue, ElementType, Node } from "../onnx/schema";

/** The node anew, with some inputs or attributes changed. Only for operators without graph or tensor attributes. */
export function copyNode(
  node: Node,
  change: {
    name?: string;
    inputs?: readonly string[];
    outputs?: readonly string[];
    without?: readonly string[];
    with?: Readonly<Record<string, NewAttribute>>;
  },
): NewNode {
  const attributes: Record<string, NewAttribute | FloatAttribute> = {};
  for (const [name, value] of node.attributes) {
    const written = writtenValue(value);
    if (written !== undefined && !change.without?.includes(name)) attributes[name] = written;
  }
  Object.assign(attributes, change.with);
  return {
    opType: node.opType,
    name: change.name ?? node.name,
    inputs: change.inputs ?? node.inputs,
    outputs: change.outputs ?? node.outputs,
    attributes,
  };
}

function writtenValue(value: AttributeValue): NewAttribute | FloatAttribute | undefined {
  switch (value.kind) {
    case "int":
    case "string":
      return value.value;
    case "ints":
      return value.values;
    case "float":
      return { float: value.value };
    default:
      return undefined;
  }
}

export function intAttribute(node: Node, name: string, otherwise: number): number {
  const value = node.attributes.get(name);
  return value?.kind === "int" ? value.value : otherwise;
}

export function intsAttribute(node: Node, name: string): readonly number[] | undefined {
  const value = node.attributes.get(name);
  return value?.kind === "ints" ? value.values : undefined;
}

export function stringAttribute(node: Node, name: string, otherwise: string): string {
  const value = node.attributes.get(name);
  return value?.kind === "string" ? value.value : otherwise;
}

export function floatAttribute(node: Node, name: string, otherwise: number): number {
  const value = node.attributes.get(name);
  return value?.kind === "float" ? value.value : otherwise;
}

/** A name for the node in messages and for new parts: its own, or that of its first output. */
export function nodeLabel(node: Node): string {
  return node.name || node.outputs[0] || `${node.opType} ${node.index}`;
}

const analysedType: ElementType = "float32";

/** Why a weight cannot be read as numbers, whatever the operator; undefined where it can. */
export function unreadableWeight(weight: Constant): string | undefined {
  if (weight.elementType !== analysedType) {
    return `its weight is ${weight.elementType ?? "of an unknown type"}; only ${analysedType} is analysed`;
  }
  if (weight.dims.some((dim) => dim < 1)) return `its weight has shape [${weight.dims.join(", ")}]`;
  return undefined;
}
