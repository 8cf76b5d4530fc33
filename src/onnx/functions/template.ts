import { ExpectedError } from "../../errors";
import { normalDomain, type ByteRange } from "../schema";
import { LENGTH_DELIMITED, type Field, type WireReader } from "../wire";

/** The messages of onnx.proto in which names of values and nodes stand, and those names themselves. */
type Kind = "graph" | "node" | "attribute" | "tensor" | "typed" | "annotation" | "entry" | "sparse" | NameKind;
type NameKind = "value" | "label";

/** By field number, what a message holds of these. All other fields are copied as they are. */
const PARTS: Readonly<Record<Kind, Readonly<Record<number, Kind>>>> = {
  graph: { 1: "node", 5: "tensor", 11: "typed", 12: "typed", 13: "typed", 14: "annotation", 15: "sparse" },
  node: { 1: "value", 2: "value", 3: "label", 5: "attribute" },
  attribute: { 6: "graph", 11: "graph" },
  tensor: { 8: "value" },
  typed: { 1: "value" },
  annotation: { 1: "value", 2: "entry" },
  entry: { 2: "value" },
  sparse: { 1: "tensor" },
  value: {},
  label: {},
};

/** Field numbers of NodeProto and AttributeProto. */
export const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7, overload: 8 };
export const ATTRIBUTE = { name: 1, reference: 21 };

/** A message with the names in it, to be written again with others: bytes of the file, names, and messages. */
export type Part = ByteRange | NamePart | MessagePart;

export interface NamePart {
  readonly kind: NameKind;
  readonly field: number;
  readonly name: string;
}

export interface MessagePart {
  readonly kind: "message" | "node" | "attribute";
  readonly field: number;
  readonly parts: readonly Part[];
  /** Of a node: the function that it calls, if there is one of this key; and the operator's domain. */
  readonly key: string;
  readonly domain: string;
  /** Of an attribute: name and reference stand here alone, all else of it is in the parts. */
  readonly name: string;
  /** The attribute of the function whose value it takes; "" for none. */
  readonly reference: string;
  /** The whole field, where there are no names in it and it refers to nothing. */
  readonly verbatim: ByteRange | null;
}

/** Messages in one another; protobuf's own parsers stop there too. */
const DEEPEST_MESSAGE = 100;

/** What calls and functions are matched by. */
export function functionKey(domain: string, name: string, overload: string): string {
  return `${normalDomain(domain)}:${name}${overload === "" ? "" : `:${overload}`}`;
}

/** The message in a field, as a template. @throws ExpectedError if it is damaged. */
export function template(wire: WireReader, field: Field, kind: "node" | "attribute"): MessagePart {
  return message(wire, field, kind, 0);
}

function message(wire: WireReader, field: Field, kind: Kind, depth: number): MessagePart {
  if (depth > DEEPEST_MESSAGE) {
    throw new ExpectedError(`${wire.source.name} nests more than ${DEEPEST_MESSAGE} messages: it is damaged.`);
  }
  const parts: Part[] = [];
  const texts = new Map<number, string>();
  let isVerbatim = kind === "attribute";
  for (const inner of wire.fields(field.value)) {
    const part = inner.wireType === LENGTH_DELIMITED ? PARTS[kind][inner.number] : undefined;
    if (part === "value" || part === "label") {
      parts.push({ kind: part, field: inner.number, name: wire.string(inner) });
    } else if (part) {
      parts.push(message(wire, inner, part, depth + 1));
      isVerbatim = false;
    } else {
      if (isOwnText(kind, inner.number)) texts.set(inner.number, wire.string(inner));
      if (kind !== "attribute" || !isOwnText(kind, inner.number)) parts.push(inner.whole);
    }
  }
  const text = (number: number): string => texts.get(number) ?? "";
  const isNode = kind === "node";
  const isAttribute = kind === "attribute";
  const reference = isAttribute ? text(ATTRIBUTE.reference) : "";
  const domain = isNode ? normalDomain(text(NODE.domain)) : "";
  return {
    kind: isNode || isAttribute ? kind : "message",
    field: field.number,
    parts,
    key: isNode ? functionKey(domain, text(NODE.opType), text(NODE.overload)) : "",
    domain,
    name: isAttribute ? text(ATTRIBUTE.name) : "",
    reference,
    verbatim: isVerbatim && reference === "" ? field.whole : null,
  };
}

function isOwnText(kind: Kind, number: number): boolean {
  if (kind === "node") return number === NODE.opType || number === NODE.domain || number === NODE.overload;
  return kind === "attribute" && (number === ATTRIBUTE.name || number === ATTRIBUTE.reference);
}

/** All nodes of a template, those in the graphs of its attributes too. */
export function* nodesOf(part: Part): Generator<MessagePart> {
  if (!("parts" in part)) return;
  if (part.kind === "node") yield part;
  for (const inner of part.parts) yield* nodesOf(inner);
}

/** All names of values in a template. */
export function* valuesOf(part: Part): Generator<string> {
  if ("parts" in part) for (const inner of part.parts) yield* valuesOf(inner);
  else if ("name" in part && part.kind === "value" && part.name !== "") yield part.name;
}
