import { multiplyTransposed, rowsOf, squaredRowNorms } from "../numerics/matrix";
import { squaredOutput } from "../numerics/projection";
import type { LayerBasis } from "./layerBasis";

/** Relative output errors for k = 0…full at once, in closed form; `layerErrors` gives that of one W′. */
export type ErrorByRank = (k: number) => number;

/** With P_S alone: the error is Σ σ²ᵢ ‖W vᵢ‖² over the directions i > k that are left out. */
export function inputErrors({ groups }: LayerBasis): ErrorByRank {
  const kept = groups.map(({ inputSpectrum, mappedVectors }) =>
    squaredRowNorms(mappedVectors).map((norm, i) => inputSpectrum[i] * norm),
  );
  return errorsLeft(
    kept,
    groups.reduce((sum, group) => sum + squaredOutput(group), 0),
    0,
  );
}

/** With P_T on top of P_S at kS: output directions uⱼ carry Σ σ²ᵢ (uⱼ·W vᵢ)² over i ≤ kS, and those j > k are left out. */
export function outputErrors(basis: LayerBasis, kS: number): ErrorByRank {
  const total = basis.groups.reduce((sum, group) => sum + squaredOutput(group), 0);
  const lost = inputErrors(basis)(kS) * total;
  const kept = basis.groups.map(({ inputSpectrum, mappedVectors, outputVectors }) => {
    const carried = new Float64Array(outputVectors.rows);
    const { columns, data } = multiplyTransposed(rowsOf(mappedVectors, kS), outputVectors);
    for (let i = 0; i < kS; i++) {
      for (let j = 0; j < columns; j++) carried[j] += inputSpectrum[i] * data[i * columns + j] ** 2;
    }
    return carried;
  });
  return errorsLeft(kept, total, lost);
}

/** (lost + what the directions from k on carry) / total, where `total` − `lost` is what all of them carry. */
function errorsLeft(kept: readonly Float64Array[], total: number, lost: number): ErrorByRank {
  const longest = Math.max(...kept.map(({ length }) => length));
  const left = new Float64Array(longest + 1);
  for (let k = longest - 1; k >= 0; k--) {
    left[k] = left[k + 1] + kept.reduce((sum, carried) => sum + (carried[k] ?? 0), 0);
  }
  return (k) => (total === 0 ? 0 : (lost + left[Math.min(k, longest)]) / total);
}
