/**
 * The part of the ONNX data model that RankLens needs, as plain data. Field numbers are those of onnx.proto (ONNX 1.19).
 * Weights are not in here: a tensor knows where its bytes lie ({@link TensorPayload}), and `tensor.ts` reads them on demand.
 */

/** A half-open range of bytes of the model file. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** TensorProto.DataType. */
export const ELEMENT_TYPES = {
  undefined: 0,
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
  uint2: 25,
  int2: 26,
} as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

const elementTypes = new Map<number, ElementType>(
  (Object.keys(ELEMENT_TYPES) as ElementType[]).map((name) => [ELEMENT_TYPES[name], name]),
);

/** The name of a TensorProto.DataType; null for one that this version does not know. */
export function elementTypeOf(code: number): ElementType | null {
  return elementTypes.get(code) ?? null;
}

/** The ONNX domain has two spellings. */
export function normalDomain(domain: string): string {
  return domain === "ai.onnx" ? "" : domain;
}

/** Where the elements of a tensor are. */
export type TensorPayload =
  /** TensorProto.raw_data: little-endian, fixed width. */
  | { readonly kind: "raw"; readonly range: ByteRange }
  /** A typed repeated field (float_data, int32_data, …): together the ranges hold its packed encoding. */
  | { readonly kind: "typed"; readonly field: number; readonly ranges: readonly ByteRange[] }
  /** TensorProto.external_data: another file, relative to the model's folder. Nothing of it is checked yet. */
  | { readonly kind: "external"; readonly location: string; readonly offset: number; readonly length: number | null }
  /** SparseTensorProto: all elements are 0 but some, whose values and int64 positions are stored as tensors. */
  | { readonly kind: "sparse"; readonly values: TensorInfo; readonly indices: TensorInfo }
  /** Numbers in an attribute of a Constant node; empty for texts. */
  | { readonly kind: "listed"; readonly values: readonly number[] }
  /** No data field at all: right for tensors without elements only. */
  | { readonly kind: "none" };

export interface TensorInfo {
  readonly name: string;
  /** Null for an element type that this version does not know. */
  readonly elementType: ElementType | null;
  readonly dims: readonly number[];
  readonly payload: TensorPayload;
  /** The whole field that holds it (TensorProto, SparseTensorProto, NodeProto): tag, length and message. */
  readonly field: ByteRange;
}

/** A tensor that is stored as its values other than 0, and their places. */
export type SparseTensor = TensorInfo & { readonly payload: { readonly kind: "sparse" } };

/** A dimension: a size, a symbol (`"batch"`), or unknown. */
export type Dimension = number | string | null;

/** Null where the rank itself is unknown. */
export type Shape = readonly Dimension[] | null;

export interface ValueInfo {
  readonly name: string;
  /** Null for anything but a dense tensor of a known type (sequences, maps, optional and sparse types). */
  readonly elementType: ElementType | null;
  readonly shape: Shape;
}

export type AttributeValue =
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "int"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "floats"; readonly values: readonly number[] }
  | { readonly kind: "ints"; readonly values: readonly number[] }
  | { readonly kind: "strings"; readonly values: readonly string[] }
  | { readonly kind: "tensor"; readonly tensor: TensorInfo }
  | { readonly kind: "sparse"; readonly tensor: TensorInfo }
  | { readonly kind: "graph"; readonly graph: Graph }
  | { readonly kind: "graphs"; readonly graphs: readonly Graph[] }
  /** A kind RankLens never looks into (lists of tensors, types, references of function attributes). */
  | { readonly kind: "other" };

export interface Node {
  /** Position in the graph's node list. */
  readonly index: number;
  readonly name: string;
  readonly opType: string;
  /** "" for the ONNX domain ("ai.onnx" is normalised to it). */
  readonly domain: string;
  /** Tells functions of one name apart (IR version 10). */
  readonly overload?: string;
  /** Why the model-local function that the node calls was not inlined, as "it …". */
  readonly notInlined?: string;
  /** "" marks an optional input that is absent. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  /** Names of the surrounding graph that the node's subgraphs (If, Loop, Scan) read. */
  readonly captured: readonly string[];
  /** The NodeProto's whole field: tag, length and message. */
  readonly field: ByteRange;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly initializers: ReadonlyMap<string, TensorInfo>;
  /** By the name of their values. */
  readonly sparseInitializers: ReadonlyMap<string, TensorInfo>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly valueInfo: ReadonlyMap<string, ValueInfo>;
  /** The GraphProto's own bytes, tag and length excluded. */
  readonly range: ByteRange;
}

export interface Model {
  readonly path: string;
  /** Of the file on disk. */
  readonly bytes: number;
  readonly irVersion: number;
  /** Opset version by domain ("" is the ONNX domain). */
  readonly opsets: ReadonlyMap<string, number>;
  readonly producerName: string;
  readonly producerVersion: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Names of model-local functions that are not inlined, as `domain:name`. */
  readonly functions: ReadonlySet<string>;
  readonly graph: Graph;
  /** The graph's whole field in ModelProto: tag, length and message. */
  readonly graphField: ByteRange;
}
