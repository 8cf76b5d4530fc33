import { ExpectedError } from "../errors";
import { externalData, externalFields, type ExternalPlace } from "./encode";
import { externalRange, isExternal, type ExternalTensor } from "./externalData";
import type { OpenModel } from "./reader";
import type { ByteRange } from "./schema";
import { fieldOf, type Segment } from "./segments";
import { readTensorInfo, TENSOR, TENSOR_DATA } from "./tensorReader";
import { LENGTH_DELIMITED, type Field, type WireReader } from "./wire";

/** The messages of onnx.proto that hold tensors, directly or in others. */
export type MessageKind = "model" | "graph" | "function" | "node" | "attribute" | "sparse" | "tensor";

/** By field number, what a message holds. Wider than what is read elsewhere: no tensor may be missed. */
const PARTS: Readonly<Record<MessageKind, Readonly<Record<number, MessageKind>>>> = {
  model: { 7: "graph", 25: "function" },
  graph: { 1: "node", 5: "tensor", 15: "sparse" },
  function: { 7: "node" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse" },
  sparse: { 1: "tensor", 2: "tensor" },
  tensor: {},
};

/** Messages in one another; protobuf's own parsers stop there too. */
const DEEPEST_MESSAGE = 100;

/** Every tensor of the model whose elements lie in another file, wherever in the model it is. */
export function externalTensors({ wire }: OpenModel): ExternalTensor[] {
  return [...walk(wire, { start: 0, end: wire.source.size }, "model", 0)];
}

function* walk(wire: WireReader, range: ByteRange, kind: MessageKind, depth: number): Generator<ExternalTensor> {
  if (depth > DEEPEST_MESSAGE) {
    throw new ExpectedError(`${wire.source.name} nests more than ${DEEPEST_MESSAGE} messages: it is damaged.`);
  }
  for (const field of wire.fields(range)) {
    const part = partKind(kind, field);
    if (part === "tensor") {
      const tensor = readTensorInfo(wire, field);
      if (isExternal(tensor)) yield tensor;
    } else if (part) {
      yield* walk(wire, field.value, part, depth + 1);
    }
  }
}

function partKind(kind: MessageKind, field: Field): MessageKind | undefined {
  return field.wireType === LENGTH_DELIMITED ? PARTS[kind][field.number] : undefined;
}

/** Bytes of the model file, and of all that it refers to in others: what it takes on disk. */
export function bytesWithData(model: OpenModel): number {
  const places = new Map<string, number>();
  for (const tensor of externalTensors(model)) {
    const { start, end } = externalRange(model.wire.source, tensor);
    places.set(`${start} ${end} ${tensor.payload.location}`, end - start);
  }
  return [...places.values()].reduce((sum, bytes) => sum + bytes, model.bytes);
}

/**
 * A field (tag included) with the external tensors in it placed anew; all else stays, byte for byte. The pieces are
 * bytes of the source, or new ones.
 */
export function withPlaces(
  wire: WireReader,
  field: Field,
  kind: MessageKind,
  place: (tensor: ExternalTensor) => ExternalPlace,
): Segment[] {
  const pieces = kind === "tensor" ? placedTensor(wire, field, place) : placedParts(wire, field, kind, place);
  if (!pieces) return [field.whole];
  return fieldOf(field.number, pieces);
}

/** The field of a tensor with its elements in another file instead of the model; all else stays. */
export function movedOut(wire: WireReader, field: Field, place: ExternalPlace): Segment[] {
  const others = [...wire.fields(field.value)].filter(({ number }) => !TENSOR_DATA.has(number));
  return fieldOf(field.number, [...others.map(({ whole }) => whole), externalData(place)]);
}

/** The message of a tensor without its header; null where it is not external. */
function placedTensor(
  wire: WireReader,
  field: Field,
  place: (tensor: ExternalTensor) => ExternalPlace,
): Segment[] | null {
  const tensor = readTensorInfo(wire, field);
  if (!isExternal(tensor)) return null;
  const others = [...wire.fields(field.value)].filter(({ number }) => number !== TENSOR.external);
  return [...others.map(({ whole }) => whole), externalFields(place(tensor))];
}

/** The message without its header; null where nothing in it is external. */
function placedParts(
  wire: WireReader,
  field: Field,
  kind: MessageKind,
  place: (tensor: ExternalTensor) => ExternalPlace,
): Segment[] | null {
  let changed = false;
  const pieces = [...wire.fields(field.value)].flatMap((inner) => {
    const part = partKind(kind, inner);
    const placed = part ? withPlaces(wire, inner, part, place) : [inner.whole];
    changed ||= placed.length > 1;
    return placed;
  });
  return changed ? pieces : null;
}
