import type { Layer } from "../../layers/layer";
import { layerBasis, layerWeightSpectrum, type LayerBasis } from "../../lowrank/layerBasis";
import { rankedLayer, type RankedLayer } from "../../lowrank/rankedLayer";
import { partSpectra, type PartSpectra } from "../../lowrank/packedParts";
import { halfSpectra, type HalfSpectra } from "../../lowrank/stability";
import type { SymmetricEigensolver } from "../../numerics/eigen";
import { rankAtEnergy } from "../../numerics/spectrum";
import type { GramMatrices } from "../../runtime/gramGraph";

/** What the subspaces of a layer follow from: plain data, which can go to another thread. */
export interface SolveInput {
  readonly layer: Pick<Layer, "view" | "parts">;
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
  /** σ² of X and Y on each half of the data; null where the halves are not known. */
  readonly halves: HalfSpectra | null;
  /** Of each part of the weight. */
  readonly parts: readonly PartSpectra[];
} & ({ readonly basis: LayerBasis; readonly ranked: null } | { readonly basis: null; readonly ranked: RankedLayer });

export function solve({ layer, weight, grams, energy }: SolveInput, eigen: SymmetricEigensolver): Solved {
  const basis = layerBasis(layer, weight, grams, undefined, eigen);
  const weightSpectrum = layerWeightSpectrum(layer, weight);
  const further = {
    weightSpectrum,
    halves: halfSpectra(layer, weight, grams),
    parts: layer.parts.map((part) => partSpectra(basis.groups[0], part)),
  };
  if (energy === null) return { ...further, basis, ranked: null };
  const kS = rankAtEnergy(basis.inputSpectrum, energy);
  const kT = rankAtEnergy(basis.outputSpectrum, energy);
  return { ...further, basis: null, ranked: rankedLayer(basis, kS, kT) };
}
