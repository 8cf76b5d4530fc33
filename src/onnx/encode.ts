import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { elementBytes, writtenType, type TypedElements } from "./elementBytes";
import { ELEMENT_TYPES, type ElementType, type Shape } from "./schema";

/** Attribute values that RankLens writes. Whole numbers become ints; a float has to be said so. */
export type NewAttribute = number | string | readonly number[] | readonly string[] | FloatAttribute | FloatsAttribute;

/** A node to be written. */
export interface NewNode {
  readonly opType: string;
  /** Without it, the ONNX domain. */
  readonly domain?: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, NewAttribute>>;
}

export interface FloatAttribute {
  readonly float: number;
}

export interface FloatsAttribute {
  readonly floats: readonly number[];
}

/** A constant to be written. */
export interface NewInitializer extends TypedElements {
  readonly name: string;
  readonly dims: readonly number[];
  /** Where the data is written instead of into the model. */
  readonly external?: ExternalPlace;
}

/** A place in a file beside the model. */
export interface ExternalPlace {
  /** The file, relative to the model's folder. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface NewValue {
  readonly name: string;
  /** Null leaves the type to onnxruntime's inference; for outputs only. */
  readonly elementType: ElementType | null;
  readonly shape: Shape;
}

/** Field numbers of GraphProto. */
export const GRAPH_FIELDS = {
  node: 1,
  initializer: 5,
  input: 11,
  output: 12,
  valueInfo: 13,
  sparseInitializer: 15,
} as const;

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, floats: 6, ints: 7, strings: 8 } as const;

/** NodeProto as a field of GraphProto, tag included. */
export function nodeField(node: NewNode): Uint8Array {
  const writer = new BinaryWriter().tag(GRAPH_FIELDS.node, WireType.LengthDelimited).fork();
  for (const input of node.inputs) writer.tag(1, WireType.LengthDelimited).string(input);
  for (const output of node.outputs) writer.tag(2, WireType.LengthDelimited).string(output);
  writer.tag(3, WireType.LengthDelimited).string(node.name);
  writer.tag(4, WireType.LengthDelimited).string(node.opType);
  for (const [name, value] of Object.entries(node.attributes ?? {})) writeAttribute(writer, name, value);
  if (node.domain) writer.tag(7, WireType.LengthDelimited).string(node.domain);
  return writer.join().finish();
}

function writeAttribute(writer: BinaryWriter, name: string, value: NewAttribute): void {
  writer.tag(5, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(name);
  if (typeof value === "number") {
    writer.tag(3, WireType.Varint).int64(value).tag(20, WireType.Varint).int32(ATTRIBUTE_TYPE.int);
  } else if (typeof value === "string") {
    writer.tag(4, WireType.LengthDelimited).string(value).tag(20, WireType.Varint).int32(ATTRIBUTE_TYPE.string);
  } else if ("float" in value) {
    writer.tag(2, WireType.Bit32).float(value.float).tag(20, WireType.Varint).int32(ATTRIBUTE_TYPE.float);
  } else if ("floats" in value) {
    for (const number of value.floats) writer.tag(7, WireType.Bit32).float(number);
    writer.tag(20, WireType.Varint).int32(ATTRIBUTE_TYPE.floats);
  } else if (isStrings(value)) {
    for (const text of value) writer.tag(9, WireType.LengthDelimited).string(text);
    writer.tag(20, WireType.Varint).int32(ATTRIBUTE_TYPE.strings);
  } else {
    for (const number of value) writer.tag(8, WireType.Varint).int64(number);
    writer.tag(20, WireType.Varint).int32(ATTRIBUTE_TYPE.ints);
  }
  writer.join();
}

function isStrings(value: readonly number[] | readonly string[]): value is readonly string[] {
  return typeof value[0] === "string";
}

/** TensorProto as an initializer field of GraphProto, tag included; data as raw_data, little-endian, or external. */
export function initializerField(initializer: NewInitializer): Uint8Array {
  const { name, dims, external } = initializer;
  const writer = new BinaryWriter().tag(GRAPH_FIELDS.initializer, WireType.LengthDelimited).fork();
  for (const dim of dims) writer.tag(1, WireType.Varint).int64(dim);
  writer.tag(2, WireType.Varint).int32(ELEMENT_TYPES[writtenType(initializer)]);
  writer.tag(8, WireType.LengthDelimited).string(name);
  if (external) writer.raw(externalData(external));
  else writer.tag(9, WireType.LengthDelimited).bytes(elementBytes(initializer));
  return writer.join().finish();
}

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/** The fields of a TensorProto whose data lies in another file, tags included. */
export function externalData(place: ExternalPlace): Uint8Array {
  return new BinaryWriter().raw(externalFields(place)).tag(14, WireType.Varint).int32(EXTERNAL).finish();
}

/** The external_data fields of TensorProto, tags included: one StringStringEntryProto each. */
export function externalFields({ location, offset, length }: ExternalPlace): Uint8Array {
  const writer = new BinaryWriter();
  for (const [key, value] of Object.entries({ location, offset: String(offset), length: String(length) })) {
    writer.tag(13, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key).tag(2, WireType.LengthDelimited).string(value);
    writer.join();
  }
  return writer.finish();
}

export function inputField(value: NewValue): Uint8Array {
  return valueField(GRAPH_FIELDS.input, value);
}

export function outputField(value: NewValue): Uint8Array {
  return valueField(GRAPH_FIELDS.output, value);
}

/** ValueInfoProto of a dense tensor. A null shape leaves the rank open, a null dimension its size. */
function valueField(fieldNumber: number, { name, elementType, shape }: NewValue): Uint8Array {
  const writer = new BinaryWriter().tag(fieldNumber, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string(name);
  if (elementType === null) return writer.join().finish();
  writer.tag(2, WireType.LengthDelimited).fork(); // type
  writer.tag(1, WireType.LengthDelimited).fork(); // tensor_type
  writer.tag(1, WireType.Varint).int32(ELEMENT_TYPES[elementType]);
  if (shape) {
    writer.tag(2, WireType.LengthDelimited).fork();
    for (const dim of shape) {
      writer.tag(1, WireType.LengthDelimited).fork();
      if (typeof dim === "number") writer.tag(1, WireType.Varint).int64(dim);
      else if (dim !== null) writer.tag(2, WireType.LengthDelimited).string(dim);
      writer.join();
    }
    writer.join();
  }
  return writer.join().join().join().finish();
}

/** The tag and the length that stand in front of a length-delimited field. */
export function fieldHeader(fieldNumber: number, length: number): Uint8Array {
  return new BinaryWriter().tag(fieldNumber, WireType.LengthDelimited).uint64(length).finish();
}
