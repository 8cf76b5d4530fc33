import type { ChartConfiguration, ChartDataset } from "chart.js";
import { layerSummary } from "../../src/text/layer";
import { accuracyText, isError } from "../../src/text/accuracy";
import { errorText, percent } from "../../src/text/numbers";
import { REPORT_WORDS, type ReportWords } from "../../src/text/reportWords";
import { fill } from "../../src/text/template";
import { axis, isRound, rankAxis, shareLabel, stillOptions, tooltip, type Point } from "./axes";
import { bandEntry, shadedBands, type Band } from "./band";
import type { DrawnLayer, DrawnReport } from "./drawn";
import type { Palette } from "./palette";

type Evaluations = NonNullable<DrawnLayer["search"]>["S"];
/** `step` is when it was tried; one that stopped early has an estimate in place of the accuracy. */
export interface Trial extends Point {
  /** An error that is too small for the axis. */
  readonly value?: number;
  readonly step: number;
  readonly passed: boolean;
  readonly stoppedEarly: boolean;
}
type Line = ChartDataset<"line", Point[]>;

/**
 * The recorded search of a layer: accuracy, or the error of the model's output, with this layer alone changed, at each rank
 * tried. Null where none was made.
 */
export function rankSearch(
  report: DrawnReport,
  palette: Palette,
  index: number,
  words: ReportWords = REPORT_WORDS,
): ChartConfiguration<"line", Point[]> | null {
  const layer = report.layers[index];
  const { samples, original, metric } = report.accuracy;
  if (!layer.search || !samples || original === null) return null;
  const full = Math.max(layer.rows, layer.columns);
  const errors = isError(metric);
  const needed = errors ? allowedError(report, layer) : neededAccuracy(report, layer);
  const answers = errors ? 1 : answersOf(report);
  const floor = errors ? errorFloor(needed.S) : 0;
  const S = trials(layer.search.S, answers, needed.S, floor);
  const T = trials(layer.search.T, answers, needed.T, floor);
  const bands = fragileBands(layer, palette, words);
  const level = (label: string, y: number, colour: string, dash: number[]): Line => ({
    label: `${label} ${accuracyText(y, metric)}`,
    data: [1, Math.max(full, 2)].map((x) => ({ x, y: Math.max(y, floor) })),
    borderColor: colour,
    borderWidth: 1.25,
    borderDash: dash,
    pointRadius: 0,
    pointHoverRadius: 0,
    pointStyle: "line",
  });
  const levels =
    needed.S === needed.T
      ? [level(errors ? words.errorAllowed : words.needed, needed.S, palette.muted, [4, 4])]
      : [
          level(errors ? words.errorAllowedForS : words.neededForS, needed.S, palette.input, [4, 4]),
          level(words.forT, needed.T, palette.output, [4, 4]),
        ];
  return {
    type: "line",
    data: {
      datasets: [
        tried(words.triedS, S, palette.input, "circle", palette),
        tried(words.triedT, T, palette.output, "triangle", palette),
        ...levels,
        ...(errors ? [] : [level(words.original, original, palette.muted, [])]),
        ...bands.map(bandEntry),
      ],
    },
    plugins: [shadedBands(bands)],
    options: {
      ...stillOptions,
      parsing: false,
      interaction: { mode: "nearest", axis: "xy", intersect: false },
      scales: {
        x: rankAxis(palette, words.rankAxis, full),
        y: errors
          ? axis(palette, words.errorAxis, { type: "logarithmic", ticks: { callback: errorLabel } })
          : axis(palette, isAgreement(metric) ? words.agreementAxis : words.accuracyAxis, {
              grace: "4%",
              ticks: { callback: shareLabel },
            }),
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          ...tooltip(palette),
          filter: ({ raw }) => isTrial(raw),
          callbacks: {
            title: () => "",
            label: ({ datasetIndex, raw }) =>
              isTrial(raw) ? ` ${trialText(datasetIndex === 0 ? "k_S" : "k_T", raw, metric, words)}` : "",
            footer: () => layerSummary(layer, words),
          },
        },
      },
    },
  };
}

