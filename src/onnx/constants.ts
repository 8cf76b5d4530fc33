import { isFloatType, readFloats } from "./elements";
import type { GraphIndex } from "./graphIndex";
import { elementTypeOf, type AttributeValue, type ElementType, type Node, type TensorInfo } from "./schema";
import { tooManyZeros } from "./sparse";
import { elementCount } from "./tensor";
import type { WireReader } from "./wire";

/** What a node makes of a constant. Identity, and any other that changes nothing, is no step. */
export type ConstantStep =
  | { readonly kind: "reshape"; readonly dims: readonly number[] }
  /** Axis i of the result is axis perm[i] of what it is made from. */
  | { readonly kind: "transpose"; readonly perm: readonly number[] }
  | { readonly kind: "cast"; readonly to: "float32" | "float64" };

/** A constant as a node reads it: a stored tensor, and what a chain of nodes makes of it. */
export interface Constant {
  /** The value that holds the stored tensor: an initializer, or the output of a Constant node. */
  readonly name: string;
  readonly tensor: TensorInfo;
  readonly steps: readonly ConstantStep[];
  /** After the steps. */
  readonly dims: readonly number[];
  readonly elementType: ElementType | null;
}

export type ResolvedConstant =
  | { readonly kind: "constant"; readonly constant: Constant }
  /** A stored tensor is at the chain's end, but what comes out cannot be told without running it. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** Longer chains are not written by any exporter; a damaged file may close one to a cycle. */
const LONGEST_CHAIN = 64;

/** The operators of a chain: they move elements or convert them one by one. */
export function isChainNode({ opType, domain }: Node): boolean {
  return domain === "" && ["Identity", "Reshape", "Transpose", "Cast"].includes(opType);
}

/** The constant that `value` holds; null where no stored tensor is behind it, or another operator lies between. */
export function resolveConstant(index: GraphIndex, value: string): ResolvedConstant | null {
  const chain: Node[] = [];
  let name = value;
  let tensor = index.constants.get(name);
  while (!tensor) {
    const producer = index.producers.get(name);
    if (!producer || !isChainNode(producer) || chain.length === LONGEST_CHAIN) return null;
    chain.push(producer);
    name = producer.inputs[0] ?? "";
    tensor = index.constants.get(name);
  }
  const tooLarge = tooManyZeros(tensor);
  if (tooLarge !== undefined) return { kind: "unreadable", reason: `its weight is ${tooLarge}` };
  let constant: Constant = { name, tensor, steps: [], dims: tensor.dims, elementType: tensor.elementType };
  for (const node of chain.reverse()) {
    const next = applied(constant, node, index);
    if (typeof next === "string") {
      const reason = `its weight is made by the ${node.opType} ${node.name || (node.outputs[0] ?? "")}, ${next}`;
      return { kind: "unreadable", reason };
    }
    constant = next;
  }
  return { kind: "constant", constant };
}

/** The constant behind one more node, or why it is unknown. */
function applied(constant: Constant, node: Node, index: GraphIndex): Constant | string {
  const { dims, steps } = constant;
  switch (node.opType) {
    case "Reshape": {
      const target = reshapeTarget(node, index);
      if (!target) return "to a shape that is not constant";
      const allowZero = wholeNumber(node.attributes.get("allowzero")) === 1;
      const result = reshapedDims(dims, target, allowZero);
      if (!result) return `which cannot make [${target.join(", ")}] of [${dims.join(", ")}]`;
      if (same(result, dims)) return constant;
      return { ...constant, dims: result, steps: [...steps, { kind: "reshape", dims: result }] };
    }
    case "Transpose": {
      const attribute = node.attributes.get("perm");
      const perm = attribute?.kind === "ints" ? attribute.values : dims.map((_, axis) => dims.length - 1 - axis);
      const axes = dims.map((_, axis) => axis);
      if (
        !same(
          [...perm].sort((a, b) => a - b),
          axes,
        )
      ) {
        return `whose axes [${perm.join(", ")}] are no order of its ${dims.length}`;
      }
      if (same(perm, axes)) return constant;
      return { ...constant, dims: perm.map((axis) => dims[axis]), steps: [...steps, { kind: "transpose", perm }] };
    }
    case "Cast": {
      const to = elementTypeOf(wholeNumber(node.attributes.get("to")) ?? 0);
      if (to === constant.elementType) return constant;
      if (!isFloatType(constant.elementType) || (to !== "float32" && to !== "float64")) {
        return `from ${constant.elementType ?? "an unknown type"} to ${to ?? "an unknown type"}`;
      }
      return { ...constant, elementType: to, steps: [...steps, { kind: "cast", to }] };
    }
    default:
      return constant;
  }
}

/** Up to opset 4 the target is an attribute. */
function reshapeTarget(node: Node, index: GraphIndex): readonly number[] | null {
  const [, input] = node.inputs;
  if (input === undefined) {
    const attribute = node.attributes.get("shape");
    return attribute?.kind === "ints" ? attribute.values : null;
  }
  const tensor = index.constants.get(input);
  return tensor ? index.readSmall(tensor) : null;
}

function reshapedDims(dims: readonly number[], target: readonly number[], allowZero: boolean): number[] | null {
  const result = target.map((dim, axis) => (dim === 0 && !allowZero ? (dims[axis] ?? NaN) : dim));
  const count = elementCount(dims);
  const unknown = result.indexOf(-1);
  if (unknown >= 0) result[unknown] = count / elementCount(result.filter((_, axis) => axis !== unknown));
  return result.every((dim) => Number.isInteger(dim) && dim >= 0) && elementCount(result) === count ? result : null;
}

/**
 * The elements of the constant as a node reads it, in a fresh array.
 * @throws ExpectedError if it is not float32 after its steps, or the stored tensor cannot be read.
 */
export function readConstant(wire: WireReader, constant: Constant): Float32Array {
  let elements = readFloats(wire, constant.tensor);
  let { dims } = constant.tensor;
  for (const step of constant.steps) {
    switch (step.kind) {
      case "reshape":
        dims = step.dims;
        break;
      case "transpose":
        elements = transposed(elements, dims, step.perm);
        dims = step.perm.map((axis) => dims[axis]);
        break;
      case "cast":
        if (step.to === "float32") elements = Float32Array.from(elements);
    }
  }
  return elements instanceof Float32Array ? elements : Float32Array.from(elements);
}

/** (elements of a tensor, its dims, the new order of axes) → the elements in their new order. */
export function transposed<T extends Float32Array | Float64Array>(
  elements: T,
  dims: readonly number[],
  perm: readonly number[],
): T;
export function transposed(
  elements: Float32Array | Float64Array,
  dims: readonly number[],
  perm: readonly number[],
): Float32Array | Float64Array {
  const strides = new Array<number>(dims.length).fill(1);
  for (let axis = dims.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * dims[axis + 1];
  const lengths = perm.map((axis) => dims[axis]);
  const steps = perm.map((axis) => strides[axis]);
  const result =
    elements instanceof Float32Array ? new Float32Array(elements.length) : new Float64Array(elements.length);
  const place = new Array<number>(lengths.length).fill(0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = elements[from];
    // Like an odometer: the last axis that has not reached its end moves on, those behind it start again.
    for (let axis = lengths.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++place[axis] < lengths[axis]) break;
      from -= steps[axis] * lengths[axis];
      place[axis] = 0;
    }
  }
  return result;
}

function wholeNumber(value: AttributeValue | undefined): number | undefined {
  return value?.kind === "int" ? value.value : undefined;
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((entry, i) => entry === b[i]);
}
