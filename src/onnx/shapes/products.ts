/** Matrix products: MatMul, Gemm and Einsum, and what is made of them. */
import type { Dimension, Shape } from "../schema";
import { int, ints, text, UNKNOWN, type ShapeRule } from "./context";
import { broadcast, broadcastDimension } from "./dimensions";

/** Shape of a·b as numpy.matmul has it (ONNX: MatMul): a vector is a row on the left, a column on the right. */
function matMulShape(a: Shape, b: Shape): Shape {
  if (!a || !b || a.length === 0 || b.length === 0) return null;
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const [inner, other] = [left[left.length - 1], right[right.length - 2]];
  if (typeof inner === "number" && typeof other === "number" && inner !== other) return null;
  const batch = broadcast([left.slice(0, -2), right.slice(0, -2)]);
  if (!batch) return null;
  const rows = a.length === 1 ? [] : [left[left.length - 2]];
  const columns = b.length === 1 ? [] : [right[right.length - 1]];
  return [...batch, ...rows, ...columns];
}

/** MatMul and its quantized forms; `right` is the input that holds B. */
export function matMul(right: number): ShapeRule {
  return ({ shape }) => [matMulShape(shape(0), shape(right))];
}

/** com.microsoft: MatMul with either side transposed in its last two axes. */
export const fusedMatMul: ShapeRule = ({ node, shape }) => {
  const [transA, transB] = [int(node, "transA", 0), int(node, "transB", 0)];
  const batchFlags = [int(node, "transBatchA", 0), int(node, "transBatchB", 0)];
  if (transA === null || transB === null || batchFlags.some((flag) => flag !== 0)) return UNKNOWN;
  return [matMulShape(lastTwoSwapped(shape(0), transA !== 0), lastTwoSwapped(shape(1), transB !== 0))];
};

function lastTwoSwapped(shape: Shape, swap: boolean): Shape {
  if (!swap || !shape || shape.length < 2) return shape;
  return [...shape.slice(0, -2), shape[shape.length - 1], shape[shape.length - 2]];
}

/** A′·B′ + C, both of rank 2; C is broadcast to the product and does not change it. `right` is the input that holds B. */
export function gemm(right: number): ShapeRule {
  return ({ node, shape }) => {
    const [transA, transB] = [int(node, "transA", 0), int(node, "transB", 0)];
    const [a, b] = [shape(0), shape(right)];
    if (transA === null || transB === null || (a && a.length !== 2) || (b && b.length !== 2)) return UNKNOWN;
    return [[a?.[transA !== 0 ? 1 : 0] ?? null, b?.[transB !== 0 ? 0 : 1] ?? null]];
  };
}

/** com.microsoft: MatMul with a matrix in blocks, whose outputs are the attribute N. */
export const matMulNBits: ShapeRule = ({ node, shape }) => {
  const [a, outputs] = [shape(0), int(node, "N", null)];
  return a && a.length > 0 && outputs !== null ? [[...a.slice(0, -1), outputs]] : UNKNOWN;
};

/** com.microsoft: query, key and value from one matrix, the last of which is as wide as the output. */
export const attention: ShapeRule = ({ node, shape }) => {
  const [x, w] = [shape(0), shape(1)];
  const sizes = ints(node, "qkv_hidden_sizes", []);
  if (!x || x.length !== 3 || sizes === null) return UNKNOWN;
  const all = w?.length === 2 ? w[1] : null;
  const third = typeof all === "number" && all % 3 === 0 ? all / 3 : null;
  return [[x[0], x[1], sizes.length === 3 ? sizes[2] : third]];
};

/** One side of an Einsum operand: its labels before and after an optional ellipsis. */
interface Term {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly ellipsis: boolean;
}

function parseTerm(term: string): Term | null {
  const match = /^([A-Za-z]*)(\.\.\.)?([A-Za-z]*)$/.exec(term);
  return match ? { before: match[1].split(""), ellipsis: match[2] === "...", after: match[3].split("") } : null;
}

/** Longer than any equation over operands whose rank the inference follows; the text comes from the file. */
const MAX_EQUATION = 4096;

/** Without "->" the output has the ellipsis, then the labels that occur exactly once, sorted. */
export const einsum: ShapeRule = ({ node, shape }) => {
  const equation = text(node, "equation", null);
  if (equation === null || equation.length > MAX_EQUATION) return UNKNOWN;
  const [left, right, ...rest] = equation.replaceAll(" ", "").split("->");
  const terms = left.split(",").map(parseTerm);
  if (rest.length > 0 || terms.length !== node.inputs.length) return UNKNOWN;

  const sizes = new Map<string, Dimension>();
  const ellipses: Shape[] = [];
  for (const [index, term] of terms.entries()) {
    if (!term) return UNKNOWN;
    const labels = [...term.before, ...term.after];
    const dims = shape(index);
    const hidden = dims ? dims.length - labels.length : 0;
    if (hidden < 0 || (hidden > 0 && !term.ellipsis)) return UNKNOWN;
    if (term.ellipsis) ellipses.push(dims && dims.slice(term.before.length, term.before.length + hidden));
    for (const [at, label] of labels.entries()) {
      const dim = dims ? dims[at < term.before.length ? at : at + hidden] : null;
      const known = sizes.get(label);
      sizes.set(label, known === undefined ? dim : broadcastDimension(known, dim));
    }
  }

  const output = right === undefined ? implicitOutput(left, ellipses.length > 0) : parseTerm(right);
  if (!output) return UNKNOWN;
  const shared = output.ellipsis ? broadcast(ellipses) : [];
  const outer = output.before.map((label) => sizes.get(label));
  const inner = output.after.map((label) => sizes.get(label));
  if (!shared || outer.includes(undefined) || inner.includes(undefined)) return UNKNOWN;
  return [[...outer, ...shared, ...inner].map((dim) => dim ?? null)];
};

function implicitOutput(left: string, ellipsis: boolean): Term {
  const counts = new Map<string, number>();
  for (const label of left.replaceAll(/[^A-Za-z]/g, "")) counts.set(label, (counts.get(label) ?? 0) + 1);
  const once = [...counts].filter(([, count]) => count === 1).map(([label]) => label);
  return { before: [], ellipsis, after: once.sort() };
}