/** Where k_S and k_T would be with one validation sample more or less; what would not move has no band. */
function fragileBands({ fragility }: DrawnLayer, palette: Palette, words: ReportWords): Band[] {
  const band = (symbol: string, [from, to]: readonly [number, number], colour: string): Band[] =>
    from === to ? [] : [{ label: fill(words.oneSampleBand, symbol, from, to), from, to, colour }];
  if (!fragility) return [];
  return [...band("k_S", fragility.kS, palette.input), ...band("k_T", fragility.kT, palette.output)];
}

/** The accuracy that each search asks for, as the search itself counts it: in whole answers. */
function neededAccuracy(report: DrawnReport, layer: DrawnLayer): { S: number; T: number } {
  const { accuracy, settings } = report;
  const answers = answersOf(report);
  const slack = Math.floor((settings.tolerance / 100) * answers + 1e-9);
  const original = Math.round(accuracy.original! * answers);
  return {
    S: (original - slack) / answers,
    T: ((settings.baseline === "previous" ? (resultAtS(layer) ?? original) : original) - slack) / answers,
  };
}

/** The error that each search allows. */
function allowedError({ settings: { tolerance, baseline } }: DrawnReport, layer: DrawnLayer): { S: number; T: number } {
  const allowed = tolerance / 100;
  return { S: allowed, T: allowed + (baseline === "previous" ? (resultAtS(layer) ?? 0) : 0) };
}

function resultAtS({ search, kS }: DrawnLayer): number | null | undefined {
  return search?.S.find(([k]) => k === kS)?.[1];
}

/** Answers that are right or wrong; reports of before there were several to a sample have none. */
export function answersOf({ accuracy }: DrawnReport): number {
  return accuracy.answers ?? accuracy.samples!;
}

/** Errors reach over many orders: what is a thousandth of the allowed one, or nothing, lies at the foot of the axis. */
function errorFloor(allowed: number): number {
  return allowed > 0 ? allowed / 1000 : 1e-9;
}

function errorLabel(value: number | string): string | null {
  return isRound(Number(value)) ? errorText(Number(value)) : null;
}

export function isAgreement(metric: DrawnReport["accuracy"]["metric"]): boolean {
  return metric === "agreement" || metric === "position-agreement";
}

function trials(evaluations: Evaluations, answers: number, needed: number, floor: number): Trial[] {
  return evaluations
    .map(([k, result, passed, estimate], i) => {
      // Reports of other tools may have no estimate: the threshold is then the nearest that is known.
      const value = (result ?? estimate ?? needed * answers) / answers;
      const trial = { x: k, y: Math.max(value, floor), step: i + 1, passed, stoppedEarly: result === null };
      return value < floor ? { ...trial, value } : trial;
    })
    .sort((a, b) => a.x - b.x);
}

function tried(
  label: string,
  data: Trial[],
  colour: string,
  pointStyle: "circle" | "triangle",
  palette: Palette,
): Line {
  return {
    label,
    data,
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 1.25,
    pointStyle: data.map(({ stoppedEarly }) => (stoppedEarly ? "crossRot" : pointStyle)),
    pointRadius: 5,
    pointHoverRadius: 7,
    pointBorderWidth: 1.75,
    pointBackgroundColor: data.map(({ passed }) => (passed ? colour : palette.surface)),
  };
}

function trialText(
  symbol: string,
  { x, y, value = y, step, passed, stoppedEarly }: Trial,
  metric: DrawnReport["accuracy"]["metric"],
  words: ReportWords,
): string {
  const about = isError(metric) ? errorText(value) : percent(value, 1);
  const accuracy = stoppedEarly ? fill(words.stoppedEarly, about) : accuracyText(value, metric);
  const failed = isError(metric) ? words.tooLarge : words.tooFew;
  return fill(words.trial, symbol, x, accuracy, passed ? words.enough : failed, step);
}

function isTrial(raw: unknown): raw is Trial {
  return typeof raw === "object" && raw !== null && "step" in raw;
}
