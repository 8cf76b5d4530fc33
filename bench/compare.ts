// RankLens beside plain singular value decompositions with equally many parameters, and beside metrics of the weights alone.
import path from "node:path";
import { calibrate, gramGroups } from "../src/analysis/calibrate";
import type { AnalyzedLayer } from "../src/analysis/layerReport";
import { openData, openSubject, type Subject, type SubjectData } from "../src/analysis/prepare";
import { scoreOriginal, type Scoring } from "../src/analysis/scoring";
import { analysisDecompositions } from "../src/analysis/replacedAccuracy";
import { analyzeWithData } from "../src/analyze";
import { table } from "../src/cli/format";
import { percent, thousands } from "../src/text/numbers";
import type { ResolvedConfig } from "../src/config";
import { gramKey, type Layer } from "../src/layers/layer";
import { decompositionEdit, type Decomposition } from "../src/lowrank/decompose";
import { factorizeLayer, layerBasis, type LayerBasis } from "../src/lowrank/layerBasis";
import { identity } from "../src/numerics/matrix";
import { weightParameters } from "../src/numerics/utilizedRank";
import { readConstant } from "../src/onnx/readConstant";
import { editedModelBytes } from "../src/onnx/edit";
import { dataFreeResult, dataFreeText, type DataFreeResult } from "./dataFree";
import { markdownTable } from "./markedBlock";
import { matchParameters } from "./matchParameters";
import { bundledExample, referenceModels, type TrainedModel } from "./models";
import { PEAK_TITLE, peakText, withPeak } from "./peakMemory";

/** A smaller model: parameters of the analysed layers, and accuracy on the validation data. */
interface Smaller {
  readonly parameters: number;
  readonly accuracy: number;
}

export interface ComparisonRow {
  readonly model: string;
  readonly tolerance: number;
  readonly samples: number;
  readonly original: Smaller;
  readonly rankLens: Smaller;
  /** Truncated singular value decompositions of W, in the layers and at the ranks that RankLens chose. */
  readonly svdSameRanks: Smaller;
  /** The same with the ranks that keep one share of Σσ² of W in every layer, so chosen that the parameters are as many. */
  readonly svdOneShare: Smaller;
  /** P_T W in the layers and at the ranks that RankLens chose: the output's subspace without the input's. */
  readonly outputOnly: Smaller;
  /** Of the process during the analysis, in MiB. */
  readonly peakMemory: number | null;
}

export interface ModelComparison {
  readonly rows: readonly ComparisonRow[];
  readonly dataFree: DataFreeResult;
}

/** Small: the bundled example alone, in half a minute. */
export async function benchCompare(small: boolean): Promise<ModelComparison[]> {
  const results: ModelComparison[] = [];
  for (const model of [bundledExample(), ...(small ? [] : referenceModels())]) {
    const result = await compareModel(model);
    console.log(`${comparisonText(result.rows)}\n\n${dataFreeText(result.dataFree)}\n`);
    results.push(result);
  }
  return results;
}

async function compareModel(trained: TrainedModel): Promise<ModelComparison> {
  const { name, config } = trained;
  const subject = openSubject(path.resolve(trained.path));
  try {
    const { bases, scoring, smaller } = await prepareComparison(subject, config);
    const rows: ComparisonRow[] = [];
    let dataFree: DataFreeResult | undefined;
    for (const tolerance of trained.tolerances) {
      const { result: analysis, peakMemory } = await withPeak(() => analyzeWithData(subject, config, { tolerance }));
      const { report, analyzed } = analysis;
      if (tolerance === trained.tolerance) dataFree = dataFreeResult(subject, name, analysis);
      const chosen = analysisDecompositions(analyzed);
      const atSameRanks = (which: ReadonlyMap<Layer, LayerBasis>): Decomposition[] =>
        chosen.map(({ layer, factors }) => truncated(which, layer, factors.rank));
      rows.push({
        model: name,
        tolerance,
        samples: scoring.samples,
        original: { parameters: report.totals.parameters, accuracy: scoring.original.value },
        rankLens: await smaller(chosen),
        svdSameRanks: await smaller(atSameRanks(bases.plain)),
        svdOneShare: await smaller(oneShare(analyzed, bases.plain, parametersWith(subject, chosen))),
        outputOnly: await smaller(atSameRanks(bases.data)),
        peakMemory,
      });
    }
    if (!dataFree) throw new Error(`${name} is not compared at ${trained.tolerance} points`);
    return { rows, dataFree };
  } finally {
    subject.model.close();
  }
}

interface ComparisonSetup {
  readonly scoring: Scoring;
  /** Of every layer: by its data, and where every input direction counts alike (C = I), so that U is that of W = U S Vᵀ. */
  readonly bases: Readonly<Record<"data" | "plain", ReadonlyMap<Layer, LayerBasis>>>;
  /** Runs the model with these layers as two. */
  readonly smaller: (decompositions: readonly Decomposition[]) => Promise<Smaller>;
}

