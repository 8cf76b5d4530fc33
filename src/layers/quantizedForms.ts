import type { NewNode } from "../onnx/encode";
import { ELEMENT_TYPES, type Node } from "../onnx/schema";
import { copyNode, floatAttribute } from "./nodes";

/** Where a quantized operator has its operands, and what it computes in floating point: positions are those of its inputs. */
export interface QuantizedForm {
  readonly data: number;
  readonly weight: number;
  /** Null where the operator computes with the whole numbers themselves. */
  readonly weightScale: number | null;
  readonly weightZeroPoint: number;
  /** The operator of floating-point numbers that is in it. */
  readonly floatOp: "Conv" | "MatMul" | "Gemm" | "Attention";
  /** The float32 numbers that the data stands for, as `result`. */
  input(node: Node, result: string): NewNode[];
  /** From `x`, which is that, and a float32 weight to the node's output. */
  output(node: Node, x: string, weight: string): NewNode[];
}

const made = (opType: string, inputs: readonly string[], output: string, more: Partial<NewNode> = {}): NewNode => ({
  opType,
  name: output,
  inputs,
  outputs: [output],
  ...more,
});

const toFloat = (value: string, result: string): NewNode =>
  made("Cast", [value], result, { attributes: { to: ELEMENT_TYPES.float32 } });

/** Whole numbers less their zero point, which may be "", as float32. */
function centred(value: string, zeroPoint: string, result: string): NewNode[] {
  if (zeroPoint === "") return [toFloat(value, result)];
  const [whole, middle] = [`${result}/whole`, `${result}/zero_point`];
  return [toFloat(value, whole), toFloat(zeroPoint, middle), made("Sub", [whole, middle], result)];
}

/**
 * The numbers that whole ones stand for. With a DequantizeLinear in its place, onnxruntime's optimizer would take the layer
 * for one that is to be quantized, and round W′ to 8 bits.
 */
function dequantized(value: string, scale: string, zeroPoint: string, result: string): NewNode[] {
  const middle = `${result}/centred`;
  return [...centred(value, zeroPoint, middle), made("Mul", [middle, scale], result)];
}

const at = (node: Node, position: number): string => node.inputs[position] ?? "";
const part = (node: Node, name: string): string => `${node.outputs[0]}/float/${name}`;

/** The node with its last output renamed to the node's own, and its name. */
function ending(node: Node, nodes: readonly NewNode[]): NewNode[] {
  const last = nodes[nodes.length - 1];
  return [...nodes.slice(0, -1), { ...last, name: node.name, outputs: [node.outputs[0]] }];
}

/** Numbers of 32 bits, added to the products of two quantized numbers, as float32. */
function scaledBias(node: Node, bias: string, scales: readonly [number, number]): { value: string; nodes: NewNode[] } {
  if (bias === "") return { value: "", nodes: [] };
  const [whole, scale, value] = [part(node, "bias_sum"), part(node, "bias_scale"), part(node, "bias")];
  const nodes = [
    toFloat(bias, whole),
    made(
      "Mul",
      scales.map((position) => at(node, position)),
      scale,
    ),
    made("Mul", [whole, scale], value),
  ];
  return { value, nodes };
}

function quantizedAgain(node: Node, value: string, scale: number, zeroPoint: number): NewNode {
  const zero = at(node, zeroPoint);
  return made("QuantizeLinear", [value, at(node, scale), ...(zero === "" ? [] : [zero])], part(node, "quantized"));
}

/** The nearest whole numbers, of 32 bits. */
function wholeAgain(node: Node, value: string): NewNode[] {
  // Round came with opset 11, a year behind the operators: ⌊x⌋ + ⌊2(x − ⌊x⌋)⌋ is the same but for ties.
  const [below, rest, twice, up, rounded] = ["below", "rest", "twice", "up", "rounded"].map((name) => part(node, name));
  return [
    made("Floor", [value], below),
    made("Sub", [value, below], rest),
    made("Add", [rest, rest], twice),
    made("Floor", [twice], up),
    made("Add", [below, up], rounded),
    made("Cast", [rounded], part(node, "whole"), { attributes: { to: ELEMENT_TYPES.int32 } }),
  ];
}

function withBias(node: Node, product: NewNode, bias: string): NewNode[] {
  return bias === "" ? [product] : [product, made("Add", [product.outputs[0], bias], part(node, "sum"))];
}

function convolved(node: Node, inputs: readonly string[]): NewNode {
  const output = part(node, "product");
  return copyNode(node, { opType: "Conv", name: output, inputs, outputs: [output] });
}

