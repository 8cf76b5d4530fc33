import { ExpectedError } from "../errors";
import { writtenType } from "./elementBytes";
import { GRAPH_FIELDS, initializerField, inputField, nodeField, outputField } from "./encode";
import type { ExternalPlace, NewInitializer, NewNode, NewValue } from "./encode";
import type { ExternalTensor } from "./externalData";
import { movedOut, withPlaces, type MessageKind } from "./externalTensors";
import type { OpenModel } from "./reader";
import type { ByteRange, Node, TensorInfo } from "./schema";
import { fieldOf, mergeSegments, segmentLength, totalLength, type Segment } from "./segments";
import { readSparseInfo } from "./sparse";
import { readTensorInfo } from "./tensorReader";
import { readValueInfo } from "./valueInfo";
import type { Field } from "./wire";

/** What to change in a model's graph. All that is not named stays, byte for byte. */
export interface GraphEdit {
  /** Nodes that stay; without it, all do. */
  readonly keepNodes?: ReadonlySet<Node>;
  /** Nodes to be written in the place of others. An empty list removes the node. */
  readonly replaceNodes?: ReadonlyMap<Node, readonly NewNode[]>;
  /** Initializers that stay; without it, all do. */
  readonly keepInitializer?: (name: string) => boolean;
  /** Written at the end of the initializers; one of the same name is left out. */
  readonly addInitializers?: readonly NewInitializer[];
  /** Written after all nodes. */
  readonly addNodes?: readonly NewNode[];
  /** The graph's inputs, outputs, anew; without it, they stay (less the inputs of removed initializers). */
  readonly inputs?: readonly NewValue[];
  readonly outputs?: readonly NewValue[];
  /** Further outputs beside those of the graph. */
  readonly addOutputs?: readonly NewValue[];
  /** Where external tensors that stay are to be; without it, they stay where they are. */
  readonly place?: (tensor: ExternalTensor) => ExternalPlace;
  /** Where an initializer that stays, and is in the model file, is to be; null where it stays in it. */
  readonly moveOut?: (tensor: TensorInfo) => ExternalPlace | null;
}

/** Field numbers of ModelProto. */
const MODEL_GRAPH = 7;
const MODEL_FUNCTIONS = 25;

/** The edited model as pieces, in order. Nothing is read but the headers of the graph's fields. */
export function editedModel(model: OpenModel, edit: GraphEdit): Segment[] {
  const graph = mergeSegments(editedGraph(model, edit));
  // Where nothing changes, not even the way in which its length is written does.
  const isWhole =
    totalLength(graph) === segmentLength(model.graph.range) && graph.every(isOfSource) && graph.length < 2;
  return mergeSegments([
    ...keptFields(model, { start: 0, end: model.graphField.start }, edit),
    ...(isWhole ? [model.graphField] : fieldOf(MODEL_GRAPH, graph)),
    ...keptFields(model, { start: model.graphField.end, end: model.wire.source.size }, edit),
  ]);
}

function isOfSource(segment: Segment): boolean {
  return !(segment instanceof Uint8Array);
}

/** A protobuf message has less than 2 GiB: the limit of its parsers, onnxruntime's among them. */
export const MOST_MODEL_BYTES = 2 ** 31 - 1;

/** The length of the model that the pieces make. @throws ExpectedError if no protobuf message can be that long. */
export function modelLength(
  model: OpenModel,
  segments: readonly Segment[],
  mostBytes: number = MOST_MODEL_BYTES,
): number {
  const length = totalLength(segments);
  if (length <= mostBytes) return length;
  throw new ExpectedError(
    `${model.path} would have ${(length / 2 ** 30).toFixed(1)} GiB with its new weights in it, and an ONNX model can have ` +
      `2 GiB at most beside its external data.`,
  );
}

