import type { NewAttribute, NewInitializer, NewNode } from "../onnx/encode";
import type { Node } from "../onnx/schema";
import { elementCount } from "../onnx/tensor";
import { gramOfRows, rowGeometry } from "./convRows";
import { channelRows, constantKernel } from "./channels";
import { joined } from "./emit";
import { gramOfFeatures, type GramEmission } from "./gram";
import { skipped, type Emission, type LayerType, type LayerUse, type Recognition, type WeightView } from "./layer";
import { copyNode, intAttribute, intsAttribute, nodeLabel, stringAttribute, withInput } from "./nodes";

/**
 * Conv with a constant kernel (ONNX operator Conv; onnxruntime's FusedConv, which adds a value and applies an activation
 * behind it), of any number of spatial axes. A row of X is a patch: d = C/g·∏k
 * values in the weight's own order (channel, then taps), zero padding included, one row per output position. Every
 * group has its own patches and its own m/g × d matrix.
 */
export const conv: LayerType = {
  ops: ["Conv", "com.microsoft:FusedConv"],

  recognise(node, index): readonly Recognition[] {
    const weight = constantKernel(node, index);
    if (!("tensor" in weight)) return weight;
    const { dims } = weight;
    const view = convView(node, dims);
    if (typeof view === "string") return skipped(view);
    return [{ kind: "layer", weight, view, use: convUse(node, view, dims) }];
  },
};

/** The matrices in a kernel of these dims; or why there are none to be analysed. */
export function convView(node: Node, dims: readonly number[]): WeightView | string {
  if (dims.length < 3) return `its weight has shape [${dims.join(", ")}]`;
  const groups = intAttribute(node, "group", 1);
  const outputs = dims[0];
  if (groups < 1 || outputs % groups !== 0) {
    return `its ${outputs} outputs cannot be divided into ${groups} groups`;
  }
  const rows = outputs / groups;
  if (groups > 1 && rows === 1) return "depthwise: one output per group, so its rank is 1 and cannot fall";
  return { groups, rows, columns: elementCount(dims.slice(1)), transposed: false, scale: 1 };
}

/** Attributes that say, with the kernel, which patches a Conv sees. */
const GEOMETRY = ["strides", "pads", "dilations", "auto_pad"];

/** What a FusedConv does behind the convolution. */
const ACTIVATION = ["activation", "activation_params"];

/** The use of a kernel of these dims by a node with the attributes of a Conv. */
export function convUse(node: Node, view: WeightView, weightDims: readonly number[]): LayerUse {
  const { groups, rows, columns } = view;
  const input = node.inputs[0];
  const output = node.outputs[0];
  const kernel = weightDims.slice(2);
  const channels = weightDims[1] * groups;
  const label = nodeLabel(node);

  const features = (source: string, result: string): Emission => {
    const { value, emission } = patchesOf(node, source, `${result}/patches`, channels, geometryOf(node, kernel));
    return joined(emission, channelRows(value, result, view));
  };

  return {
    node,
    input,
    weight: node.inputs[1],
    output,
    counted: { value: output, perRow: groups * rows },
    featuresKey: JSON.stringify([
      groups,
      columns,
      kernel,
      ...GEOMETRY.map((name) => node.attributes.get(name) ?? null),
    ]),
    featureGroups: groups,

    features,

    gram(source, result, inputDims): GramEmission {
      const rowsOfInput = rowGeometry(node, kernel, inputDims);
      if (!rowsOfInput) {
        const rows = `${result}/features`;
        return gramOfFeatures(features(source, rows), rows, result, { groups, columns });
      }
      const restTaps = elementCount(kernel.slice(1));
      const width = weightDims[1] * restTaps;
      const patches = patchesOf(node, source, `${result}/patches`, channels, oneRowHigh(geometryOf(node, kernel)));
      return gramOfRows({ ...patches, spatialAxes: kernel.length, groups, width, restTaps }, rowsOfInput, result);
    },

    withWeight: (weight, current) => [withInput(current, 1, weight)],

    factorLayout: "conv",

    factorInitializers({ rank, a, b }, names): readonly NewInitializer[] {
      return [
        { name: names.first, dims: [groups * rank, ...weightDims.slice(1)], data: b },
        { name: names.second, dims: [groups * rows, rank, ...kernel.map(() => 1)], data: a },
      ];
    },

    decomposed(names, hidden): readonly NewNode[] {
      return [
        copyNode(node, {
          opType: "Conv",
          name: `${label}/low_rank_in`,
          inputs: [input, names.first],
          outputs: [hidden],
          without: ACTIVATION,
        }),
        copyNode(node, {
          inputs: [hidden, names.second, ...node.inputs.slice(2)],
          without: [...GEOMETRY, "kernel_shape", ...(groups === 1 ? ["group"] : [])],
        }),
      ];
    },
  };
}

/** Attributes of a Conv that say where it goes. */
interface Geometry extends Readonly<Record<string, NewAttribute>> {
  readonly kernel_shape: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: readonly number[];
}

function geometryOf(node: Node, kernel: readonly number[]): Geometry {
  const ones = kernel.map(() => 1);
  return {
    kernel_shape: kernel,
    strides: intsAttribute(node, "strides") ?? ones,
    dilations: intsAttribute(node, "dilations") ?? ones,
    pads: intsAttribute(node, "pads") ?? [...kernel, ...kernel].map(() => 0),
  };
}

/** The same for one row of the input at a time. */
function oneRowHigh({ kernel_shape, strides, dilations, pads }: Geometry): Geometry {
  const axes = kernel_shape.length;
  const first = (values: readonly number[], value: number): number[] => [value, ...values.slice(1)];
  return {
    kernel_shape: first(kernel_shape, 1),
    strides: first(strides, 1),
    dilations: first(dilations, 1),
    pads: pads.map((pad, side) => (side % axes === 0 ? 0 : pad)),
  };
}

/**
 * The patches that the node sees, [N, C, …] → [N, C·∏k, …out], by a Conv with one output per channel and tap, each kernel
 * 1 at its tap and 0 elsewhere; the source itself where it is its own patches.
 */
function patchesOf(
  node: Node,
  source: string,
  output: string,
  channels: number,
  geometry: Geometry,
): { value: string; emission: Emission } {
  const { kernel_shape: kernel, strides, pads } = geometry;
  const taps = elementCount(kernel);
  if (taps === 1 && strides.every((stride) => stride === 1) && pads.every((pad) => pad === 0)) {
    return { value: source, emission: { nodes: [], initializers: [] } };
  }
  const oneHot = new Float32Array(channels * taps * taps);
  for (let channel = 0; channel < channels; channel++) {
    for (let tap = 0; tap < taps; tap++) oneHot[(channel * taps + tap) * taps + tap] = 1;
  }
  const kernelName = `${output}/kernel`;
  // The attribute auto_pad goes along, and may not meet pads.
  const automatic = stringAttribute(node, "auto_pad", "NOTSET") !== "NOTSET";
  const { pads: explicit, ...rest } = geometry;
  const copy = copyNode(node, {
    opType: "Conv",
    name: output,
    inputs: [source, kernelName],
    outputs: [output],
    without: ACTIVATION,
    with: { ...rest, ...(automatic ? {} : { pads: explicit }), group: channels },
  });
  return {
    value: output,
    emission: {
      nodes: [copy],
      initializers: [{ name: kernelName, dims: [channels * taps, 1, ...kernel], data: oneHot }],
    },
  };
}