const multiplied = (node: Node, x: string, weight: string): NewNode =>
  made("MatMul", [x, weight], part(node, "product"));

/** By operator, as {@link LayerType.ops}. */
export const QUANTIZED_FORMS: Readonly<Record<string, QuantizedForm>> = {
  QLinearConv: {
    data: 0,
    weight: 3,
    weightScale: 4,
    weightZeroPoint: 5,
    floatOp: "Conv",
    input: (node, result) => dequantized(at(node, 0), at(node, 1), at(node, 2), result),
    output(node, x, weight) {
      const bias = scaledBias(node, at(node, 8), [1, 4]);
      const product = convolved(node, [x, weight, ...(bias.value === "" ? [] : [bias.value])]);
      return ending(node, [...bias.nodes, product, quantizedAgain(node, product.outputs[0], 6, 7)]);
    },
  },
  QLinearMatMul: {
    data: 0,
    weight: 3,
    weightScale: 4,
    weightZeroPoint: 5,
    floatOp: "MatMul",
    input: (node, result) => dequantized(at(node, 0), at(node, 1), at(node, 2), result),
    output(node, x, weight) {
      const product = multiplied(node, x, weight);
      return ending(node, [product, quantizedAgain(node, product.outputs[0], 6, 7)]);
    },
  },
  ConvInteger: {
    data: 0,
    weight: 1,
    weightScale: null,
    weightZeroPoint: 3,
    floatOp: "Conv",
    input: (node, result) => centred(at(node, 0), at(node, 2), result),
    output(node, x, weight) {
      const product = convolved(node, [x, weight]);
      return ending(node, [product, ...wholeAgain(node, product.outputs[0])]);
    },
  },
  MatMulInteger: {
    data: 0,
    weight: 1,
    weightScale: null,
    weightZeroPoint: 3,
    floatOp: "MatMul",
    input: (node, result) => centred(at(node, 0), at(node, 2), result),
    output(node, x, weight) {
      const product = multiplied(node, x, weight);
      return ending(node, [product, ...wholeAgain(node, product.outputs[0])]);
    },
  },
  "com.microsoft:DynamicQuantizeMatMul": {
    data: 0,
    weight: 1,
    weightScale: 2,
    weightZeroPoint: 3,
    floatOp: "MatMul",
    input(node, result) {
      const outputs = ["quantized", "scale", "zero_point"].map((name) => `${result}/${name}`);
      const quantize = made("DynamicQuantizeLinear", [at(node, 0)], outputs[0]);
      return [{ ...quantize, outputs }, ...dequantized(outputs[0], outputs[1], outputs[2], result)];
    },
    output: (node, x, weight) => ending(node, withBias(node, multiplied(node, x, weight), at(node, 4))),
  },
  "com.microsoft:MatMulIntegerToFloat": {
    data: 0,
    weight: 1,
    weightScale: 3,
    weightZeroPoint: 5,
    floatOp: "MatMul",
    input: (node, result) => dequantized(at(node, 0), at(node, 2), at(node, 4), result),
    output: (node, x, weight) => ending(node, withBias(node, multiplied(node, x, weight), at(node, 6))),
  },
  "com.microsoft:QGemm": {
    data: 0,
    weight: 3,
    weightScale: 4,
    weightZeroPoint: 5,
    floatOp: "Gemm",
    input: (node, result) => dequantized(at(node, 0), at(node, 1), at(node, 2), result),
    output(node, x, weight) {
      const bias = scaledBias(node, at(node, 6), [1, 4]);
      const output = part(node, "product");
      // alpha scales the sum of products and bias.
      const product = copyNode(node, {
        opType: "Gemm",
        name: output,
        inputs: [x, weight, ...(bias.value === "" ? [] : [bias.value])],
        outputs: [output],
        with: { beta: { float: floatAttribute(node, "alpha", 1) } },
      });
      return ending(node, [...bias.nodes, product, ...(at(node, 7) ? [quantizedAgain(node, output, 7, 8)] : [])]);
    },
  },
  "com.microsoft:QAttention": {
    data: 0,
    weight: 1,
    weightScale: 4,
    weightZeroPoint: 7,
    floatOp: "Attention",
    input: (node, result) => dequantized(at(node, 0), at(node, 3), at(node, 6), result),
    output(node, x, weight) {
      const inputs = [x, weight, at(node, 2), at(node, 5), at(node, 8)];
      const { attributes } = copyNode(node, {});
      return [{ opType: "Attention", domain: "com.microsoft", name: node.name, inputs, outputs: node.outputs, attributes: attributes ?? {} }]; // prettier-ignore
    },
  },
};
