// What weights tell without data, beside the utilized rank: the metrics that weightwatcher computes for each layer, by the
// definitions of Martin, Peng and Mahoney, "Predicting trends in the quality of state-of-the-art neural networks without
// access to training or testing data", Nature Communications 12 (2021).
import type { Subject } from "../src/analysis/prepare";
import type { Analysis } from "../src/analyze";
import { table } from "../src/cli/format";
import { percent } from "../src/text/numbers";
import type { Layer } from "../src/layers/layer";
import { weightMatrices } from "../src/layers/weights";
import { weightSpectrum } from "../src/numerics/basis";
import type { Matrix } from "../src/numerics/matrix";
import { readConstant } from "../src/onnx/readConstant";
import { markdownTable } from "./markedBlock";
import { fitPowerLaw } from "./powerLaw";
import { chanceCorrelation, spearman } from "./spearman";

/** Of one layer, from the eigenvalues λ of WᵀW. */
export interface DataFreeMetrics {
  /** ‖W‖²_F / ‖W‖²_2 of the layer's m×d matrix. */
  readonly stableRank: number;
  /** log₁₀ λ_max. */
  readonly logSpectralNorm: number;
  /** Exponent of the power law ρ(λ) ~ λ^−α. */
  readonly alpha: number;
  /** α̂ = α·log₁₀ λ_max. */
  readonly weightedAlpha: number;
  /** log₁₀ Σ λ^α. */
  readonly logAlphaNorm: number;
}

interface LayerRow extends DataFreeMetrics {
  readonly layer: string;
  readonly size: string;
  readonly utilizedRank: number;
  readonly utilization: number;
}

export interface DataFreeResult {
  readonly model: string;
  readonly tolerance: number;
  readonly layers: readonly LayerRow[];
  /** For the metrics of all layers. */
  readonly seconds: number;
}

/** Title of each metric, and digits shown. */
const METRICS: readonly (readonly [key: keyof DataFreeMetrics, title: string, digits: number])[] = [
  ["stableRank", "stable rank", 1],
  ["logSpectralNorm", "log ‖W‖²", 2],
  ["alpha", "α", 2],
  ["weightedAlpha", "α̂", 2],
  ["logAlphaNorm", "log α-norm", 2],
];

/** The metrics of every layer of an analysis, beside what the analysis found. */
export function dataFreeResult(subject: Subject, model: string, { analyzed, report }: Analysis): DataFreeResult {
  const started = performance.now();
  const metrics = analyzed.map(({ layer }) => dataFreeMetrics(subject, layer));
  const seconds = (performance.now() - started) / 1000;
  const layers = analyzed.map(({ report: { name, rows, columns, utilizedRank, utilization } }, i) => ({
    layer: name,
    size: `${rows}×${columns}`,
    utilizedRank: utilizedRank ?? NaN,
    utilization: utilization ?? NaN,
    ...metrics[i],
  }));
  return { model, tolerance: report.settings.tolerance, layers, seconds };
}

function dataFreeMetrics({ model }: Subject, layer: Layer): DataFreeMetrics {
  const weights = weightMatrices(layer.view, readConstant(model.wire, layer.weight));
  const [, , ...kernel] = layer.op === "Conv" ? layer.weight.dims : [];
  return metricsOf(
    weights,
    kernel.reduce((product, size) => product * size, 1),
  );
}

/**
 * The metrics of the matrices of a layer (its groups), whose columns are inputs × kernel positions. Like weightwatcher, α
 * and the norms pool the eigenvalues of the outputs×inputs slices at each of the k kernel positions, times k/2 for a Conv.
 */
export function metricsOf(weights: readonly Matrix[], positions: number): DataFreeMetrics {
  const spectra = weights.map(weightSpectrum);
  const largest = Math.max(...spectra.map((spectrum) => spectrum[0]));
  const total = spectra.reduce((sum, spectrum) => sum + spectrum.reduce((a, b) => a + b, 0), 0);
  const scale = positions > 1 ? positions / 2 : 1;
  const eigenvalues = weights.flatMap((weight) =>
    slices(weight, positions).flatMap((slice) => [...weightSpectrum(slice)].map((value) => scale * value)),
  );
  const alpha = fitPowerLaw(eigenvalues)?.alpha ?? NaN;
  const logSpectralNorm = Math.log10(Math.max(...eigenvalues));
  return {
    stableRank: total / largest,
    logSpectralNorm,
    alpha,
    weightedAlpha: alpha * logSpectralNorm,
    logAlphaNorm: Math.log10(eigenvalues.reduce((sum, value) => sum + value ** alpha, 0)),
  };
}

/** The columns of each kernel position: in ONNX's order they lie `positions` apart. */
function slices({ rows, columns, data }: Matrix, positions: number): Matrix[] {
  const inputs = columns / positions;
  return Array.from({ length: positions }, (_, position) => ({
    rows,
    columns: inputs,
    data: Float64Array.from({ length: rows * inputs }, (_unused, i) => data[i * positions + position]),
  }));
}

/** Spearman's ρ of every metric with the utilization over the layers of a model. */
function correlations({ layers }: DataFreeResult): string[] {
  const used = layers.map(({ utilization }) => utilization);
  return METRICS.map(([key]) => signed(spearman(layers.map((layer) => layer[key]), used))); // prettier-ignore
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

function head({ layers }: DataFreeResult): string[] {
  return [`layer (n = ${layers.length})`, "m×d", "rank", "used", ...METRICS.map(([, title]) => title)];
}

function body(result: DataFreeResult): string[][] {
  return [
    ...result.layers.map((layer) => [
      layer.layer,
      layer.size,
      String(layer.utilizedRank),
      percent(layer.utilization, 0),
      ...METRICS.map(([key, , digits]) => layer[key].toFixed(digits).replace("-", "−")),
    ]),
    ["Spearman’s ρ with used", "", "", "", ...correlations(result)],
  ];
}

function caption({ model, tolerance, seconds, layers }: DataFreeResult): string {
  return (
    `${model}, ${tolerance} points; the metrics took ${seconds.toFixed(2)} s. ` +
    `Unrelated numbers stay below |ρ| = ${chance(layers.length)} 19 times out of 20`
  );
}

function chance(count: number): string {
  return chanceCorrelation(count).toFixed(2);
}

export function dataFreeText(result: DataFreeResult): string {
  const columns = head(result).map((title, i) => ({ title, align: i === 0 ? ("left" as const) : ("right" as const) }));
  return `${caption(result)}\n${table(columns, body(result))}`;
}

/** The table of one model as Markdown. */
export function dataFreeMarkdown(result: DataFreeResult): string {
  return `${caption(result)}:\n\n${markdownTable(head(result), body(result))}`;
}

/** "ResNet-20 (n = 20; …): stable rank +0.12, …" */
export function correlationSentence(result: DataFreeResult): string {
  const found = correlations(result).map((value, i) => `${METRICS[i][1]} ${value}`);
  const { model, layers } = result;
  return `${model} (n = ${layers.length}; by chance up to ${chance(layers.length)}): ${found.join(", ")}.`;
}
