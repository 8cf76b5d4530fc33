import { joined, reshapeTo } from "./emit";
import type { Emission } from "./layer";

/** […, d] → N×d → d×N. */
export function rowFeatures(input: string, result: string, columns: number): Emission {
  const reshape = reshapeTo(input, `${result}/rows`, [-1, columns]);
  return joined(reshape, transposeTo(`${result}/rows`, result, [1, 0]));
}

/** […, d, n] → d×N: the features go to the front, and all else is samples. */
export function columnFeatures(input: string, result: string, inputRank: number, columns: number): Emission {
  if (inputRank <= 2) return reshapeTo(input, result, [columns, -1]);
  const leading = Array.from({ length: inputRank - 2 }, (_, axis) => axis);
  return joined(
    transposeTo(input, `${result}/turned`, [inputRank - 2, ...leading, inputRank - 1]),
    reshapeTo(`${result}/turned`, result, [columns, -1]),
  );
}

export function transposeTo(value: string, result: string, perm: readonly number[]): Emission {
  return {
    nodes: [
      { opType: "Transpose", name: `${result}/transpose`, inputs: [value], outputs: [result], attributes: { perm } },
    ],
    initializers: [],
  };
}
