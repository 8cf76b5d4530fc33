import type { NewAttribute, NewNode } from "../onnx/encode";
import type { Constant } from "../onnx/constants";
import { isFloatType } from "../onnx/elements";
import type { AttributeValue, Node } from "../onnx/schema";
import type { WeightConstant } from "./layer";

/**
 * The node anew, with some inputs or attributes changed; another operator is one of the ONNX domain. Only for operators
 * without graph or tensor attributes.
 */
export function copyNode(
  node: Node,
  change: {
    opType?: string;
    name?: string;
    inputs?: readonly string[];
    outputs?: readonly string[];
    without?: readonly string[];
    with?: Readonly<Record<string, NewAttribute>>;
  },
): NewNode {
  const attributes: Record<string, NewAttribute> = {};
  for (const [name, value] of node.attributes) {
    const written = writtenValue(value);
    if (written !== undefined && !change.without?.includes(name)) attributes[name] = written;
  }
  Object.assign(attributes, change.with);
  return {
    opType: change.opType ?? node.opType,
    ...(node.domain === "" || change.opType !== undefined ? {} : { domain: node.domain }),
    name: change.name ?? node.name,
    inputs: change.inputs ?? node.inputs,
    outputs: change.outputs ?? node.outputs,
    attributes,
  };
}

function writtenValue(value: AttributeValue): NewAttribute | undefined {
  switch (value.kind) {
    case "int":
    case "string":
      return value.value;
    case "ints":
    case "strings":
      return value.values;
    case "floats":
      return { floats: value.values };
    case "float":
      return { float: value.value };
    default:
      return undefined;
  }
}

/** The node with `value` as its input number `position`. */
export function withInput(node: NewNode, position: number, value: string): NewNode {
  return { ...node, inputs: node.inputs.map((input, at) => (at === position ? value : input)) };
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

/** The constant as a weight of floating-point numbers; or why it is none, whatever the operator. */
export function floatWeight(weight: Constant): WeightConstant | string {
  const { elementType, dims } = weight;
  if (!isFloatType(elementType)) {
    return `its weight is ${elementType ?? "of an unknown type"}; only floating-point and dequantized weights are analysed`;
  }
  if (dims.some((dim) => dim < 1)) return `its weight has shape [${dims.join(", ")}]`;
  return { ...weight, elementType };
}
