import { isChainNode, resolveConstant } from "../onnx/constants";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Node } from "../onnx/schema";
import { skipped, type Recognition } from "./layer";
import { nodeLabel } from "./nodes";

/**
 * Operators whose constants are not weights that mix features: element-wise operands, positions, shapes, tables of
 * quantization. They are not listed; any other operator with a constant of two or more axes is.
 */
const NOT_WEIGHTS = new Set(
  (
    "Add Sub Mul Div Mod Pow Min Max Sum Mean And Or Xor Not Equal Greater GreaterOrEqual Less LessOrEqual Where PRelu " +
    "Clip BatchNormalization LayerNormalization InstanceNormalization GroupNormalization RMSNormalization Reshape " +
    "Concat Slice Pad Resize Upsample Expand Tile Squeeze Unsqueeze Transpose Identity Cast CastLike Shape Size Split " +
    "BitShift BitwiseAnd BitwiseOr BitwiseXor Constant ConstantOfShape OneHot Range Loop Scan If Trilu Flatten " +
    "QuantizeLinear DequantizeLinear ScatterND ScatterElements GatherND GatherElements"
  ).split(" "),
);

/** The same, of onnxruntime's own operators. */
const NOT_WEIGHTS_OF_MICROSOFT = new Set(
  (
    "SkipLayerNormalization SkipSimplifiedLayerNormalization SkipGroupNorm GroupNorm MultiHeadAttention " +
    "GroupQueryAttention DecoderMaskedMultiHeadAttention PackedMultiHeadAttention SparseAttention PagedAttention " +
    "RotaryEmbedding GemmaRotaryEmbedding Gelu FastGelu QuickGelu BiasGelu BiasSplitGelu BiasAdd BiasSoftmax BiasDropout " +
    "QuantizeLinear DequantizeLinear QLinearAdd QLinearMul QLinearConcat QLinearWhere QLinearSigmoid QLinearSoftmax " +
    "QLinearLeakyRelu QLinearReduceMean QLinearAveragePool QLinearGlobalAveragePool Pad Trilu Unique ExpandDims"
  ).split(" "),
);

/** Operators whose constant tables have rows that are taken by their number. */
const LOOK_UPS = new Set(["Gather", "EmbedLayerNormalization", "GatherBlockQuantized"]);

/** A node of an operator that is no layer type: why its constant weight is not analysed; none where it has no weight. */
export function otherOperator(node: Node, index: GraphIndex): readonly Recognition[] {
  if (node.notInlined !== undefined) return skipped(node.notInlined);
  const notWeights = node.domain === "com.microsoft" ? NOT_WEIGHTS_OF_MICROSOFT : NOT_WEIGHTS;
  if ((node.domain === "" || node.domain === "com.microsoft") && notWeights.has(node.opType)) return [];
  if (!node.inputs.some((input) => isTable(input, index))) return [];
  if (LOOK_UPS.has(node.opType)) return skipped("an embedding table is looked up, not multiplied");
  const operator = node.domain === "" ? node.opType : `${node.domain}.${node.opType}`;
  return skipped(`the operator ${operator} is not supported yet`);
}

/** A stored constant of several axes, dequantized or not. What other nodes make of one may be anything. */
function isTable(value: string, index: GraphIndex): boolean {
  const stored = index.constants.get(value);
  if (stored) return stored.dims.length > 1;
  const resolved = resolveConstant(index, value);
  if (resolved?.kind !== "constant") return false;
  const { dims, steps } = resolved.constant;
  return dims.length > 1 && steps.some(({ kind }) => kind === "dequantize");
}

/** A weight that other nodes dequantize, slice, … first is a constant too, but not one that can be read here. */
export function computedWeight(
  node: Node,
  index: GraphIndex,
  dataDependent: ReadonlySet<Node>,
  operands: readonly number[],
): readonly Recognition[] {
  const producers = operands.map((at) => index.producers.get(node.inputs[at] ?? ""));
  let producer = producers.find((it) => it && !dataDependent.has(it));
  if (!producer) return [];
  // What is behind Reshape, Transpose, … is the node that cannot be followed.
  const passed = new Set<Node>();
  for (let next = producer; isChainNode(next) && !passed.has(next);) {
    passed.add(next);
    const before = index.producers.get(next.inputs[0] ?? "");
    if (!before) break;
    producer = next = before;
  }
  return skipped(
    `its weight is computed from constants, by the ${producer.opType} ${nodeLabel(producer)}; fold constants first`,
  );
}
