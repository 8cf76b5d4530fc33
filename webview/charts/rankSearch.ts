import type { ChartConfiguration, ChartDataset } from "chart.js";
import { layerSummary } from "../../src/text/layer";
import { percent } from "../../src/text/numbers";
import { REPORT_WORDS, type ReportWords } from "../../src/text/reportWords";
import { fill } from "../../src/text/template";
import { axis, rankAxis, shareLabel, stillOptions, tooltip, type Point } from "./axes";
import { bandEntry, shadedBands, type Band } from "./band";
import type { DrawnLayer, DrawnReport } from "./drawn";
import type { Palette } from "./palette";

type Evaluations = NonNullable<DrawnLayer["search"]>["S"];
/** `step` is when it was tried; one that stopped early has an estimate in place of the accuracy. */
export interface Trial extends Point {
  readonly step: number;
  readonly passed: boolean;
  readonly stoppedEarly: boolean;
}
type Line = ChartDataset<"line", Point[]>;

/** The recorded search of a layer: accuracy with this layer alone changed, at each rank tried. Null where none was made. */
export function rankSearch(
  report: DrawnReport,
  palette: Palette,
  index: number,
  words: ReportWords = REPORT_WORDS,
): ChartConfiguration<"line", Point[]> | null {
  const layer = report.layers[index];
  const { samples, original } = report.accuracy;
  if (!layer.search || !samples || original === null) return null;
  const full = Math.max(layer.rows, layer.columns);
  const needed = neededAccuracy(report, layer);
  const S = trials(layer.search.S, samples, needed.S);
  const T = trials(layer.search.T, samples, needed.T);
  const bands = fragileBands(layer, palette, words);
  const level = (label: string, y: number, colour: string, dash: number[]): Line => ({
    label: `${label} ${percent(y, 2)}`,
    data: [
      { x: 1, y },
      { x: Math.max(full, 2), y },
    ],
    borderColor: colour,
    borderWidth: 1.25,
    borderDash: dash,
    pointRadius: 0,
    pointHoverRadius: 0,
    pointStyle: "line",
  });
  const levels =
    needed.S === needed.T
      ? [level(words.needed, needed.S, palette.muted, [4, 4])]
      : [level(words.neededForS, needed.S, palette.input, [4, 4]), level(words.forT, needed.T, palette.output, [4, 4])];
  return {
    type: "line",
    data: {
      datasets: [
        tried(words.triedS, S, palette.input, "circle", palette),
        tried(words.triedT, T, palette.output, "triangle", palette),
        ...levels,
        level(words.original, original, palette.muted, []),
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
        y: axis(palette, report.accuracy.metric === "agreement" ? words.agreementAxis : words.accuracyAxis, {
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
              isTrial(raw) ? ` ${trialText(datasetIndex === 0 ? "k_S" : "k_T", raw, words)}` : "",
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

/** The accuracy that each search asks for, as the search itself counts it: in whole samples. */
function neededAccuracy({ accuracy, settings }: DrawnReport, layer: DrawnLayer): { S: number; T: number } {
  const samples = accuracy.samples!;
  const slack = Math.floor((settings.tolerance / 100) * samples + 1e-9);
  const original = Math.round(accuracy.original! * samples);
  const atS = layer.search!.S.find(([k]) => k === layer.kS)?.[1] ?? original;
  return {
    S: (original - slack) / samples,
    T: ((settings.baseline === "previous" ? atS : original) - slack) / samples,
  };
}

function trials(evaluations: Evaluations, samples: number, needed: number): Trial[] {
  return evaluations
    .map(([k, correct, passed, estimate], i) => ({
      x: k,
      // Reports of other tools may have no estimate: the threshold is then the nearest that is known.
      y: (correct ?? estimate ?? needed * samples) / samples,
      step: i + 1,
      passed,
      stoppedEarly: correct === null,
    }))
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

function trialText(symbol: string, { x, y, step, passed, stoppedEarly }: Trial, words: ReportWords): string {
  const accuracy = stoppedEarly ? fill(words.stoppedEarly, percent(y, 1)) : percent(y, 2);
  return fill(words.trial, symbol, x, accuracy, passed ? words.enough : words.tooFew, step);
}

function isTrial(raw: unknown): raw is Trial {
  return typeof raw === "object" && raw !== null && "step" in raw;
}
