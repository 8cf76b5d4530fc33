import type { Layer } from "../../layers/layer";
import { layerBasis, layerWeightSpectrum, type LayerBasis } from "../../lowrank/layerBasis";
import { rankedLayer, type RankedLayer } from "../../lowrank/rankedLayer";
import type { SymmetricEigensolver } from "../../numerics/eigen";
import { rankAtEnergy } from "../../numerics/spectrum";
import type { GramMatrices } from "../../runtime/gramGraph";

/** What the subspaces of a layer follow from: plain data, which can go to another thread. */
export interface SolveInput {
  readonly layer: Pick<Layer, "view">;
  /** In the order of the stored tensor. */
  readonly weight: Float32Array;
  readonly grams: GramMatrices;
  /** The share of energy that ranks go by on both sides; null where they are searched for. */
  readonly energy: number | null;
}

/** The subspaces, or what follows from them where the ranks are known already. */
export type Solved = {
  /** σ² of W, descending. */
  readonly weightSpectrum: Float64Array;
} & ({ readonly basis: LayerBasis; readonly ranked: null } | { readonly basis: null; readonly ranked: RankedLayer });

export function solve({ layer, weight, grams, energy }: SolveInput, eigen: SymmetricEigensolver): Solved {
  const basis = layerBasis(layer, weight, grams, undefined, eigen);
  const weightSpectrum = layerWeightSpectrum(layer, weight);
  if (energy === null) return { weightSpectrum, basis, ranked: null };
  const kS = rankAtEnergy(basis.inputSpectrum, energy);
  const kT = rankAtEnergy(basis.outputSpectrum, energy);
  return { weightSpectrum, basis: null, ranked: rankedLayer(basis, kS, kT) };
}
