import { ExpectedError } from "../../errors";
import { fieldHeader, nodeField } from "../encode";
import { fieldOf, mergeSegments, type Segment } from "../segments";
import type { ModelFunction } from "./modelFunctions";
import { ATTRIBUTE, NODE, nodesOf, type MessagePart, type Part } from "./template";

/** Calls in one another. Exporters write one function for each module, which nest as deep as modules do. */
export const DEEPEST_CALL = 64;
/** A few functions that call one another twice each stand for any number of nodes, and their names for any length. */
export const MOST_INLINED_NODES = 100_000;
export const MOST_INLINED_BYTES = 128 * 2 ** 20;

/** What a piece of the file takes in memory, about. */
const SEGMENT_BYTES = 64;

/** What names and attributes of a template become. */
interface Scope {
  readonly value: (name: string) => string;
  readonly label: (name: string) => string;
  /** By the name of the function's attribute, what follows the name in an AttributeProto. */
  readonly attributes: ReadonlyMap<string, readonly Segment[]>;
  /** Keys of the functions that are being inlined. */
  readonly calls: readonly string[];
}

const OUTERMOST: Scope = { value: (name) => name, label: (name) => name, attributes: new Map(), calls: [] };

/** Nodes that call functions → the functions' nodes, under names of their own. */
export class Inliner {
  private nodes = 0;
  private bytes = 0;
  private readonly labels = new Map<string, number>();
  /** Of a node's name that was taken, the number to try next. */
  private readonly nextLabel = new Map<string, number>();

  /**
   * @param modelName what messages call the model.
   * @param functions those to be inlined, by key.
   * @param used all names of values in the model's graph; new ones are added, as to the names of nodes.
   */
  constructor(
    private readonly modelName: string,
    private readonly functions: ReadonlyMap<string, ModelFunction>,
    private readonly used: Set<string>,
    private readonly usedLabels: Set<string>,
  ) {}

  /** Whether a node of the graph, or one in its subgraphs, is a call that is inlined. */
  calls(node: MessagePart): boolean {
    for (const { key } of nodesOf(node)) if (this.functions.has(key)) return true;
    return false;
  }

  /** A node of the graph as NodeProto fields of a GraphProto. @throws ExpectedError if its functions have no end, or one too far. */
  inlined(node: MessagePart): Segment[] {
    const out: Segment[] = [];
    this.write(node, OUTERMOST, out);
    return out;
  }

  private write(part: Part, scope: Scope, out: Segment[]): void {
    if (!("kind" in part)) {
      out.push(part);
    } else if (part.kind === "value") {
      out.push(this.text(part.field, scope.value(part.name)));
    } else if (part.kind === "label") {
      out.push(this.text(part.field, scope.label(part.name)));
    } else if (part.kind === "attribute") {
      this.writeAttribute(part, scope, out);
    } else if (part.kind === "message") {
      this.writeField(part.field, this.content(part, scope), out);
    } else if (part.kind === "node") {
      const called = this.functions.get(part.key);
      if (called) this.writeFunction(part, called, scope, out);
      else this.writeNode(part, scope, out);
    }
  }

  private content({ parts }: MessagePart, scope: Scope): Segment[] {
    const content: Segment[] = [];
    for (const part of parts) this.write(part, scope, content);
    return content;
  }

  private writeField(field: number, content: readonly Segment[], out: Segment[]): void {
    this.charge(SEGMENT_BYTES * (content.length + 1));
    for (const segment of mergeSegments(fieldOf(field, content))) out.push(segment);
  }

  /** In a function a node is another field than in a graph, where it comes to stand. */
  private writeNode(part: MessagePart, scope: Scope, out: Segment[]): void {
    if (scope.calls.length > 0 && ++this.nodes > MOST_INLINED_NODES) {
      throw this.refusal(`more than ${MOST_INLINED_NODES} nodes`);
    }
    this.writeField(GRAPH_NODE, this.content(part, scope), out);
  }

  /** An attribute that refers to one which the call does not give, and which has no default, is absent. */
  private writeAttribute(part: MessagePart, scope: Scope, out: Segment[]): void {
    if (part.verbatim) {
      out.push(part.verbatim);
      return;
    }
    const content = part.reference === "" ? this.content(part, scope) : scope.attributes.get(part.reference);
    if (content) this.writeField(part.field, [this.text(ATTRIBUTE.name, part.name), ...content], out);
  }