/** The edited model in memory, as onnxruntime takes it. */
export function editedModelBytes(model: OpenModel, edit: GraphEdit): Uint8Array {
  const segments = editedModel(model, edit);
  const bytes = new Uint8Array(modelLength(model, segments));
  let position = 0;
  for (const segment of segments) {
    bytes.set(segment instanceof Uint8Array ? segment : model.wire.bytes(segment), position);
    position += segmentLength(segment);
  }
  return bytes;
}

function* editedGraph(model: OpenModel, edit: GraphEdit): Generator<Segment> {
  const replaced = new Set(edit.addInitializers?.map(({ name }) => name));
  const removed = (name: string): boolean => replaced.has(name) || edit.keepInitializer?.(name) === false;
  const { initializers, sparseInitializers, nodes } = model.graph;
  const isInitializer = (name: string): boolean => initializers.has(name) || sparseInitializers.has(name);
  let nextNode = 0;
  for (const field of model.wire.fields(model.graph.range)) {
    switch (field.number) {
      case GRAPH_FIELDS.node: {
        const node = nodes[nextNode++];
        const replacement = edit.replaceNodes?.get(node);
        if (replacement) yield* replacement.map(nodeField);
        else if (!edit.keepNodes || edit.keepNodes.has(node)) yield* kept(model, field, "node", edit);
        break;
      }
      case GRAPH_FIELDS.initializer:
        yield* keptInitializer(model, field, edit, removed);
        break;
      case GRAPH_FIELDS.sparseInitializer:
        if (!removed(readSparseInfo(model.wire, field).name)) yield* kept(model, field, "sparse", edit);
        break;
      case GRAPH_FIELDS.input:
        if (!edit.inputs && !isRemovedInput(model, field, (name) => isInitializer(name) && removed(name))) {
          yield field.whole;
        }
        break;
      case GRAPH_FIELDS.output:
        if (!edit.outputs) yield field.whole;
        break;
      default:
        yield field.whole;
    }
  }
  for (const node of edit.addNodes ?? []) yield nodeField(node);
  for (const initializer of edit.addInitializers ?? []) yield initializerField(initializer);
  for (const input of edit.inputs ?? listedInitializers(model, edit)) yield inputField(input);
  for (const output of [...(edit.outputs ?? []), ...(edit.addOutputs ?? [])]) yield outputField(output);
}

/** The last IR version in which every initializer is listed among the inputs too. */
const LISTED_INITIALIZERS = 3;

function listedInitializers({ irVersion }: OpenModel, { addInitializers = [] }: GraphEdit): NewValue[] {
  if (irVersion > LISTED_INITIALIZERS) return [];
  return addInitializers.map((initializer) => {
    return { name: initializer.name, elementType: writtenType(initializer), shape: initializer.dims };
  });
}

function keptInitializer(
  model: OpenModel,
  field: Field,
  edit: GraphEdit,
  removed: (name: string) => boolean,
): readonly Segment[] {
  const tensor = readTensorInfo(model.wire, field);
  if (removed(tensor.name)) return [];
  const place = edit.moveOut?.(tensor);
  return place ? movedOut(model.wire, field, place) : kept(model, field, "tensor", edit);
}

/** A field that stays, with its external tensors where the edit puts them. */
function kept(model: OpenModel, field: Field, kind: MessageKind, { place }: GraphEdit): readonly Segment[] {
  return place ? withPlaces(model.wire, field, kind, place) : [field.whole];
}

/** Fields of ModelProto that stay. */
function keptFields(model: OpenModel, range: ByteRange, edit: GraphEdit): readonly Segment[] {
  if (!edit.place) return [range];
  return [...model.wire.fields(range)].flatMap((field) =>
    field.number === MODEL_FUNCTIONS ? kept(model, field, "function", edit) : [field.whole],
  );
}

function isRemovedInput(model: OpenModel, field: Field, removed: (name: string) => boolean): boolean {
  return removed(readValueInfo(model.wire, field).name);
}
