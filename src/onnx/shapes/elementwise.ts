/** Operators that keep the shape of an operand, or of all of them broadcast together. */
import { axisOf, int, UNKNOWN, type ShapeRule } from "./context";
import { broadcast } from "./dimensions";

/** The first version of Add, Mul, … that broadcasts both ways; before it only B was fitted to A. */
const MULTIDIRECTIONAL = 7;

/** Unary operators, and those whose other operands only parametrise them. */
export const sameShape: ShapeRule = ({ shape }) => [shape(0)];

/** Two outputs of the first operand's shape: Dropout and its mask, and such. */
export const sameShapeTwice: ShapeRule = ({ shape }) => [shape(0), shape(0)];

/** Add, Where, Sum, comparisons: all inputs under multidirectional broadcasting. */
export const broadcasting: ShapeRule = ({ node, shape, has, opset }) => {
  if (opset > 0 && opset < MULTIDIRECTIONAL && node.inputs.length === 2) return [shape(0)];
  const present = node.inputs.flatMap((_, index) => (has(index) ? [shape(index)] : []));
  return present.length > 0 ? [broadcast(present)] : UNKNOWN;
};

/** QLinearAdd and QLinearMul of com.microsoft: A, its scale and zero point, then B. */
export const quantizedBroadcasting: ShapeRule = ({ shape }) => [broadcast([shape(0), shape(3)])];

/** Y, then running or saved statistics, one value per channel as in `scale`. */
export const batchNormalization: ShapeRule = ({ shape }) => [shape(0), shape(1), shape(1), shape(1), shape(1)];

/** Y, then mean and inverse standard deviation, in which the normalized axes have length 1. */
export const layerNormalization: ShapeRule = ({ node, shape }) => {
  const x = shape(0);
  const axis = x && axisOf(int(node, "axis", -1), x.length);
  if (!x || axis === null) return [x];
  const statistics = x.map((dim, at) => (at < axis ? dim : 1));
  return [x, statistics, statistics];
};

/** Y as X in 8 bits, with one scale and one zero point. */
export const dynamicQuantizeLinear: ShapeRule = ({ shape }) => [shape(0), [], []];
