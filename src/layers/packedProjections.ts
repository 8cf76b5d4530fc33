import { resolveConstant } from "../onnx/constants";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Node } from "../onnx/schema";
import type { LayerUse, WeightPart, WeightView } from "./layer";
import { intAttribute, intsAttribute } from "./nodes";

/** Nodes between a packed projection and the place where its outputs part: a bias, another shape or order of axes. */
const LONGEST_WAY = 8;
/** Nodes that are looked at between a query or key and the Softmax of its attention. */
const MOST_VISITED = 64;

const RESHAPES: readonly string[] = ["Reshape", "Squeeze", "Unsqueeze"];

/**
 * Query, key and value of an attention that are one matrix: its outputs are split in three, of which the first two meet in
 * a Softmax. Found where they are split along the last axis, or made an axis of three in a Reshape. Empty for any other.
 */
export function packedProjections(use: LayerUse, { groups, rows }: WeightView, index: GraphIndex): WeightPart[] {
  // The outputs are the last axis of a product, and the channels of a Conv.
  if (groups !== 1 || !["right", "conv"].includes(use.factorLayout)) return [];
  let value = use.output;
  // Behind another shape, the last axis may be one of a head alone.
  let isWhole = true;
  for (let way = 0; way < LONGEST_WAY; way++) {
    const readers = index.consumers.get(value) ?? [];
    if (readers.length !== 1 || index.outputs.has(value)) return [];
    const [reader] = readers;
    const sizes = splitSizes(reader, rows, isWhole, index);
    if (sizes && isAttention(reader, index)) return namedParts(sizes);
    if (!passesFeatures(reader, value, index)) return [];
    isWhole &&= !RESHAPES.includes(reader.opType);
    value = reader.outputs[0] ?? "";
  }
  return [];
}

const NAMES = ["Q", "K", "V"];

/** The parts Q, K and V of these sizes, one after the other. */
export function namedParts(sizes: readonly number[]): WeightPart[] {
  let start = 0;
  return sizes.map((size, at) => {
    const part = { name: NAMES[at], start, end: start + size };
    start += size;
    return part;
  });
}

/** How the node divides `rows` features in three; null where it does not. */
function splitSizes(node: Node, rows: number, isWhole: boolean, index: GraphIndex): readonly number[] | null {
  if (node.domain !== "") return null;
  if (node.opType === "Split" && node.outputs.length === 3) {
    const stated = intsAttribute(node, "split") ?? numbers(index, node.inputs[1]);
    if (intAttribute(node, "axis", 0) === 0) return null;
    if (!stated) return isWhole && rows % 3 === 0 && !node.inputs[1] ? [rows / 3, rows / 3, rows / 3] : null;
    // Keys and values are of one size; queries may be more.
    return stated.reduce((sum, size) => sum + size, 0) === rows && stated[1] === stated[2] ? stated : null;
  }
  if (node.opType !== "Reshape") return null;
  const target = numbers(index, node.inputs[1]) ?? index.graph.valueInfo.get(node.outputs[0] ?? "")?.shape ?? [];
  const [three, heads, width] = target.slice(-3);
  const isThird = target.length > 3 && three === 3 && 3 * Number(heads) * Number(width) === rows;
  return isThird ? [rows / 3, rows / 3, rows / 3] : null;
}

/** Whether the features that `value` has are, in their order, those of the node's output. */
function passesFeatures(node: Node, value: string, index: GraphIndex): boolean {
  if (node.domain !== "") return false;
  if (node.opType === "Add") {
    return node.inputs.some((input) => input !== value && resolveConstant(index, input) !== null);
  }
  return ["Identity", "Cast", ...RESHAPES].includes(node.opType);
}

/** Whether a Softmax, or an operator for attention, comes soon behind the node. */
function isAttention(node: Node, index: GraphIndex): boolean {
  const seen = new Set([node]);
  for (const next of seen) {
    if (seen.size > MOST_VISITED) return false;
    if (next.opType === "Softmax" || next.opType.endsWith("Attention")) return true;
    for (const output of next.outputs) for (const reader of index.consumers.get(output) ?? []) seen.add(reader);
  }
  return false;
}

function numbers(index: GraphIndex, name: string | undefined): readonly number[] | null {
  const tensor = index.constants.get(name ?? "");
  return tensor ? index.readSmall(tensor) : null;
}
