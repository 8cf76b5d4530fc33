import type { GraphIndex } from "./graphIndex";
import { isFloatType } from "./elements";
import { integerRange, misfit, type Quantization } from "./quantization";
import type { BlockPacking } from "./blockPacking";
import { elementTypeOf, type AttributeValue, type ElementType, type Node, type TensorInfo } from "./schema";
import { elementCount } from "./tensor";

/** What a node makes of a constant. Identity, and any other that changes nothing, is no step. */
export type ConstantStep =
  | { readonly kind: "reshape"; readonly dims: readonly number[] }
  /** Axis i of the result is axis perm[i] of what it is made from. */
  | { readonly kind: "transpose"; readonly perm: readonly number[] }
  /** Along each axis every strides-th place from the start on, `dims` of them. */
  | {
      readonly kind: "slice";
      readonly starts: readonly number[];
      readonly strides: readonly number[];
      readonly dims: readonly number[];
    }
  | { readonly kind: "cast"; readonly to: ElementType }
  | { readonly kind: "quantize" | "dequantize"; readonly quantization: Quantization }
  /** Whole numbers less their zero point, which is one, or one for each place of the axis. */
  | { readonly kind: "subtract"; readonly zeroPoint: TensorInfo; readonly axis: number }
  /** The matrix that a MatMulNBits reads. */
  | { readonly kind: "unpack"; readonly packing: BlockPacking };

/** A constant between the steps of its chain. */
export interface Stage {
  readonly dims: readonly number[];
  readonly elementType: ElementType | null;
}

/** The result of a node; without a step where it changes nothing. */
export interface Applied extends Stage {
  readonly step?: ConstantStep;
}

/** What a node makes of the constant that is its first input; or why that is unknown, as "…, WHY". */
type ChainRule = (stage: Stage, node: Node, index: GraphIndex) => Applied | string;

/** The operators of a chain: they move elements, convert them one by one, or take some. */
const RULES: ReadonlyMap<string, ChainRule> = new Map(
  Object.entries<ChainRule>({
    Identity: (stage) => stage,
    Reshape: (stage, node, index) => {
      const target = numbersOf(node, index, 1, "shape");
      if (!target) return "to a shape that is not constant";
      return reshaped(
        stage,
        reshapedDims(stage.dims, target, wholeNumber(node.attributes.get("allowzero")) === 1),
        target,
      );
    },
    Flatten: (stage, node) => {
      const axis = fromFront(wholeNumber(node.attributes.get("axis")) ?? 1, stage.dims.length);
      return reshaped(stage, [elementCount(stage.dims.slice(0, axis)), elementCount(stage.dims.slice(axis))], []);
    },
    Squeeze: (stage, node, index) => {
      const axes = numbersOf(node, index, 1, "axes");
      if (!axes && node.inputs[1]) return "along axes that are not constant";
      const dropped = axes?.map((axis) => fromFront(axis, stage.dims.length));
      const dims = stage.dims.filter((dim, axis) => (dropped ? !dropped.includes(axis) : dim !== 1));
      return reshaped(stage, dims, dims);
    },
    Unsqueeze: (stage, node, index) => {
      const axes = numbersOf(node, index, 1, "axes");
      if (!axes) return "along axes that are not constant";
      const dims = [...stage.dims];
      const rank = dims.length + axes.length;
      for (const axis of axes.map((it) => fromFront(it, rank)).sort((a, b) => a - b)) dims.splice(axis, 0, 1);
      return reshaped(stage, dims, dims);
    },
    Transpose: (stage, node) => {
      const { dims } = stage;
      const axes = dims.map((_, axis) => axis);
      const perm = ints(node.attributes.get("perm")) ?? [...axes].reverse();
      if (!same(ascending(perm), axes)) return `whose axes [${perm.join(", ")}] are no order of its ${dims.length}`;
      if (same(perm, axes)) return stage;
      return { ...stage, dims: perm.map((axis) => dims[axis]), step: { kind: "transpose", perm } };
    },
    Slice: slice,
    Cast: (stage, node) => {
      const to = elementTypeOf(wholeNumber(node.attributes.get("to")) ?? 0);
      if (to === stage.elementType) return stage;
      if (!isFloatType(stage.elementType) || !isFloatType(to)) {
        return `from ${stage.elementType ?? "an unknown type"} to ${to ?? "an unknown type"}`;
      }
      return { ...stage, elementType: to, step: { kind: "cast", to } };
    },
    QuantizeLinear: (stage, node, index) => {
      if (!isFloatType(stage.elementType)) return `of ${stage.elementType ?? "an unknown type"}`;
      const named = elementTypeOf(wholeNumber(node.attributes.get("output_dtype")) ?? 0);
      const zeroPoint = index.constants.get(node.inputs[2] ?? "");
      const type = zeroPoint?.elementType ?? (named === "undefined" || named === null ? "uint8" : named);
      const quantization = quantizationOf(stage, node, index, type);
      if (typeof quantization === "string") return quantization;
      return { ...stage, elementType: type, step: { kind: "quantize", quantization } };
    },
    DequantizeLinear: (stage, node, index) => {
      if (stage.elementType === null || !integerRange(stage.elementType)) {
        return `of ${stage.elementType ?? "an unknown type"}`;
      }
      const quantization = quantizationOf(stage, node, index, stage.elementType);
      if (typeof quantization === "string") return quantization;
      return { ...stage, elementType: quantization.scale.elementType, step: { kind: "dequantize", quantization } };
    },
  }),
);

