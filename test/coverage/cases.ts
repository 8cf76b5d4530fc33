import type { NewInitializer } from "../../src/onnx/encode";
import { ELEMENT_TYPES, type ElementType } from "../../src/onnx/schema";
import { elementCount } from "../../src/onnx/tensor";
import { floats } from "../fixtures/data";
import { constant, modelBytes, node, untyped, value, type ModelSpec, type TestNode } from "../fixtures/model";

/** How a weight is stored. */
export const DTYPES = ["float32", "float16", "bfloat16", "float64", "int8 + DequantizeLinear", "int4 + DequantizeLinear"] as const; // prettier-ignore
export type Dtype = (typeof DTYPES)[number];

/** A model with one operator that applies a constant. */
export interface Case {
  /** What the table calls it. */
  readonly name: string;
  /** Of one sample; the batch axis goes in front. */
  readonly sample: readonly number[];
  /** Constants that the operator applies, by name. */
  readonly weights: Readonly<Record<string, readonly number[]>>;
  /** From the input "x" to the output "y"; `type` is the element type that the weights have there. */
  readonly nodes: (type: ElementType) => readonly TestNode[];
  readonly more?: Partial<ModelSpec>;
}

const MICROSOFT = { domain: "com.microsoft" };
const contrib = { domains: { "com.microsoft": 1 } };
const shape = (name: string, ...dims: number[]): TestNode =>
  constant(name, [dims.length], BigInt64Array.from(dims, BigInt));

/** Operators whose weights are floating-point numbers, whatever they are stored as. */
export const CASES: readonly Case[] = [
  { name: "Conv", sample: [8, 6, 6], weights: { w: [12, 8, 3, 3] }, nodes: () => [node("Conv", ["x", "w"], "y", { pads: [1, 1, 1, 1] })] }, // prettier-ignore
  { name: "Conv, groups", sample: [16, 6, 6], weights: { w: [16, 8, 3, 3] }, nodes: () => [node("Conv", ["x", "w"], "y", { group: 2 })] }, // prettier-ignore
  { name: "Conv, depthwise", sample: [8, 6, 6], weights: { w: [8, 1, 3, 3] }, nodes: () => [node("Conv", ["x", "w"], "y", { group: 8 })] }, // prettier-ignore
  { name: "ConvTranspose", sample: [12, 5, 5], weights: { w: [12, 8, 2, 2] }, nodes: () => [node("ConvTranspose", ["x", "w"], "y", { strides: [2, 2] })] }, // prettier-ignore
  { name: "Gemm", sample: [16], weights: { w: [12, 16] }, nodes: () => [node("Gemm", ["x", "w"], "y", { transB: 1 })] },
  { name: "MatMul", sample: [5, 16], weights: { w: [16, 12] }, nodes: () => [node("MatMul", ["x", "w"], "y")] },
  { name: "MatMul, constant on the left", sample: [16, 5], weights: { w: [12, 16] }, nodes: () => [node("MatMul", ["w", "x"], "y")] }, // prettier-ignore
  { name: "MatMul, a matrix for each place", sample: [3, 5, 16], weights: { w: [3, 16, 12] }, nodes: () => [node("MatMul", ["x", "w"], "y")] }, // prettier-ignore
  {
    name: "MatMul behind Transpose and Reshape",
    sample: [5, 16],
    weights: { w: [12, 4, 4] },
    nodes: () => [shape("s", 12, 16), node("Reshape", ["w", "s"], "r"), node("Transpose", ["r"], "t"), node("MatMul", ["x", "t"], "y")], // prettier-ignore
  },
  {
    name: "MatMul behind Slice",
    sample: [5, 16],
    weights: { w: [16, 30] },
    nodes: () => [shape("from", 4), shape("to", 16), shape("axis", 1), node("Slice", ["w", "from", "to", "axis"], "t"), node("MatMul", ["x", "t"], "y")], // prettier-ignore
  },
  { name: "Einsum", sample: [5, 16], weights: { w: [16, 3, 4] }, nodes: () => [node("Einsum", ["x", "w"], "y", { equation: "bsd,dhk->bshk" })] }, // prettier-ignore
  recurrent("LSTM", 4),
  recurrent("GRU", 3),
  recurrent("RNN", 1),
  { name: "FusedConv", sample: [8, 6, 6], weights: { w: [12, 8, 3, 3] }, nodes: () => [node("FusedConv", ["x", "w"], "y", { activation: "Relu" }, MICROSOFT)], more: contrib }, // prettier-ignore
  { name: "FusedMatMul", sample: [5, 16], weights: { w: [12, 16] }, nodes: () => [node("FusedMatMul", ["x", "w"], "y", { transB: 1 }, MICROSOFT)], more: contrib }, // prettier-ignore
  { name: "FusedGemm", sample: [16], weights: { w: [16, 12] }, nodes: () => [node("FusedGemm", ["x", "w"], "y", { activation: "Relu" }, MICROSOFT)], more: contrib }, // prettier-ignore
  {
    name: "Attention (com.microsoft)",
    sample: [5, 16],
    weights: { w: [16, 48] },
    nodes: (type) => [
      castTo("bias32", "bias", ELEMENT_TYPES[type]),
      node("Attention", ["x", "w", "bias"], "y", { num_heads: 2 }, MICROSOFT),
    ],
    more: contrib,
  },
  {
    name: "Gather (embedding)",
    sample: [4],
    weights: { w: [20, 8] },
    nodes: () => [castTo("x", "ids", ELEMENT_TYPES.int64), node("Gather", ["w", "ids"], "y")],
  },
  {
    name: "MatMul in an If",
    sample: [5, 16],
    weights: { w: [16, 12] },
    nodes: () => {
      const branch = { name: "branch", nodes: [node("MatMul", ["x", "w"], "inner")], outputs: [untyped("inner")] };
      return [
        node("Shape", ["x"], "dims"),
        shape("many", 3),
        node("ReduceSum", ["dims"], "sum", { keepdims: 1 }),
        node("Greater", ["sum", "many"], "more"),
        node("If", ["more"], "y", {}, { graphs: { then_branch: branch, else_branch: branch } }),
      ];
    },
  },
];

