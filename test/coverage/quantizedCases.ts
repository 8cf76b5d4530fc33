import type { NewInitializer } from "../../src/onnx/encode";
import { elementCount } from "../../src/onnx/tensor";
import { uniform } from "../fixtures/data";
import { modelBytes, node, untyped, value, type TestNode } from "../fixtures/model";

/** A model with one operator that takes whole numbers for its weight; its input is floating-point. */
export interface QuantizedCase {
  readonly name: string;
  readonly sample: readonly number[];
  readonly bytes: Uint8Array;
}

const scalar = (name: string, data: Float32Array | Int8Array | Uint8Array): NewInitializer => ({
  name,
  dims: [],
  data,
});

/** Scales and zero points of the input, the weight and the output. */
const SCALES = [
  scalar("xs", Float32Array.of(0.05)),
  scalar("xz", Uint8Array.of(128)),
  scalar("ws", Float32Array.of(0.01)),
  scalar("wz", Int8Array.of(0)),
  scalar("ys", Float32Array.of(0.1)),
  scalar("yz", Uint8Array.of(128)),
];

const MICROSOFT = { domain: "com.microsoft" };
const quantize = node("QuantizeLinear", ["x", "xs", "xz"], "q");
const dequantize = node("DequantizeLinear", ["z", "ys", "yz"], "y");
const toFloat = node("Cast", ["z"], "y", { to: 1 });

function whole(dims: readonly number[]): Int8Array {
  const next = uniform(3);
  return Int8Array.from({ length: elementCount(dims) }, () => Math.floor(255 * next()) - 127);
}

function quantized(
  name: string,
  sample: readonly number[],
  weight: readonly number[],
  nodes: readonly TestNode[],
  more: readonly NewInitializer[] = [],
): QuantizedCase {
  const bytes = modelBytes({
    nodes,
    initializers: [{ name: "w", dims: weight, data: whole(weight) }, ...SCALES, ...more],
    inputs: [value("x", ["n", ...sample])],
    outputs: [untyped("y")],
    domains: { "com.microsoft": 1 },
  });
  return { name, sample, bytes };
}

const image = [8, 6, 6];
const kernel = [12, 8, 3, 3];
const matrix = [16, 12];
/** 12 rows of one block of 16 numbers, two to a byte. */
const packedMatrix: readonly NewInitializer[] = [
  { name: "packed", dims: [12, 1, 8], data: new Uint8Array(whole([96]).buffer) },
  { name: "blocks", dims: [12], data: new Float32Array(12).fill(0.05) },
];

export const QUANTIZED_CASES: readonly QuantizedCase[] = [
  quantized("QLinearConv", image, kernel, [quantize, node("QLinearConv", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"], "z"), dequantize]), // prettier-ignore
  quantized("ConvInteger", image, kernel, [quantize, node("ConvInteger", ["q", "w", "xz", "wz"], "z"), toFloat]),
  quantized("QLinearMatMul", [5, 16], matrix, [quantize, node("QLinearMatMul", ["q", "xs", "xz", "w", "ws", "wz", "ys", "yz"], "z"), dequantize]), // prettier-ignore
  quantized("MatMulInteger", [5, 16], matrix, [quantize, node("MatMulInteger", ["q", "w", "xz", "wz"], "z"), toFloat]),
  quantized("DynamicQuantizeMatMul", [5, 16], matrix, [node("DynamicQuantizeMatMul", ["x", "w", "ws", "wz"], "y", {}, MICROSOFT)]), // prettier-ignore
  quantized("MatMulIntegerToFloat", [5, 16], matrix, [quantize, node("MatMulIntegerToFloat", ["q", "w", "xs", "ws", "xz", "wz"], "y", {}, MICROSOFT)]), // prettier-ignore
  quantized("QGemm", [16], matrix, [quantize, node("QGemm", ["q", "xs", "xz", "w", "ws", "wz"], "y", {}, MICROSOFT)]),
  quantized(
    "QAttention",
    [5, 16],
    [16, 48],
    [quantize, node("QAttention", ["q", "w", "bias", "xs", "ws", "", "xz", "wz"], "y", { num_heads: 2 }, MICROSOFT)],
    [{ name: "bias", dims: [48], data: new Float32Array(48) }],
  ),
  quantized("MatMulNBits", [5, 16], matrix, [node("MatMulNBits", ["x", "packed", "blocks"], "y", { K: 16, N: 12, bits: 4, block_size: 16 }, MICROSOFT)], packedMatrix), // prettier-ignore
];
