import { memorySource } from "../../src/onnx/byteSource";
import { WireReader, type Field } from "../../src/onnx/wire";

const GRAPH = 7;
/** Where the name is in a message of GraphProto: of nodes, initializers, inputs and outputs. */
const NAME: Readonly<Record<number, number>> = { 1: 3, 5: 8, 11: 1, 12: 1 };

/** A field of a protobuf message: its bytes, tag and length included, in hexadecimal. */
export interface RawField {
  readonly name: string;
  readonly bytes: string;
}

/** The fields of a model but the graph, in file order. */
export function modelFields(model: Uint8Array): string[] {
  const wire = new WireReader(memorySource(model));
  return topFields(wire, model).flatMap((field) => (field.number === GRAPH ? [] : [raw(wire, field)]));
}

/** The fields of a model's graph, in file order. */
export function graphFields(model: Uint8Array): RawField[] {
  const wire = new WireReader(memorySource(model));
  const graph = topFields(wire, model).find(({ number }) => number === GRAPH)!;
  return [...wire.fields(graph.value)].map((field) => {
    const nameField = NAME[field.number];
    const parts = nameField === undefined ? [] : [...wire.fields(field.value)];
    const name = parts.find(({ number }) => number === nameField);
    return { name: name ? wire.string(name) : "", bytes: raw(wire, field) };
  });
}

function topFields(wire: WireReader, model: Uint8Array): Field[] {
  return [...wire.fields({ start: 0, end: model.length })];
}

function raw(wire: WireReader, field: Field): string {
  return Buffer.from(wire.bytes(field.whole)).toString("hex");
}
