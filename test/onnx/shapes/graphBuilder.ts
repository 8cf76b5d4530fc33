/** Hand-built graphs for the tests of shape inference. */
import { inferShapes } from "../../../src/onnx/shapes/inferShapes";
import type { AttributeValue, ElementType, Graph, Node, Shape, TensorInfo } from "../../../src/onnx/schema";

/** A tensor with its elements: a vector for a list, a scalar for a number. */
export type Elements =
  number | readonly number[] | { dims: readonly number[]; data: readonly number[]; type?: ElementType };

/** Integers are `int`, lists of integers `ints`; the others say their kind. */
export type Attribute = number | string | readonly number[] | { tensor: Elements } | AttributeValue;

export interface NodeSpec {
  op: string;
  domain?: string;
  inputs: readonly string[];
  outputs?: readonly string[];
  attributes?: Record<string, Attribute>;
  captured?: readonly string[];
}

export interface GraphSpec {
  inputs?: Record<string, Shape>;
  constants?: Record<string, Elements>;
  nodes: readonly NodeSpec[];
  declared?: Record<string, Shape>;
  outputs?: Record<string, Shape>;
  opset?: number;
}

const NOWHERE = { start: 0, end: 0 };

export class GraphBuilder {
  private readonly data = new Map<TensorInfo, readonly number[]>();
  readonly graph: Graph;

  constructor(spec: GraphSpec) {
    const initializers = new Map<string, TensorInfo>();
    for (const [name, elements] of Object.entries(spec.constants ?? {})) {
      initializers.set(name, this.tensor(name, elements));
    }
    const info = ([name, shape]: [string, Shape]) => ({ name, elementType: "float32" as const, shape });
    this.graph = {
      name: "test",
      nodes: spec.nodes.map((node, index) => this.node(node, index)),
      initializers,
      sparseInitializers: new Map(),
      inputs: Object.entries(spec.inputs ?? {}).map(info),
      outputs: Object.entries(spec.outputs ?? {}).map(info),
      valueInfo: new Map(Object.entries(spec.declared ?? {}).map((entry) => [entry[0], info(entry)])),
      range: NOWHERE,
    };
  }

  readonly read = (tensor: TensorInfo): readonly number[] | null => this.data.get(tensor) ?? null;

  private tensor(name: string, elements: Elements): TensorInfo {
    const { dims, data, type } =
      typeof elements === "number"
        ? { dims: [], data: [elements], type: undefined }
        : "dims" in elements
          ? elements
          : { dims: [elements.length], data: elements, type: undefined };
    const elementType = type ?? (data.every(Number.isInteger) ? "int64" : "float32");
    const tensor: TensorInfo = { name, elementType, dims, payload: { kind: "none" }, field: NOWHERE };
    this.data.set(tensor, data);
    return tensor;
  }

  private node(spec: NodeSpec, index: number): Node {
    return {
      index,
      name: "",
      opType: spec.op,
      domain: spec.domain ?? "",
      inputs: spec.inputs,
      outputs: spec.outputs ?? ["y"],
      attributes: new Map(Object.entries(spec.attributes ?? {}).map(([name, value]) => [name, this.attribute(value)])),
      captured: spec.captured ?? [],
      field: NOWHERE,
    };
  }

  private attribute(value: Attribute): AttributeValue {
    if (typeof value === "number") return { kind: "int", value };
    if (typeof value === "string") return { kind: "string", value };
    if ("kind" in value) return value;
    return "tensor" in value
      ? { kind: "tensor", tensor: this.tensor("", value.tensor) }
      : { kind: "ints", values: value };
  }
}

/** All shapes of the graph by name. What a rule throws is thrown on: a bug must not pass as an unknown shape. */
export function infer(spec: GraphSpec): ReadonlyMap<string, Shape> {
  const { graph, read } = new GraphBuilder(spec);
  return inferShapes(graph, read, spec.opset ?? 17, {
    onRuleFailure: (node, error) => {
      throw new Error(`the rule for ${node.opType} failed`, { cause: error });
    },
  });
}

/** An input of a single node: a shape, constant elements, an optional one left out, or one of unknown rank. */
export type Operand = Shape | { elements: Elements } | "absent" | "unknown";

/** One node and the shape of its first output. */
export type NodeCase = [
  op: string,
  operands: readonly Operand[],
  attributes: Record<string, Attribute>,
  y: Shape,
  opset?: number,
];

export const of = (elements: Elements): Operand => ({ elements });
export const on = (...operands: Operand[]): Operand[] => operands;

/** Shapes of the outputs y, y1, … of one node over inputs a, b, c, … (a shape, or constant elements). */
export function inferNode(
  op: string,
  operands: readonly Operand[],
  attributes: Record<string, Attribute> = {},
  { opset = 17, outputs = ["y"] }: { opset?: number; outputs?: readonly string[] } = {},
): Shape[] {
  const inputs: Record<string, Shape> = {};
  const constants: Record<string, Elements> = {};
  const names = operands.map((operand, index) => {
    const name = String.fromCharCode("a".charCodeAt(0) + index);
    if (operand === "absent") return "";
    if (operand === "unknown" || operand === null) inputs[name] = null;
    else if ("elements" in operand) constants[name] = operand.elements;
    else inputs[name] = operand;
    return name;
  });
  const shapes = infer({ inputs, constants, nodes: [{ op, inputs: names, outputs, attributes }], opset });
  return outputs.map((name) => shapes.get(name) ?? null);
}
