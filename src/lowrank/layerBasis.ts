import type { Layer } from "../layers/layer";
import { weightMatrices } from "../layers/weights";
import { basisOfRows, computeBasis, weightSpectrum, type Basis } from "../numerics/basis";
import { symmetricEigen, type SymmetricEigensolver } from "../numerics/eigen";
import { squaredRowNorms, type Matrix } from "../numerics/matrix";
import { factorize, projectWeight, squaredErrorBound, squaredOutput, squaredOutputError } from "../numerics/projection";
import { sumSpectra } from "../numerics/spectrum";
import type { GramMatrices } from "../runtime/gramGraph";
import type { Factors } from "../layers/layer";

/** The subspaces of a layer: one basis for each group; all groups keep the same kS and kT. */
export interface LayerBasis {
  readonly groups: readonly Basis[];
  /** σ² of X and of Y, descending, summed over groups. */
  readonly inputSpectrum: Float64Array;
  readonly outputSpectrum: Float64Array;
}

/** From the layer's weight elements and the Gram matrices of its inputs; `leading`: how many directions are needed. */
export function layerBasis(
  layer: Pick<Layer, "view">,
  weight: Float32Array,
  grams: GramMatrices,
  leading?: { kS: number; kT: number },
  eigen: SymmetricEigensolver = symmetricEigen,
): LayerBasis {
  const groups = weightMatrices(layer.view, weight).map((matrix, group) => {
    const { kind, matrix: data } = grams[group];
    return kind === "rows" ? basisOfRows(matrix, data, leading, eigen) : computeBasis(matrix, data, leading, eigen);
  });
  return {
    groups,
    inputSpectrum: sumSpectra(groups.map((basis) => basis.inputSpectrum)),
    outputSpectrum: sumSpectra(groups.map((basis) => basis.outputSpectrum)),
  };
}

/**
 * ‖W v‖² for each input direction v, leading first, summed over groups: what W loses where a direction is left out. Data
 * that spans fewer directions says nothing of the others: they share what is left of ‖W‖² evenly.
 */
export function weightOnInput({ groups }: LayerBasis): Float64Array {
  return sumSpectra(
    groups.map(({ weight, mappedVectors }) => {
      const norms = squaredRowNorms(mappedVectors);
      const missing = weight.columns - norms.length;
      if (missing === 0) return norms;
      const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
      const rest = Math.max(0, total(squaredRowNorms(weight)) - total(norms));
      const all = new Float64Array(weight.columns).fill(rest / missing);
      all.set(norms);
      return all;
    }),
  );
}

/** Squared singular values of the layer's W, descending, summed over groups. */
export function layerWeightSpectrum(layer: Pick<Layer, "view">, weight: Float32Array): Float64Array {
  return sumSpectra(weightMatrices(layer.view, weight).map(weightSpectrum));
}

/** W′ = P_T W P_S in every group. */
export function projectLayer(basis: LayerBasis, kS: number, kT: number): Matrix[] {
  return basis.groups.map((group) => projectWeight(group, kS, kT));
}

/** Exact output error of W′ and its bound, both relative to ‖Y‖²; 0 where the layer's output is all zero. */
export function layerErrors(
  basis: LayerBasis,
  projected: readonly Matrix[],
  kS: number,
  kT: number,
): { outputError: number; errorBound: number } {
  let output = 0;
  let error = 0;
  let bound = 0;
  basis.groups.forEach((group, i) => {
    output += squaredOutput(group);
    error += squaredOutputError(group, projected[i]);
    bound += squaredErrorBound(group, kS, kT);
  });
  return output === 0 ? { outputError: 0, errorBound: 0 } : { outputError: error / output, errorBound: bound / output };
}

/** W′ as two factors of rank min(kS, kT), with the squared singular values of W′ (descending, summed over groups). */
export function factorizeLayer(
  basis: LayerBasis,
  kS: number,
  kT: number,
): { factors: Factors; projectedSpectrum: Float64Array } {
  const parts = basis.groups.map((group) => factorize(group, kS, kT));
  return {
    factors: {
      rank: Math.min(kS, kT),
      a: concatenated(parts.map(({ a }) => a.data)),
      b: concatenated(parts.map(({ b }) => b.data)),
    },
    projectedSpectrum: sumSpectra(parts.map(({ spectrum }) => spectrum)),
  };
}

function concatenated(arrays: readonly Float64Array[]): Float64Array {
  const result = new Float64Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let position = 0;
  for (const array of arrays) {
    result.set(array, position);
    position += array.length;
  }
  return result;
}