/** All that is the same for every tolerance. */
export async function prepareComparison(subject: Subject, config: ResolvedConfig): Promise<ComparisonSetup> {
  const data = await openData(subject, config);
  const scoring = await scoreOriginal(subject, data, undefined, () => undefined);
  if (!scoring) throw new Error(`${subject.model.path} has no validation data`);
  return {
    scoring,
    bases: { data: await dataBases(subject, data), plain: plainBases(subject) },
    smaller: async (decompositions) => ({
      parameters: parametersWith(subject, decompositions),
      accuracy: await accuracyWith(subject, scoring, decompositions),
    }),
  };
}

/** P_T W at `rank`, for the output basis U of the layer: the input side stays full, P_S = I. */
export function truncated(bases: ReadonlyMap<Layer, LayerBasis>, layer: Layer, rank: number): Decomposition {
  return { layer, factors: factorizeLayer(bases.get(layer)!, layer.view.columns, rank).factors };
}

/** Plain decompositions that keep one share of the energy of every W, with about `parameters` in all. */
function oneShare(
  analyzed: readonly AnalyzedLayer[],
  bases: ReadonlyMap<Layer, LayerBasis>,
  parameters: number,
): Decomposition[] {
  const layers = analyzed.map(({ layer, report }) => ({
    size: layer.view,
    spectrum: Float64Array.from(report.spectra.weight),
  }));
  const { ranks } = matchParameters(layers, parameters);
  return analyzed.flatMap(({ layer }, i) => {
    const rank = ranks[i];
    return rank === null ? [] : [truncated(bases, layer, rank)];
  });
}

function parametersWith({ layers }: Subject, decompositions: readonly Decomposition[]): number {
  const ranks = new Map(decompositions.map(({ layer, factors }) => [layer, factors.rank]));
  return layers.reduce((sum, layer) => sum + weightParameters(layer.view, ranks.get(layer) ?? null), 0);
}

async function accuracyWith(subject: Subject, scoring: Scoring, smaller: readonly Decomposition[]): Promise<number> {
  const { model, index } = subject;
  const bytes = editedModelBytes(model, decompositionEdit({ model, index }, smaller));
  const whole = { model: bytes, what: `${model.path} (smaller)`, folder: model.folder };
  const { value } = await scoring.measure(whole, () => undefined);
  return value!;
}

async function dataBases(subject: Subject, data: SubjectData): Promise<Map<Layer, LayerBasis>> {
  const bases = new Map<Layer, LayerBasis>();
  for (const group of gramGroups(subject.layers)) {
    const grams = await calibrate(subject, data, group, undefined, () => undefined);
    for (const layer of group) {
      bases.set(layer, layerBasis(layer, readConstant(subject.model.wire, layer.weight), grams.get(gramKey(layer))!));
    }
  }
  return bases;
}

export function plainBases({ layers, model }: Subject): Map<Layer, LayerBasis> {
  return new Map(
    layers.map((layer) => {
      const { groups, columns } = layer.view;
      const alike = Array.from({ length: groups }, () => ({ kind: "gram" as const, matrix: identity(columns) }));
      return [layer, layerBasis(layer, readConstant(model.wire, layer.weight), alike)];
    }),
  );
}

const COLUMNS = ["points", "parameters", "RankLens", "SVD, same ranks", "output side only", "SVD, one energy"] as const;

function cells(row: ComparisonRow): string[] {
  const { original, rankLens, svdSameRanks, svdOneShare, outputOnly } = row;
  const remaining = ({ parameters }: Smaller): string => percent(parameters / original.parameters);
  return [
    String(row.tolerance),
    remaining(rankLens),
    ...[rankLens, svdSameRanks, outputOnly].map(({ accuracy }) => percent(accuracy, 2)),
    `${percent(svdOneShare.accuracy, 2)} at ${remaining(svdOneShare)}`,
  ];
}

function title({ model, original, samples }: ComparisonRow): string {
  const { parameters, accuracy } = original;
  return `${model} (${thousands(parameters)} parameters in analysed layers, original ${percent(accuracy, 2)} of ${thousands(samples)} right)`;
}

function comparisonText(rows: readonly ComparisonRow[]): string {
  const columns = [...COLUMNS, PEAK_TITLE].map((name) => ({ title: name, align: "right" as const }));
  const lines = rows.map((row) => [...cells(row), peakText(row.peakMemory)]);
  return `${title(rows[0])}\n${table(columns, lines)}`;
}

/** The rows of one model as Markdown. */
export function comparisonMarkdown(rows: readonly ComparisonRow[]): string {
  return `${title(rows[0])}:\n\n${markdownTable(COLUMNS, rows.map(cells))}`;
}

/** The row of one model with the tolerance in the middle, in words. */
export function comparisonSentence(rows: readonly ComparisonRow[]): string {
  const row = rows[Math.floor(rows.length / 2)];
  const [tolerance, left, rankLens, sameRanks, outputOnly, oneShareOf] = cells(row);
  return (
    `${title(row)}, ${tolerance} points, ${left} of the parameters: RankLens **${rankLens}**, SVD at the same ranks ` +
    `**${sameRanks}**, output side only **${outputOnly}**, SVD by one energy **${oneShareOf}**.`
  );
}
