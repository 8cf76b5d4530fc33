import { ExpectedError } from "../errors";
import {
  normalDomain,
  type AttributeValue,
  type ByteRange,
  type Graph,
  type Node,
  type TensorInfo,
  type ValueInfo,
} from "./schema";
import { readSparseInfo } from "./sparse";
import { readTensorInfo } from "./tensorReader";
import { readValueInfo } from "./valueInfo";
import { floatNumber, floatNumbers, signed, signedNumbers, type Field, type WireReader } from "./wire";

/** Field numbers of the messages in onnx.proto. */
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13, sparseInitializer: 15 };
const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7, overload: 8 };
const ATTRIBUTE = {
  name: 1,
  f: 2,
  i: 3,
  s: 4,
  t: 5,
  g: 6,
  floats: 7,
  ints: 8,
  strings: 9,
  graphs: 11,
  type: 20,
  sparse: 22,
};

/** Subgraphs in subgraphs. protobuf's own parsers stop at 100 nested messages, which is some 30 graphs. */
const DEEPEST_GRAPH = 30;

/** The graph in `range` (a GraphProto message), with its subgraphs. */
export function readGraph(wire: WireReader, range: ByteRange, depth = 0): Graph {
  if (depth > DEEPEST_GRAPH) {
    throw new ExpectedError(
      `${wire.source.name} nests more than ${DEEPEST_GRAPH} graphs in one another: it is damaged.`,
    );
  }
  const nodes: Node[] = [];
  const initializers = new Map<string, TensorInfo>();
  const sparseInitializers = new Map<string, TensorInfo>();
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const valueInfo = new Map<string, ValueInfo>();
  let name = "";
  for (const field of wire.fields(range)) {
    switch (field.number) {
      case GRAPH.node:
        nodes.push(readNode(wire, field, nodes.length, depth));
        break;
      case GRAPH.name:
        name = wire.string(field);
        break;
      case GRAPH.initializer: {
        const tensor = readTensorInfo(wire, field);
        initializers.set(tensor.name, tensor);
        break;
      }
      case GRAPH.input:
        inputs.push(readValueInfo(wire, field));
        break;
      case GRAPH.output:
        outputs.push(readValueInfo(wire, field));
        break;
      case GRAPH.valueInfo: {
        const info = readValueInfo(wire, field);
        valueInfo.set(info.name, info);
        break;
      }
      case GRAPH.sparseInitializer: {
        const tensor = readSparseInfo(wire, field);
        sparseInitializers.set(tensor.name, tensor);
        break;
      }
    }
  }
  return { name, nodes, initializers, sparseInitializers, inputs, outputs, valueInfo, range };
}

function readNode(wire: WireReader, field: Field, index: number, depth: number): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, AttributeValue>();
  let name = "";
  let opType = "";
  let domain = "";
  let overload: string | undefined;
  for (const part of wire.fields(field.value)) {
    switch (part.number) {
      case NODE.input:
        inputs.push(wire.string(part));
        break;
      case NODE.output:
        outputs.push(wire.string(part));
        break;
      case NODE.name:
        name = wire.string(part);
        break;
      case NODE.opType:
        opType = wire.string(part);
        break;
      case NODE.attribute: {
        const attribute = readAttribute(wire, part, depth);
        attributes.set(attribute.name, attribute.value);
        break;
      }
      case NODE.domain:
        domain = wire.string(part);
        break;
      case NODE.overload:
        overload = wire.string(part);
        break;
    }
  }
  const captured = capturedNames([...attributes.values()].flatMap(subgraphs));
  return {
    index,
    name,
    opType,
    domain: normalDomain(domain),
    ...(overload ? { overload } : {}),
    inputs,
    outputs,
    attributes,
    captured,
    field: field.whole,
  };
}

/** The graphs held by an attribute: bodies of If, Loop and Scan. */
export function subgraphs(attribute: AttributeValue): readonly Graph[] {
  if (attribute.kind === "graph") return [attribute.graph];
  return attribute.kind === "graphs" ? attribute.graphs : [];
}

/** What `graphs` read without defining it: values of the graph around them. */
function capturedNames(graphs: readonly Graph[]): string[] {
  const captured = new Set<string>();
  for (const graph of graphs) {
    const defined = new Set([...graph.initializers.keys(), ...graph.sparseInitializers.keys()]);
    for (const input of graph.inputs) defined.add(input.name);
    for (const node of graph.nodes) for (const output of node.outputs) defined.add(output);
    const read = [
      ...graph.nodes.flatMap((node) => [...node.inputs, ...node.captured]),
      ...graph.outputs.map((output) => output.name),
    ];
    for (const value of read) if (value !== "" && !defined.has(value)) captured.add(value);
  }
  return [...captured];
}

function readAttribute(wire: WireReader, field: Field, depth: number): { name: string; value: AttributeValue } {
  let name = "";
  const floats: number[] = [];
  const ints: number[] = [];
  const strings: string[] = [];
  const graphs: Graph[] = [];
  // An attribute holds one kind of value, but repeated ones come as several fields: the last kind seen stands.
  let value: AttributeValue = { kind: "other" };
  let type: number | undefined;
  for (const part of wire.fields(field.value)) {
    switch (part.number) {
      case ATTRIBUTE.name:
        name = wire.string(part);
        break;
      case ATTRIBUTE.f:
        value = { kind: "float", value: floatNumber(wire, part) };
        break;
      case ATTRIBUTE.i:
        value = { kind: "int", value: signed(part.varint) };
        break;
      case ATTRIBUTE.s:
        value = { kind: "string", value: wire.string(part) };
        break;
      case ATTRIBUTE.t:
        value = { kind: "tensor", tensor: readTensorInfo(wire, part) };
        break;
      case ATTRIBUTE.g:
        value = { kind: "graph", graph: readGraph(wire, part.value, depth + 1) };
        break;
      case ATTRIBUTE.floats:
        for (const number of floatNumbers(wire, part)) floats.push(number);
        value = { kind: "floats", values: floats };
        break;
      case ATTRIBUTE.ints:
        for (const number of signedNumbers(wire, part)) ints.push(number);
        value = { kind: "ints", values: ints };
        break;
      case ATTRIBUTE.strings:
        strings.push(wire.string(part));
        value = { kind: "strings", values: strings };
        break;
      case ATTRIBUTE.graphs:
        graphs.push(readGraph(wire, part.value, depth + 1));
        value = { kind: "graphs", graphs };
        break;
      case ATTRIBUTE.sparse:
        value = { kind: "sparse", tensor: readSparseInfo(wire, part) };
        break;
      case ATTRIBUTE.type:
        type = signed(part.varint);
        break;
    }
  }
  if (value.kind === "other" && type !== undefined) value = defaultValue(type);
  return { name, value };
}

/** A proto3 writer leaves a zero, an empty string and an empty list out; only the declared type tells which was meant. */
function defaultValue(type: number): AttributeValue {
  const values: Record<number, AttributeValue> = {
    1: { kind: "float", value: 0 },
    2: { kind: "int", value: 0 },
    3: { kind: "string", value: "" },
    6: { kind: "floats", values: [] },
    7: { kind: "ints", values: [] },
    8: { kind: "strings", values: [] },
  };
  return values[type] ?? { kind: "other" };
}
