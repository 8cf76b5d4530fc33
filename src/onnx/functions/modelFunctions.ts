import { normalDomain, type ByteRange } from "../schema";
import { signed, type Field, type WireReader } from "../wire";
import { functionKey, nodesOf, template, valuesOf, type MessagePart } from "./template";

/** Field numbers of ModelProto, FunctionProto and OperatorSetIdProto. */
export const MODEL = { graph: 7, opsetImport: 8, functions: 25 };
const FUNCTION = { name: 1, input: 4, output: 5, node: 7, opsetImport: 9, domain: 10, attribute: 11, overload: 13 };
const OPSET = { domain: 1, version: 2 };

/** A function that is defined in the model (FunctionProto), as a template of its nodes. */
export interface ModelFunction {
  readonly key: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Attributes that a call need not give, with what they are then. */
  readonly defaults: ReadonlyMap<string, MessagePart>;
  readonly opsets: ReadonlyMap<string, number>;
  readonly nodes: readonly MessagePart[];
  /** Keys of its nodes, those in graphs too: where they are functions, it calls them. */
  readonly calls: ReadonlySet<string>;
  /** Domains of its nodes by key. */
  readonly domains: ReadonlyMap<string, string>;
  /** All names of values in its nodes. */
  readonly values: ReadonlySet<string>;
  readonly whole: ByteRange;
}

export function readFunction(wire: WireReader, field: Field): ModelFunction {
  const texts = new Map<number, string>();
  const inputs: string[] = [];
  const outputs: string[] = [];
  const defaults = new Map<string, MessagePart>();
  const opsets = new Map<string, number>();
  const nodes: MessagePart[] = [];
  for (const part of wire.fields(field.value)) {
    switch (part.number) {
      case FUNCTION.name:
      case FUNCTION.domain:
      case FUNCTION.overload:
        texts.set(part.number, wire.string(part));
        break;
      case FUNCTION.input:
        inputs.push(wire.string(part));
        break;
      case FUNCTION.output:
        outputs.push(wire.string(part));
        break;
      case FUNCTION.node:
        nodes.push(template(wire, part, "node"));
        break;
      case FUNCTION.attribute: {
        const attribute = template(wire, part, "attribute");
        defaults.set(attribute.name, attribute);
        break;
      }
      case FUNCTION.opsetImport: {
        const { domain, version } = readOpset(wire, part);
        opsets.set(domain, version);
        break;
      }
    }
  }
  const text = (number: number): string => texts.get(number) ?? "";
  const all = nodes.flatMap((node) => [...nodesOf(node)]);
  return {
    key: functionKey(text(FUNCTION.domain), text(FUNCTION.name), text(FUNCTION.overload)),
    ...{ inputs, outputs, defaults, opsets, nodes },
    calls: new Set(all.map(({ key }) => key)),
    domains: new Map(all.map(({ key, domain }) => [key, domain])),
    values: new Set(nodes.flatMap((node) => [...valuesOf(node)])),
    whole: field.whole,
  };
}

/** OperatorSetIdProto: a domain, and the version of its operators. */
export function readOpset(wire: WireReader, field: Field): { domain: string; version: number } {
  let domain = "";
  let version = 0;
  for (const part of wire.fields(field.value)) {
    if (part.number === OPSET.domain) domain = wire.string(part);
    if (part.number === OPSET.version) version = signed(part.varint);
  }
  return { domain: normalDomain(domain), version };
}
