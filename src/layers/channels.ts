import type { GraphIndex } from "../onnx/graphIndex";
import type { NewNode } from "../onnx/encode";
import type { Node } from "../onnx/schema";
import { floatInput } from "./constantInput";
import { joined, reshapeTo } from "./emit";
import { skipped, type Emission, type Recognition, type WeightConstant, type WeightView } from "./layer";

/** The constant kernel of a Conv or ConvTranspose, with its channel axes and at least one of space; or why there is none. */
export function constantKernel(node: Node, index: GraphIndex): WeightConstant | readonly Recognition[] {
  const weight = floatInput(node, index, 1);
  if (!("tensor" in weight)) return weight;
  if (weight.dims.length < 3) return skipped(`its weight has shape [${weight.dims.join(", ")}]`);
  return weight;
}

/** [N, groups·d, …] → Xᵀ, d×N or groups×d×N: every position of every sample is a row of X. */
export function channelRows(
  value: string,
  result: string,
  { groups, columns }: Pick<WeightView, "groups" | "columns">,
): Emission {
  const grouped = reshapeTo(value, `${result}/grouped`, [0, groups, columns, -1]);
  const turned: NewNode = {
    opType: "Transpose",
    name: `${result}/transpose`,
    inputs: [`${result}/grouped`],
    outputs: [`${result}/turned`],
    attributes: { perm: [1, 2, 0, 3] },
  };
  const flat = reshapeTo(`${result}/turned`, result, groups === 1 ? [columns, -1] : [groups, columns, -1]);
  return joined(grouped, { nodes: [turned], initializers: [] }, flat);
}