/** The rule of a node that can stand in the chain of a constant. */
export function chainRule({ opType, domain }: Node): ChainRule | undefined {
  // onnxruntime's own operators of quantization are those of ONNX, for more types.
  const isContrib = domain === "com.microsoft" && (opType === "QuantizeLinear" || opType === "DequantizeLinear");
  return domain === "" || isContrib ? RULES.get(opType) : undefined;
}

function quantizationOf(stage: Stage, node: Node, index: GraphIndex, type: ElementType): Quantization | string {
  const [, scaleName = "", zeroName = ""] = node.inputs;
  const scale = index.constants.get(scaleName);
  const zeroPoint = zeroName === "" ? null : index.constants.get(zeroName);
  if (!scale || zeroPoint === undefined) return "whose scales are not constant";
  if (!isFloatType(scale.elementType)) return `whose scales are ${scale.elementType ?? "of an unknown type"}`;
  if (!integerRange(type)) return `to ${type}`;
  const quantization: Quantization = {
    scale,
    zeroPoint,
    axis: fromFront(wholeNumber(node.attributes.get("axis")) ?? 1, stage.dims.length),
    blockSize: wholeNumber(node.attributes.get("block_size")) ?? 0,
    type,
    domain: node.domain,
  };
  return misfit(stage.dims, quantization) ?? quantization;
}

/** From opset 10 on, all but the data are inputs; before, attributes. */
function slice(stage: Stage, node: Node, index: GraphIndex): Applied | string {
  const { dims } = stage;
  const [starts, ends] = [numbersOf(node, index, 1, "starts"), numbersOf(node, index, 2, "ends")];
  const axes = numbersOf(node, index, 3, "axes") ?? (node.inputs[3] ? null : starts?.map((_, at) => at));
  const strides = numbersOf(node, index, 4, "steps") ?? (node.inputs[4] ? null : starts?.map(() => 1));
  if (!starts || !ends || !axes || !strides) return "at places that are not constant";
  const first = dims.map(() => 0);
  const every = dims.map(() => 1);
  const result = [...dims];
  for (const [at, given] of axes.entries()) {
    const axis = fromFront(given, dims.length);
    const length = dims[axis];
    if (length === undefined || !(strides[at] > 0)) return "backwards, or along an axis that is not there";
    const clamped = (place: number): number => Math.min(length, Math.max(0, place < 0 ? place + length : place));
    first[axis] = clamped(starts[at]);
    every[axis] = strides[at];
    result[axis] = Math.max(0, Math.ceil((clamped(ends[at]) - first[axis]) / strides[at]));
  }
  if (same(result, dims)) return stage;
  return { ...stage, dims: result, step: { kind: "slice", starts: first, strides: every, dims: result } };
}

/** Numbers that are an input or, in earlier opsets, an attribute. */
function numbersOf(node: Node, index: GraphIndex, input: number, attribute: string): readonly number[] | null {
  const name = node.inputs[input];
  if (name === undefined || name === "") return ints(node.attributes.get(attribute)) ?? null;
  const tensor = index.constants.get(name);
  return tensor ? index.readSmall(tensor) : null;
}

function reshaped(stage: Stage, dims: number[] | null, target: readonly number[]): Applied | string {
  if (!dims || elementCount(dims) !== elementCount(stage.dims)) {
    return `which cannot make [${target.join(", ")}] of [${stage.dims.join(", ")}]`;
  }
  return same(dims, stage.dims) ? stage : { ...stage, dims, step: { kind: "reshape", dims } };
}

function reshapedDims(dims: readonly number[], target: readonly number[], allowZero: boolean): number[] | null {
  const result = target.map((dim, axis) => (dim === 0 && !allowZero ? (dims[axis] ?? NaN) : dim));
  const count = elementCount(dims);
  const unknown = result.indexOf(-1);
  if (unknown >= 0) result[unknown] = count / elementCount(result.filter((_, axis) => axis !== unknown));
  return result.every((dim) => Number.isInteger(dim) && dim >= 0) && elementCount(result) === count ? result : null;
}

function fromFront(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

function wholeNumber(value: AttributeValue | undefined): number | undefined {
  return value?.kind === "int" ? value.value : undefined;
}

function ints(value: AttributeValue | undefined): readonly number[] | undefined {
  return value?.kind === "ints" ? value.values : undefined;
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((entry, i) => entry === b[i]);
}
