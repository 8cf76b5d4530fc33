import type { Layer } from "../layers/layer";
import type { RankedLayer } from "../lowrank/rankedLayer";
import type { PartSpectra } from "../lowrank/packedParts";
import { stabilityBand, type HalfSpectra } from "../lowrank/stability";
import { fragilityBand, type Evaluation } from "../lowrank/rankSearch";
import type { Factors } from "../layers/layer";
import type { Matrix } from "../numerics/matrix";
import { energy, rankAtEnergy, stableRank, WEIGHT_RANK_ENERGY } from "../numerics/spectrum";
import { isDecomposable, utilization, utilizedRank, weightParameters } from "../numerics/utilizedRank";
import type { EvaluationEntry, LayerPart, LayerReport } from "../report";

/** The ranks found for a layer, and the search that found them (null where an energy threshold did). */
export interface FoundRanks {
  readonly kS: number;
  readonly kT: number;
  readonly search: {
    readonly S: readonly Evaluation[];
    readonly T: readonly Evaluation[];
    /** Right answers that S and T had to reach; null where they were not counted, and say nothing of one sample more. */
    readonly needed: { readonly S: number; readonly T: number } | null;
  } | null;
}

/** Spectra beside those of the layer's subspaces. */
export interface LayerSpectra {
  /** σ² of W, descending. */
  readonly weightSpectrum: Float64Array;
  readonly halves: HalfSpectra | null;
  readonly parts: readonly PartSpectra[];
}

/** A layer after its search: the report, W′, and its factors where it becomes two layers. */
export interface AnalyzedLayer {
  readonly layer: Layer;
  readonly report: LayerReport;
  readonly projected: readonly Matrix[];
  readonly factors: Factors | null;
}

export function analyzedLayer(
  layer: Layer,
  { kS, kT, projected, factors, spectra, ...found }: RankedLayer,
  { weightSpectrum, halves, parts }: LayerSpectra,
  positions: number,
  search: FoundRanks["search"],
): AnalyzedLayer {
  const rank = utilizedRank(kS, kT);
  const decomposes = layer.kept === null && isDecomposable(rank, layer.view);
  const after = weightParameters(layer.view, decomposes ? rank : null);
  const report: LayerReport = {
    ...weightReport(layer, weightSpectrum, positions),
    kS,
    kT,
    utilizedRank: rank,
    utilization: utilization(rank, layer.view),
    ...found,
    fragility: search ? fragility(layer, search) : null,
    stability: halves && stabilityOf(spectra, halves, { kS, kT }),
    ...(parts.length > 0 ? { parts: parts.map((part) => partReport(part, kS, energy(spectra.output, kT))) } : {}),
    parameters: { before: weightParameters(layer.view, null), after },
    macs: { before: weightParameters(layer.view, null) * positions, after: after * positions },
    outcome: decomposes ? { kind: "decomposed", rank } : { kind: "kept", reason: keptReason(layer, rank) },
    spectra: {
      input: [...spectra.input],
      weightOnInput: [...spectra.weightOnInput],
      output: [...spectra.output],
      weight: [...weightSpectrum],
      projected: [...spectra.projected],
    },
    search: search ? { S: search.S.map(asTuple), T: search.T.map(asTuple) } : null,
  };
  return { layer, report, projected, factors: decomposes ? factors : null };
}

/** A part's own ranks: the outputs that it takes for the share of its energy that the whole layer keeps of its. */
function partReport({ name, start, end, weight, output }: PartSpectra, kS: number, share: number): LayerPart {
  const kT = rankAtEnergy(output, share);
  return {
    name,
    rows: end - start,
    weightRank: rankAtEnergy(weight, WEIGHT_RANK_ENERGY),
    kT,
    utilizedRank: utilizedRank(kS, kT),
  };
}

function stabilityOf(
  spectra: RankedLayer["spectra"],
  halves: HalfSpectra,
  ranks: { kS: number; kT: number },
): NonNullable<LayerReport["stability"]> {
  const { kS, kT, utilizedRank } = stabilityBand(spectra, halves, ranks);
  return { kS: [...kS], kT: [...kT], utilizedRank: [...utilizedRank] };
}

/** What the weight alone tells; all that needs data is null. */
export function weightReport(layer: Layer, weightSpectrum: Float64Array, positions: number | null): LayerReport {
  const { view, uses } = layer;
  const parameters = weightParameters(view, null);
  return {
    name: layer.name,
    node: uses[0].node.name,
    nodes: uses.map(({ node }) => node.name),
    op: layer.op,
    initializer: layer.weightName,
    groups: view.groups,
    rows: view.rows,
    columns: view.columns,
    weightRank: rankAtEnergy(weightSpectrum, WEIGHT_RANK_ENERGY),
    stableRank: stableRank(weightSpectrum),
    kS: null,
    kT: null,
    utilizedRank: null,
    utilization: null,
    inputEnergy: null,
    outputEnergy: null,
    outputError: null,
    errorBound: null,
    fragility: null,
    stability: null,
    parameters: { before: parameters, after: null },
    macs: { before: positions === null ? null : parameters * positions, after: null },
    outcome: { kind: "kept", reason: "ranks were not measured: only the weights were analysed" },
    spectra: { input: null, weightOnInput: null, output: null, weight: [...weightSpectrum], projected: null },
    search: null,
  };
}

function keptReason({ view, kept }: Layer, rank: number): string {
  if (kept !== null) return kept;
  const { rows, columns } = view;
  const limit = Math.ceil((rows * columns) / (rows + columns)) - 1;
  return `two layers of rank ${rank} would not be smaller; at most rank ${limit} is`;
}

function asTuple({ k, result, passed, estimate }: Evaluation): EvaluationEntry {
  return estimate === undefined ? [k, result, passed] : [k, result, passed, estimate];
}

function fragility({ view }: Layer, search: NonNullable<FoundRanks["search"]>): LayerReport["fragility"] {
  if (!search.needed) return null;
  const kS = fragilityBand(view.columns, search.S, search.needed.S);
  const kT = fragilityBand(view.rows, search.T, search.needed.T);
  return {
    kS: [...kS],
    kT: [...kT],
    utilizedRank: [utilizedRank(kS[0], kT[0]), utilizedRank(kS[1], kT[1])],
  };
}
