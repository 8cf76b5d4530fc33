import type { ReportSettings } from "../report";
import { isError, measuredText } from "./accuracy";
import type { ReportFigures } from "./layer";
import { fileName, shortName, visible } from "./names";
import { elapsed, percent, thousands } from "./numbers";
import type { ReportWords } from "./reportWords";
import { counted, fill } from "./template";

/** How the numbers of a report came about, as terms and values. Of paths only the file's name is told. */
export function measurement(report: ReportFigures, words: ReportWords): [term: string, value: string][] {
  const { settings, device, cost, model, accuracy } = report;
  const { tolerance, calibration, validation } = settings;
  const terms: [string, string][] = [[words.ranksBy, ranksText(settings, words)]];
  if (settings.ranks === "search") terms.push([words.tolerance, toleranceText(tolerance, accuracy.metric, words)]);
  const measured = measuredText(accuracy, words);
  if (measured !== null) terms.push([words.measuredAs, measured]);
  const { samples } = accuracy;
  if (samples !== null) terms.push([words.validatedOn, counted(samples, words.oneSample, words.samples)]);
  terms.push([words.device, deviceText(device, words)]);
  const time = elapsed(cost.seconds);
  terms.push([words.time, evaluatedText(time, cost.evaluations, words)]);
  terms.push(...profile(report, words));
  const recalled = recalledText(cost.recalled, words);
  if (recalled !== null) terms.push([words.recalled, recalled]);
  const tables = embeddingTexts(report, words);
  if (tables.length > 0) terms.push([words.embeddings, tables.join("; ")]);
  if (calibration) terms.push([words.calibrationData, dataText(calibration, words)]);
  if (validation) terms.push([words.validationData, dataText(validation, words)]);
  terms.push([words.model, fill(words.modelFile, thousands(model.bytes), model.opset, model.sha256.slice(0, 12))]);
  return terms;
}

/** What each projection of each layer may cost. */
export function toleranceText(
  tolerance: number,
  metric: ReportFigures["accuracy"]["metric"],
  words: ReportWords,
): string {
  if (isError(metric)) return fill(words.toleranceError, tolerance);
  return fill(tolerance === 1 ? words.onePoint : words.tolerancePoints, tolerance);
}

/** "webgpu: 3.1 times as fast… (cuda: not installed; on the processor: Shape ×2)" */
export function deviceText(
  { used, why, tried, onProcessor, eigensolver }: ReportFigures["device"],
  words: ReportWords,
): string {
  const more = tried.map((one) => `${one.device}: ${one.why}`);
  if (onProcessor.length > 0) {
    const operators = onProcessor.map(({ operator, nodes }) => (nodes === 1 ? operator : `${operator} ×${nodes}`));
    more.push(fill(words.onProcessor, operators.join(", ")));
  }
  if (eigensolver !== null) more.push(fill(words.eigenvectorsBy, eigensolver));
  return `${used}: ${why}${more.length === 0 ? "" : ` (${more.join("; ")})`}`;
}

function evaluatedText(time: string, evaluations: number, words: ReportWords): string {
  if (evaluations === 0) return time;
  return fill(evaluations === 1 ? words.oneEvaluation : words.evaluations, time, thousands(evaluations));
}

/** "the inputs of 20 layers, the ranks of 19 layers"; null where all was measured anew. */
export function recalledText(recalled: ReportFigures["cost"]["recalled"], words: ReportWords): string | null {
  if (!recalled) return null;
  const { calibrated, searched } = recalled;
  const parts = [
    ...(calibrated > 0 ? [counted(calibrated, words.calibrationOfOne, words.calibrationOf)] : []),
    ...(searched > 0 ? [counted(searched, words.ranksOfOne, words.ranksOf)] : []),
  ];
  return parts.length === 0 ? null : parts.join(", ");
}

/** "embed.weight of 512×64: 431 of 512 rows are used by the calibration data", for each table. */
export function embeddingTexts({ embeddings = [] }: ReportFigures, words: ReportWords): string[] {
  return embeddings.map(({ name, rows, columns, usedRows }) =>
    fill(words.rowsUsed, visible(name), thousands(rows), thousands(columns), thousands(usedRows)),
  );
}

/** Stages and layers that are named, the slowest first. */
const MOST_STAGES = 4;
const MOST_LAYERS = 3;

/** Where the time went, in stages and in layers. */
function profile({ cost, layers }: ReportFigures, words: ReportWords): [term: string, value: string][] {
  const slowest = (seconds: readonly (readonly [name: string, seconds: number])[], most: number): string =>
    [...seconds]
      .sort((a, b) => b[1] - a[1])
      .slice(0, most)
      .map(([name, each]) => fill(words.secondsOf, name, elapsed(each)))
      .join(", ");
  const stages = slowest(Object.entries(cost.stages), MOST_STAGES);
  const byLayer = layers.flatMap(({ name }, i): [string, number][] => {
    const seconds = cost.layers?.[i];
    return seconds === undefined ? [] : [[shortName(visible(name)), seconds]];
  });
  return [
    ...(stages === "" ? [] : [[words.stages, stages] as [string, string]]),
    ...(byLayer.length < 2 ? [] : [[words.slowestLayers, slowest(byLayer, MOST_LAYERS)] as [string, string]]),
  ];
}

function ranksText({ ranks, search, baseline, energy }: ReportSettings, words: ReportWords): string {
  if (ranks === "none") return words.byWeights;
  if (ranks === "energy") return fill(words.byEnergy, percent(energy, 2));
  if (search === "fast") return words.byFastSearch;
  return baseline === "previous" ? words.bySearchFromPrevious : words.bySearch;
}

function dataText(data: NonNullable<ReportSettings["calibration"]>, words: ReportWords): string {
  const files = typeof data.source === "string" ? [data.source] : Object.values(data.source);
  const name = (file: string): string => visible(fileName(file));
  const sources = files.map(name).join(", ");
  const labelled = data.labels === undefined ? sources : fill(words.withLabels, sources, name(data.labels));
  return data.limit === undefined ? labelled : fill(words.randomChoice, labelled, thousands(data.limit));
}
