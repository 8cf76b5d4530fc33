import { ExpectedError } from "../errors";
import { fileSource, type ByteSource } from "./byteSource";
import { describeForeignFile } from "./foreignFile";
import { inlineFunctions, withReasons } from "./functions/inlineFunctions";
import { readOpset } from "./functions/modelFunctions";
import { readGraph } from "./graphReader";
import type { ByteRange, Graph, Model } from "./schema";
import { segmentSource } from "./segments";
import { notOnnx, NotOnnxError, signed, WireReader, type Field } from "./wire";

/** A model file that is open: its structure, and the reader through which weights come on demand. */
export interface OpenModel extends Model {
  readonly wire: WireReader;
  /** Where the files with its external tensors are; null for a model in memory, which has none. */
  readonly folder: string | null;
  close(): void;
}

/** Field numbers of ModelProto. */
const MODEL = {
  irVersion: 1,
  producerName: 2,
  producerVersion: 3,
  graph: 7,
  opsetImport: 8,
  metadata: 14,
  functions: 25,
};

/**
 * Reads the structure of an ONNX model by ranged reads; no weight is read. The file stays open until `close()`.
 * @throws ExpectedError if there is no such file, or it is not an ONNX model, or it is cut off.
 */
export function openModel(path: string): OpenModel {
  return readModel(fileSource(path));
}

/** As {@link openModel}, from any source of bytes, which is closed where reading fails. */
export function readModel(source: ByteSource): OpenModel {
  try {
    return { ...withoutFunctions(source), close: () => source.close() };
  } catch (error) {
    const foreign = error instanceof NotOnnxError ? describeForeignFile(source) : null;
    source.close();
    throw foreign === null ? error : new ExpectedError(foreign, { cause: error });
  }
}

/** The model with its functions inlined, where it has any: everything that reads it sees ordinary nodes. */
function withoutFunctions(source: ByteSource): Omit<OpenModel, "close"> {
  const model = decodeModel(source);
  if (model.functions.size === 0) return model;
  const { segments, reasons } = inlineFunctions(model.wire, model);
  const inlined = segments ? decodeModel(segmentSource(source, segments)) : model;
  return { ...inlined, bytes: source.size, graph: withReasons(inlined.graph, reasons) };
}

function decodeModel(source: ByteSource): Omit<OpenModel, "close"> {
  const wire = new WireReader(source);
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const functions = new Set<string>();
  let irVersion = 0;
  let producerName = "";
  let producerVersion = "";
  let found: { graph: Graph; field: ByteRange } | undefined;
  for (const field of wire.fields({ start: 0, end: source.size })) {
    switch (field.number) {
      case MODEL.irVersion:
        irVersion = signed(field.varint);
        break;
      case MODEL.producerName:
        producerName = wire.string(field);
        break;
      case MODEL.producerVersion:
        producerVersion = wire.string(field);
        break;
      case MODEL.graph:
        if (found) throw notOnnx(source, "it has more than one graph");
        found = { graph: readGraph(wire, field.value), field: field.whole };
        break;
      case MODEL.opsetImport: {
        const { domain, version } = readOpset(wire, field);
        opsets.set(domain, version);
        break;
      }
      case MODEL.metadata: {
        const strings = stringFields(wire, field, 2);
        metadata.set(strings.get(1) ?? "", strings.get(2) ?? "");
        break;
      }
      case MODEL.functions: {
        const strings = stringFields(wire, field, 10);
        functions.add(`${strings.get(10) ?? ""}:${strings.get(1) ?? ""}`);
        break;
      }
    }
  }
  if (!found) throw notOnnx(source, "it holds no graph");
  return {
    wire,
    folder: source.folder,
    path: source.name,
    bytes: source.size,
    irVersion,
    opsets,
    producerName,
    producerVersion,
    metadata,
    functions,
    graph: found.graph,
    graphField: found.field,
  };
}

/** The string fields of a small message that are field 1 or field `other`. */
function stringFields(wire: WireReader, field: Field, other: number): Map<number, string> {
  const strings = new Map<number, string>();
  for (const part of wire.fields(field.value)) {
    if (part.number === 1 || part.number === other) strings.set(part.number, wire.string(part));
  }
  return strings;
}