  private writeFunction(call: MessagePart, called: ModelFunction, outer: Scope, out: Segment[]): void {
    if (outer.calls.includes(called.key)) {
      throw new ExpectedError(
        `${this.modelName}: its function ${called.key} calls itself, which ONNX does not allow: export the model again.`,
      );
    }
    // A function without nodes of its own may still call others, twice each.
    if (++this.nodes > MOST_INLINED_NODES) throw this.refusal(`more than ${MOST_INLINED_NODES} nodes and calls`);
    if (outer.calls.length === DEEPEST_CALL) throw this.refusal(`more than ${DEEPEST_CALL} calls in one another`);
    const inputs = namesIn(call, NODE.input).map(outer.value);
    const outputs = namesIn(call, NODE.output).map(outer.value);
    const [label] = namesIn(call, NODE.name).map(outer.label);
    const prefix = this.prefix(label || outputs[0] || called.key, called);
    const bound = new Map<string, string>(called.inputs.map((name, i) => [name, inputs[i] ?? ""]));
    const copies: [from: string, to: string][] = [];
    for (const [i, name] of called.outputs.entries()) {
      const output = outputs[i] ?? "";
      if (output === "") continue;
      const known = bound.get(name);
      // An input that is handed on, or an output that is listed twice.
      if (known !== undefined) copies.push([known, output]);
      else bound.set(name, output);
    }
    const scope: Scope = {
      value: (name) => bound.get(name) ?? (name === "" ? "" : prefix + name),
      label: (name) => this.freshLabel(prefix, name),
      attributes: this.boundAttributes(call, called, outer),
      calls: [...outer.calls, called.key],
    };
    for (const node of called.nodes) this.write(node, scope, out);
    for (const [from, to] of copies) {
      out.push(nodeField({ opType: "Identity", name: scope.label(to), inputs: [from], outputs: [to] }));
    }
  }

  /** What the call gives, and the function's defaults. */
  private boundAttributes(call: MessagePart, called: ModelFunction, outer: Scope): Map<string, readonly Segment[]> {
    const attributes = new Map<string, readonly Segment[]>();
    for (const [name, attribute] of called.defaults) attributes.set(name, this.content(attribute, OUTERMOST));
    for (const part of call.parts) {
      if (!("kind" in part) || part.kind !== "attribute") continue;
      const given = part.reference === "" ? this.content(part, outer) : outer.attributes.get(part.reference);
      if (given) attributes.set(part.name, given);
    }
    return attributes;
  }

  /** onnxruntime takes no two nodes of one name; a function may have them. */
  private freshLabel(prefix: string, name: string): string {
    if (name === "") return "";
    const wanted = prefix + name;
    let count = this.nextLabel.get(wanted) ?? 1;
    let label = wanted;
    for (; count > 1 || this.usedLabels.has(label); count++) {
      label = count === 1 ? wanted : `${wanted}_${count}`;
      if (!this.usedLabels.has(label)) break;
    }
    this.nextLabel.set(wanted, count + 1);
    this.usedLabels.add(label);
    return label;
  }

  /** `label/`, with a number where names in the function would be taken otherwise; they are taken from now on. */
  private prefix(label: string, called: ModelFunction): string {
    for (let count = this.labels.get(label) ?? 1; ; count++) {
      const prefix = count === 1 ? `${label}/` : `${label}_${count}/`;
      this.charge(prefix.length * called.values.size);
      const names = [...called.values].map((name) => prefix + name);
      if (names.some((name) => this.used.has(name))) continue;
      for (const name of names) this.used.add(name);
      this.labels.set(label, count + 1);
      return prefix;
    }
  }

  private text(field: number, text: string): Uint8Array {
    const bytes = Buffer.from(text);
    const header = fieldHeader(field, bytes.length);
    const whole = new Uint8Array(header.length + bytes.length);
    whole.set(header);
    whole.set(bytes, header.length);
    this.charge(whole.length);
    return whole;
  }

  private charge(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > MOST_INLINED_BYTES) throw this.refusal(`more than ${MOST_INLINED_BYTES} bytes of structure`);
  }

  private refusal(what: string): ExpectedError {
    return new ExpectedError(
      `${this.modelName}: with its functions written out it has ${what}: inline them in the exporter, or export it without functions.`,
    );
  }
}

/** GraphProto.node. */
const GRAPH_NODE = 1;

/** The names in a field of a node. */
function namesIn(node: MessagePart, field: number): string[] {
  return node.parts.flatMap((part) =>
    "kind" in part && !("parts" in part) && part.field === field ? [part.name] : [],
  );
}