function castTo(input: string, output: string, to: number): TestNode {
  return node("Cast", [input], output, { to });
}

/** A recurrent layer of 6 hidden units on sequences of 5 steps: the batch axis is its second. */
function recurrent(op: string, gates: number): Case {
  return {
    name: op,
    sample: [5, 16],
    weights: { w: [1, gates * 6, 16], r: [1, gates * 6, 6] },
    nodes: () => [
      node("Transpose", ["x"], "steps", { perm: [1, 0, 2] }),
      { ...node(op, ["steps", "w", "r"], "states", { hidden_size: 6 }), outputs: ["states", "last"] },
      node("Transpose", ["last"], "y", { perm: [1, 0, 2] }),
    ],
  };
}

/** The model of a case with its weights stored in one way. */
export function caseModel({ sample, weights, nodes, more }: Case, dtype: Dtype): Uint8Array {
  const quantized = dtype.startsWith("int");
  const type = (quantized ? "float32" : dtype) as ElementType;
  const stored = Object.entries(weights).map(([name, dims], at) => storedWeight(name, dims, dtype, at + 1));
  const bias: NewInitializer = { name: "bias32", dims: [48], data: new Float32Array(48) };
  return modelBytes({
    nodes: [...stored.flatMap((one) => one.nodes), ...nodes(type)],
    initializers: [...stored.flatMap((one) => one.initializers), ...(more ? [bias] : [])],
    inputs: [value("x", ["n", ...sample], type)],
    outputs: [untyped("y")],
    opset: dtype.startsWith("int4") ? 21 : 17,
    irVersion: dtype.startsWith("int4") ? 10 : 8,
    ...more,
  });
}

function storedWeight(
  name: string,
  dims: readonly number[],
  dtype: Dtype,
  seed: number,
): { nodes: TestNode[]; initializers: NewInitializer[] } {
  const data = floats(elementCount(dims), seed, 0.3);
  if (!dtype.startsWith("int")) {
    return { nodes: [], initializers: [{ name, dims, data, elementType: dtype as ElementType }] };
  }
  const type = dtype.startsWith("int4") ? "int4" : "int8";
  const highest = type === "int4" ? 7 : 127;
  const scale = data.reduce((most, one) => Math.max(most, Math.abs(one)), 0) / highest;
  const codes = Int32Array.from(data, (one) => Math.round(one / scale));
  return {
    nodes: [node("DequantizeLinear", [`${name}_quantized`, `${name}_scale`], name)],
    initializers: [
      { name: `${name}_quantized`, dims, data: codes, elementType: type },
      { name: `${name}_scale`, dims: [], data: Float32Array.of(scale) },
    ],
  };
}
