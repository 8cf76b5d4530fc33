import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { subgraphs } from "../graphReader";
import type { AttributeValue, Graph, Model, Node } from "../schema";
import { fieldOf, mergeSegments, type Segment } from "../segments";
import type { WireReader } from "../wire";
import { Inliner } from "./inliner";
import { MODEL, readFunction, type ModelFunction } from "./modelFunctions";
import { functionKey, nodesOf, template, type MessagePart } from "./template";

const GRAPH_NODE = 1;

export interface Inlined {
  /** The model with its functions written out where they are called; null where nothing is called that can be. */
  readonly segments: readonly Segment[] | null;
  /** By the key of a function that is called and left as it is, why. */
  readonly reasons: ReadonlyMap<string, string>;
}

/**
 * Model-local functions (FunctionProto), written out where they are called, in subgraphs too: the model that results has
 * ordinary nodes alone. Names, attributes and imports of operators apart, all bytes are those of the file.
 * @throws ExpectedError if a function calls itself, or the result is too large.
 */
export function inlineFunctions(wire: WireReader, model: Pick<Model, "graph" | "opsets">): Inlined {
  const all = { start: 0, end: wire.source.size };
  const functions = new Map<string, ModelFunction>();
  for (const field of wire.fields(all)) {
    if (field.number !== MODEL.functions) continue;
    const read = readFunction(wire, field);
    functions.set(read.key, read);
  }
  const nothing: Inlined = { segments: null, reasons: new Map() };
  if (functions.size === 0) return nothing;
  const nodes: MessagePart[] = [];
  for (const field of wire.fields(model.graph.range)) {
    if (field.number === GRAPH_NODE) nodes.push(template(wire, field, "node"));
  }
  const called = calledFunctions(nodes, functions);
  const { reasons, imports } = matchedOpsets(called, functions, model.opsets);
  const inlinable = new Map([...called].filter(([key]) => !reasons.has(key)));
  const labels = new Set(model.graph.nodes.map(({ name }) => name));
  const inliner = new Inliner(wire.source.name, inlinable, valueNames(model.graph), labels);
  if (!nodes.some((node) => inliner.calls(node))) return { ...nothing, reasons };
  const left = withCallees([...reasons.keys()], functions);
  const segments: Segment[] = [];
  for (const field of wire.fields(all)) {
    if (field.number === MODEL.graph) {
      let next = 0;
      const graph: Segment[] = [];
      for (const inner of wire.fields(field.value)) {
        const node = inner.number === GRAPH_NODE ? nodes[next++] : undefined;
        if (node && inliner.calls(node)) for (const segment of inliner.inlined(node)) graph.push(segment);
        else graph.push(inner.whole);
      }
      segments.push(...fieldOf(MODEL.graph, mergeSegments(graph)));
    } else {
      const key = field.number === MODEL.functions ? readFunction(wire, field).key : "";
      // What nothing calls stays too: onnxruntime, and whoever looks for files that the model refers to, see it as well.
      if (!inlinable.has(key) || left.has(key)) segments.push(field.whole);
    }
  }
  for (const [domain, version] of imports) segments.push(opsetField(domain, version));
  return { segments: mergeSegments(segments), reasons };
}

/** The graph with the reasons at the nodes which call the functions, in subgraphs too. */
export function withReasons(graph: Graph, reasons: ReadonlyMap<string, string>): Graph {
  if (reasons.size === 0) return graph;
  const nodes = graph.nodes.map((node): Node => {
    const notInlined = reasons.get(functionKey(node.domain, node.opType, node.overload ?? ""));
    const attributes = new Map(
      [...node.attributes].map(([name, value]): [string, AttributeValue] => {
        if (value.kind === "graph") return [name, { ...value, graph: withReasons(value.graph, reasons) }];
        if (value.kind !== "graphs") return [name, value];
        return [name, { ...value, graphs: value.graphs.map((each) => withReasons(each, reasons)) }];
      }),
    );
    return notInlined === undefined ? { ...node, attributes } : { ...node, attributes, notInlined };
  });
  return { ...graph, nodes };
}

/** The functions that the nodes call, directly or through others. */
function calledFunctions(
  nodes: readonly MessagePart[],
  functions: ReadonlyMap<string, ModelFunction>,
): Map<string, ModelFunction> {
  return withCallees(
    nodes.flatMap((node) => [...nodesOf(node)].map(({ key }) => key)),
    functions,
  );
}

function withCallees(
  keys: Iterable<string>,
  functions: ReadonlyMap<string, ModelFunction>,
): Map<string, ModelFunction> {
  const reached = new Set(keys);
  const found = new Map<string, ModelFunction>();
  for (const key of reached) {
    const each = functions.get(key);
    if (!each) continue;
    found.set(key, each);
    for (const callee of each.calls) if (functions.has(callee)) reached.add(callee);
  }
  return found;
}

/** Functions say which version of each domain they are written for: another one than the model's may mean something else. */
function matchedOpsets(
  called: ReadonlyMap<string, ModelFunction>,
  functions: ReadonlyMap<string, ModelFunction>,
  opsets: ReadonlyMap<string, number>,
): { reasons: Map<string, string>; imports: Map<string, number> } {
  const reasons = new Map<string, string>();
  const imports = new Map<string, number>();
  for (const [key, { domains, opsets: own }] of called) {
    const missing = new Map<string, number>();
    for (const [operator, domain] of domains) {
      const version = own.get(domain);
      const known = opsets.get(domain) ?? imports.get(domain);
      if (version === undefined || version === known) continue;
      if (known === undefined) {
        missing.set(domain, version);
      }
      // A function has no version of its own: only operators differ from one to the next.
      else if (!functions.has(operator)) {
        reasons.set(
          key,
          `it calls a function of the model, written for version ${version} of ${domain || "ai.onnx"}; the model has ${known}`,
        );
      }
    }
    if (!reasons.has(key)) for (const [domain, version] of missing) imports.set(domain, version);
  }
  return { reasons, imports };
}

/** All names of values in a graph and its subgraphs. */
function valueNames(graph: Graph, names = new Set<string>()): Set<string> {
  for (const name of [...graph.initializers.keys(), ...graph.sparseInitializers.keys()]) names.add(name);
  for (const { name } of [...graph.inputs, ...graph.outputs]) names.add(name);
  for (const node of graph.nodes) {
    for (const name of [...node.inputs, ...node.outputs]) names.add(name);
    for (const inner of [...node.attributes.values()].flatMap(subgraphs)) valueNames(inner, names);
  }
  return names;
}

function opsetField(domain: string, version: number): Uint8Array {
  const writer = new BinaryWriter().tag(MODEL.opsetImport, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(domain).tag(2, WireType.Varint).int64(version);
  return writer.join().finish();
}
