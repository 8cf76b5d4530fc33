import type { Factors } from "../layers/layer";
import type { Matrix } from "../numerics/matrix";
import { energy } from "../numerics/spectrum";
import { factorizeLayer, layerErrors, projectLayer, weightOnInput, type LayerBasis } from "./layerBasis";

/** What follows from a layer's subspaces once its ranks are known: plain data, which can come from another thread. */
export interface RankedLayer {
  readonly kS: number;
  readonly kT: number;
  /** W′ of each group. */
  readonly projected: readonly Matrix[];
  /** W′ in two, of rank min(k_S, k_T). */
  readonly factors: Factors;
  /** Shares of ‖X‖² and ‖Y‖² in the directions that are kept. */
  readonly inputEnergy: number;
  readonly outputEnergy: number;
  /** Relative to ‖Y‖². */
  readonly outputError: number;
  readonly errorBound: number;
  /** All descending but the second, which follows the first. */
  readonly spectra: Readonly<Record<"input" | "weightOnInput" | "output" | "projected", Float64Array>>;
}

export function rankedLayer(basis: LayerBasis, kS: number, kT: number): RankedLayer {
  const { inputSpectrum, outputSpectrum } = basis;
  const projected = projectLayer(basis, kS, kT);
  const { factors, projectedSpectrum } = factorizeLayer(basis, kS, kT);
  return {
    kS,
    kT,
    projected,
    factors,
    inputEnergy: energy(inputSpectrum, kS),
    outputEnergy: energy(outputSpectrum, kT),
    ...layerErrors(basis, projected, kS, kT),
    spectra: {
      input: inputSpectrum,
      weightOnInput: weightOnInput(basis),
      output: outputSpectrum,
      projected: projectedSpectrum,
    },
  };
}
