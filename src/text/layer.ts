import type { LayerReport, ModelReport } from "../report";
import { elided, shortName, visible } from "./names";
import { errorText, percent, thousands } from "./numbers";
import type { ReportWords } from "./reportWords";
import { fill } from "./template";

/** A layer without its spectra: what is said of it in words. */
export type LayerFigures = Omit<LayerReport, "spectra">;

/** A report whatever its spectra are kept in. */
export type ReportFigures = Omit<ModelReport, "layers"> & { readonly layers: readonly LayerFigures[] };

type Size = Pick<LayerReport, "groups" | "rows" | "columns">;

/** "64×576", of a grouped layer "4·16×144". */
export function sizeText({ groups, rows, columns }: Size): string {
  return `${groups > 1 ? `${groups}·` : ""}${rows}×${columns}`;
}

/** The largest rank that a layer could have. */
export function largestRank({ rows, columns }: Pick<Size, "rows" | "columns">): number {
  return Math.min(rows, columns);
}

/** Share of the parameters or MACs that go; null where that was not measured. 0 for a layer that is kept. */
export function savedShare({ before, after }: { before: number | null; after: number | null }): number | null {
  return before === null || after === null || before === 0 ? null : 1 - after / before;
}

export function outcomeText({ outcome }: Pick<LayerFigures, "outcome">, words: ReportWords): string {
  return outcome.kind === "decomposed"
    ? fill(words.twoLayers, outcome.rank)
    : fill(words.kept, visible(outcome.reason));
}

/** What a layer is and, where that was measured, what is used of it. */
export interface SummarizedLayer extends Size, Pick<LayerReport, "name" | "op" | "parameters" | "macs"> {
  /** Null until it was measured, as the outcome. */
  readonly weightRank: number | null;
  readonly utilizedRank: number | null;
  readonly utilization: number | null;
  readonly outcome: LayerReport["outcome"] | null;
}

/** A layer in a few lines: name, shape, utilized rank and utilization, savings. */
export function layerSummary(layer: SummarizedLayer, words: ReportWords): string[] {
  return [shortName(layer.name), shapeText(layer), ...ranksText(layer, words), ...savingsText(layer, words)];
}

/** "Conv, 64×576" */
export function shapeText(layer: Size & { readonly op: string }): string {
  return `${elided(visible(layer.op))}, ${sizeText(layer)}`;
}

function ranksText(layer: SummarizedLayer, words: ReportWords): string[] {
  const { utilizedRank, utilization, weightRank } = layer;
  const full = largestRank(layer);
  if (utilizedRank !== null) {
    return [`${words.utilizedRank} ${fill(words.ofFullShare, utilizedRank, full, percent(utilization))}`];
  }
  if (weightRank === null) return [];
  return [`${words.weightRank} ${fill(words.ofFullShare, weightRank, full, percent(weightRank / full))}`];
}

/** Longest line that a tooltip has room for. */
const LONGEST_LINE = 100;

/** What the layer saves, or why it is kept; nothing before that is known. */
export function savingsText({ outcome, parameters, macs }: SummarizedLayer, words: ReportWords): string[] {
  if (outcome === null) return [];
  const fewer = savedShare(parameters);
  const cheaper = savedShare(macs);
  if (outcome.kind === "kept" || fewer === null) return [elided(outcomeText({ outcome }, words), LONGEST_LINE)];
  if (cheaper === null) return [fill(words.saves, percent(fewer))];
  return [fill(words.savesBoth, percent(fewer), percent(cheaper))];
}

/** What is known of a layer, as terms and values. */
export function layerFacts(layer: LayerFigures, words: ReportWords): [term: string, value: string][] {
  const { kS, kT, inputEnergy, outputEnergy, fragility, macs, parameters, nodes, groups, utilizedRank } = layer;
  const size = `${layer.rows}×${layer.columns}`;
  const facts: [string, string][] = [[words.weight, groups > 1 ? fill(words.inGroups, size, groups) : size]];
  const full = largestRank(layer);
  if (utilizedRank !== null) {
    const share = fill(words.ofFullShare, utilizedRank, full, percent(layer.utilization));
    facts.push([words.utilizedRankFact, withBand(share, fragility?.utilizedRank, words)]);
  }
  if (kS !== null) facts.push([words.inputDirections, kept(kS, layer.columns, inputEnergy, fragility?.kS, words)]);
  if (kT !== null) facts.push([words.outputDirections, kept(kT, layer.rows, outputEnergy, fragility?.kT, words)]);
  if (layer.stability) {
    const [lowest, highest] = layer.stability.utilizedRank;
    facts.push([words.stability, lowest === highest ? String(lowest) : fill(words.range, lowest, highest)]);
  }
  for (const part of layer.parts ?? []) {
    const most = Math.min(part.rows, layer.columns);
    facts.push([
      fill(words.partFact, visible(part.name)),
      fill(words.ofFullShare, part.utilizedRank, most, percent(part.utilizedRank / most)),
    ]);
  }
  if (layer.outputError !== null) {
    const error = errorText(layer.outputError);
    const bound = layer.errorBound === null ? error : fill(words.outputErrorBound, error, errorText(layer.errorBound));
    facts.push([words.outputError, bound]);
  }
  facts.push([words.weightRankFact, fill(words.ofFullShare, layer.weightRank, full, percent(layer.weightRank / full))]);
  facts.push([words.stableRank, layer.stableRank.toFixed(1)]);
  facts.push([words.parameters, changeText(parameters.before, parameters.after)]);
  if (macs.before !== null) facts.push([words.macs, changeText(macs.before, macs.after)]);
  if (nodes.length > 1) facts.push([words.sharedBy, fill(words.nodes, nodes.length)]);
  facts.push([words.outcome, outcomeText(layer, words)]);
  return facts;
}

function changeText(before: number, after: number | null): string {
  return after === null || after === before ? thousands(before) : `${thousands(before)} → ${thousands(after)}`;
}

function kept(k: number, full: number, energy: number | null, band: Band, words: ReportWords): string {
  const count = fill(words.ofFull, k, full);
  return withBand(energy === null ? count : fill(words.withEnergy, count, percent(energy, 2)), band, words);
}

type Band = readonly [number, number] | undefined;

function withBand(text: string, band: Band, words: ReportWords): string {
  return !band || band[0] === band[1] ? text : fill(words.withBand, text, band[0], band[1]);
}
