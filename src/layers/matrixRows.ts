import { joined, reshapeTo } from "./emit";
import type { Emission, WeightView } from "./layer";

/** […, d] → N×d → d×N. */
export function rowFeatures(input: string, result: string, columns: number): Emission {
  const reshape = reshapeTo(input, `${result}/rows`, [-1, columns]);
  return joined(reshape, transposeTo(`${result}/rows`, result, [1, 0]));
}

/** […, d, n] → d×N: the features go to the front, and all else is samples. */
export function columnFeatures(input: string, result: string, inputRank: number, columns: number): Emission {
  if (inputRank <= 2) return reshapeTo(input, result, [columns, -1]);
  return axisFeatures(
    input,
    result,
    { rank: inputRank, groups: [], features: [inputRank - 2] },
    { groups: 1, columns },
  );
}

/** What the axes of a value stand for; those that are not named are samples. */
export interface AxisRoles {
  readonly rank: number;
  /** From the outermost to the innermost, as the weight has them. */
  readonly groups: readonly number[];
  readonly features: readonly number[];
}

/** Xᵀ (d×N, or groups×d×N where groups > 1) of a value that has all places of a group and of a feature along its axes. */
export function axisFeatures(
  value: string,
  result: string,
  { rank, groups: groupAxes, features }: AxisRoles,
  { groups, columns }: Pick<WeightView, "groups" | "columns">,
): Emission {
  const front = [...groupAxes, ...features];
  const samples = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !front.includes(axis));
  return joined(
    transposeTo(value, `${result}/turned`, [...front, ...samples]),
    reshapeTo(`${result}/turned`, result, groups === 1 ? [columns, -1] : [groups, columns, -1]),
  );
}

/** A float32 value of at most as many axes as `dims`, repeated along those where it has 1 place and `dims` says more. */
export function repeated(value: string, result: string, dims: readonly number[]): Emission {
  // Expand came with opset 8 only; a product by 1 is exact.
  const ones = `${result}/ones`;
  const data = new Float32Array(dims.reduce((product, dim) => product * dim, 1)).fill(1);
  return {
    nodes: [{ opType: "Mul", name: result, inputs: [value, ones], outputs: [result] }],
    initializers: [{ name: ones, dims, data }],
  };
}

export function transposeTo(value: string, result: string, perm: readonly number[]): Emission {
  return {
    nodes: [
      { opType: "Transpose", name: `${result}/transpose`, inputs: [value], outputs: [result], attributes: { perm } },
    ],
    initializers: [],
  };
}
