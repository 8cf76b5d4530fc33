import type { NamedLayer } from "./layerIndex";
import type { Construction, ModuleValue } from "./naming";

/** Framework classes that hold a weight, with what their arguments say of its size. */
interface WeightClass {
  readonly callee: RegExp;
  readonly ops: readonly string[];
  /** Position and keywords of the number of inputs and of outputs; no inputs where the class infers them. */
  readonly inputs?: readonly (number | string)[];
  readonly outputs: readonly (number | string)[];
}

/** Operators, fused and quantized ones included. */
const LINEAR = [
  "MatMul",
  "Gemm",
  "FusedMatMul",
  "FusedGemm",
  "QLinearMatMul",
  "MatMulInteger",
  "DynamicQuantizeMatMul",
  "MatMulIntegerToFloat",
  "QGemm",
  "MatMulNBits",
];
const CONV = ["Conv", "FusedConv", "QLinearConv", "ConvInteger"];

const weightClasses: readonly WeightClass[] = [
  { callee: /^(Linear|NonDynamicallyQuantizableLinear)$/, ops: LINEAR, inputs: [0, "in_features"], outputs: [1, "out_features"] },
  { callee: /^LazyLinear$/, ops: LINEAR, outputs: [0, "out_features"] },
  { callee: /^Conv[123]d$/, ops: CONV, inputs: [0, "in_channels"], outputs: [1, "out_channels"] },
  { callee: /^LazyConv[123]d$/, ops: CONV, outputs: [0, "out_channels"] },
  { callee: /^ConvTranspose[123]d$/, ops: ["ConvTranspose"], outputs: [] },
  { callee: /^Dense$/, ops: LINEAR, outputs: [0, "units"] },
  { callee: /^Conv(olution)?[123]D$/, ops: CONV, outputs: [0, "filters"] },
  { callee: /^(Conv[123]DTranspose)$/, ops: ["ConvTranspose"], outputs: [] },
]; // prettier-ignore

/** Framework classes without a weight that could be analysed. */
const WEIGHTLESS =
  /^((Sync|Lazy)?(Batch|Layer|Group|Instance|RMS)Norm(\dd)?|(Batch|Layer)Normalization|(Leaky|P)?ReLU6?|[GSC]?ELU|SiLU|Hardswish|Sigmoid|Tanh|Softmax|(Alpha)?Dropout(\dd)?|(Adaptive)?(Max|Avg|Average)Pool(ing)?\d[dD]|Identity|Flatten|Upsample)$/;

/** Whether a module made so can have weights of its own: a framework's class, as against one that is not known. */
export function isWeightClass({ callee }: Construction): boolean {
  return weightClasses.some((known) => known.callee.test(callee));
}

/**
 * Whether a layer may be what this value is: the operator fits, and so do the sizes that are written out as numbers. What
 * is not known fits.
 */
export function couldBe(value: ModuleValue, layer: NamedLayer): boolean {
  if (value.kind !== "made") return true;
  const { callee, numbers } = value.by;
  if (WEIGHTLESS.test(callee)) return false;
  const known = weightClasses.find((one) => one.callee.test(callee));
  if (!known) return true;
  if (!known.ops.includes(layer.op)) return false;
  const argument = (keys: readonly (number | string)[] = []): number | undefined =>
    keys.map((key) => numbers.get(key)).find((number) => number !== undefined);
  const outputs = argument(known.outputs);
  const inputs = argument(known.inputs);
  if (outputs !== undefined && outputs !== layer.rows * layer.groups) return false;
  if (inputs === undefined) return true;
  // A row of a Conv's weight holds every input channel of its group once for each position of the kernel.
  const rowInputs = layer.columns * layer.groups;
  return CONV.includes(layer.op) ? rowInputs % inputs === 0 : rowInputs === inputs;
}
