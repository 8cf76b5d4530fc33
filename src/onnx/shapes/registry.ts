/** Which operators the inference knows, and the rule for each. To add one, add its line here. */
import type { Node } from "../schema";
import type { ShapeRule, ValueRule } from "./context";
import * as elementwise from "./elementwise";
import * as moved from "./movedValues";
import * as products from "./products";
import { recurrent } from "./recurrent";
import * as reducing from "./reducing";
import * as reshaping from "./reshaping";
import * as resizing from "./resizing";
import * as slicing from "./slicing";
import * as values from "./values";
import * as windows from "./windows";

/** Rules by operator; a line may name several operators. Maps, because an operator may be called `constructor`. */
function table<Rule>(...lines: readonly (readonly [operators: string, rule: Rule])[]): ReadonlyMap<string, Rule> {
  return new Map(lines.flatMap(([operators, rule]) => operators.split(" ").map((name) => [name, rule] as const)));
}

const { sameShape, sameShapeTwice, broadcasting } = elementwise;

const onnxRules = table<ShapeRule>(
  ["Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Celu Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid", sameShape],
  [
    "HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not PRelu ParametricSoftplus Reciprocal Relu Round",
    sameShape,
  ],
  ["ScaledTanh Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu", sameShape],
  ["Cast CastLike Clip CumSum QuantizeLinear DequantizeLinear Bernoulli RandomNormalLike RandomUniformLike", sameShape],
  ["Softmax LogSoftmax Hardmax LRN LpNormalization MeanVarianceNormalization InstanceNormalization", sameShape],
  ["GroupNormalization RMSNormalization Trilu EyeLike ReverseSequence Affine ImageScaler", sameShape],
  ["Scatter ScatterElements ScatterND TensorScatter", sameShape],
  ["Dropout", sameShapeTwice],
  ["BatchNormalization", elementwise.batchNormalization],
  ["LayerNormalization", elementwise.layerNormalization],
  ["DynamicQuantizeLinear", elementwise.dynamicQuantizeLinear],

  ["Add Sub Mul Div Mod Pow BitShift BitwiseAnd BitwiseOr BitwiseXor And Or Xor", broadcasting],
  ["Equal Greater GreaterOrEqual Less LessOrEqual Where Sum Min Max Mean", broadcasting],

  ["Conv ConvInteger DeformConv", windows.convolution(1)],
  ["QLinearConv", windows.convolution(3)],
  ["ConvTranspose", windows.convTranspose],
  ["MaxPool AveragePool LpPool", windows.pool],
  ["GlobalMaxPool GlobalAveragePool GlobalLpPool", windows.globalPool],
  ["RoiAlign MaxRoiPool", reducing.roiAlign],
  ["GridSample", reducing.gridSample],

  ["MatMul MatMulInteger", products.matMul(1)],
  ["QLinearMatMul", products.matMul(3)],
  ["Gemm", products.gemm(1)],
  ["Einsum", products.einsum],
  ["RNN GRU LSTM", recurrent],

  ["Reshape", reshaping.reshape],
  ["Flatten", reshaping.flatten],
  ["Transpose", reshaping.transpose],
  ["Squeeze", reshaping.squeeze],
  ["Unsqueeze", reshaping.unsqueeze],
  ["Expand", reshaping.expand],
  ["Tile", reshaping.tile],
  ["DepthToSpace", reshaping.depthToSpace],
  ["SpaceToDepth", reshaping.spaceToDepth],
  ["Resize", resizing.resize],
  ["Upsample", resizing.upsample],
  ["CenterCropPad", resizing.centerCropPad],

  ["Slice", slicing.slice],
  ["Split", slicing.split],
  ["Concat", slicing.concat],
  ["Pad", slicing.pad],
  ["Gather", slicing.gather],
  ["GatherElements", slicing.asIndices],
  ["GatherND", slicing.gatherND],
  ["TopK", slicing.topK],
  ["OneHot", slicing.oneHot],
  ["Range", slicing.range],

  ["ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd", reducing.reduce],
  ["ReduceSum ReduceSumSquare", reducing.reduce],
  ["ArgMax ArgMin", reducing.argReduce],
  ["Shape", reducing.shapeOf],
  ["Size", reducing.scalarOutput],
  ["Constant", reducing.constant],
  ["ConstantOfShape", reducing.constantOfShape],
  ["RandomNormal RandomUniform", reducing.shapeAttribute],
  ["NonZero", reducing.nonZero],
  ["NonMaxSuppression", reducing.nonMaxSuppression],
);

/** What onnxruntime's optimizer and quantizer put in place of standard operators. */
const microsoftRules = table<ShapeRule>(
  ["BiasGelu FastGelu Gelu QuickGelu SkipLayerNormalization SkipSimplifiedLayerNormalization", sameShape],
  ["QuantizeLinear DequantizeLinear QLinearLeakyRelu QLinearSigmoid QLinearSoftmax", sameShape],
  ["QLinearAdd QLinearMul", elementwise.quantizedBroadcasting],
  ["FusedConv", windows.convolution(1)],
  ["FusedGemm", products.gemm(1)],
  ["QGemm", products.gemm(3)],
  ["MatMulNBits", products.matMulNBits],
  ["Attention QAttention", products.attention],
  ["FusedMatMul TransposeMatMul", products.fusedMatMul],
  ["DynamicQuantizeMatMul MatMulIntegerToFloat", products.matMul(1)],
);

export const shapeRules: ReadonlyMap<string, ReadonlyMap<string, ShapeRule>> = new Map([
  ["", onnxRules],
  ["com.microsoft", microsoftRules],
]);

const onnxValueRules = table<ValueRule>(
  ["Shape", values.shapeValue],
  ["Size", values.sizeValue],
  ["Constant", values.constantValue],
  ["ConstantOfShape", values.constantOfShapeValue],
  ["Range", values.rangeValue],
  ["Cast", values.castValue],
  ["Identity Reshape Flatten Squeeze Unsqueeze", values.sameElements],
  ["Add", values.binary(values.sum)],
  ["Sub", values.binary(values.difference)],
  ["Mul", values.binary(values.productOf)],
  ["Div", values.binary(values.quotient)],
  ["Min", values.binary(values.least)],
  ["Max", values.binary(values.greatest)],
  ["Equal", values.binary(values.equals, "integer")],
  ["Where", values.whereValue],
  ["Not", values.unary((x) => 1 - x, "unknown")],
  ["Neg", values.unary((x) => -x, "unknown")],
  ["Floor", values.unary(Math.floor, "kept")],
  ["Ceil", values.unary(Math.ceil, "kept")],
  ["ReduceProd", values.reduceProdValue],
  ["Slice", moved.sliceValue],
  ["Gather", moved.gatherValue],
  ["Transpose", moved.transposeValue],
  ["Expand", moved.expandValue],
  ["Concat", moved.concatValue],
  ["Split", moved.splitValue],
);

export const valueRules: ReadonlyMap<string, ReadonlyMap<string, ValueRule>> = new Map([["", onnxValueRules]]);

export function ruleFor<Rule>(rules: ReadonlyMap<string, ReadonlyMap<string, Rule>>, node: Node): Rule | undefined {
  return rules.get(node.domain)?.get(node.opType);
}
