import type { ChartConfiguration, ChartDataset } from "chart.js";
import type { LayerReport, ModelReport, ReportSettings } from "../../src/report";
import { axis, percent, rankAxis, shareLabel, stillOptions, tooltip, type Point } from "./axes";
import type { Palette } from "./palette";

type Evaluations = NonNullable<LayerReport["search"]>["S"];
/** Of a report, what its searches are drawn from. */
interface Searched extends Pick<ModelReport, "layers" | "accuracy"> {
  readonly settings: Pick<ReportSettings, "tolerance" | "baseline">;
}
/** `step` is when it was tried; one that stopped early has no accuracy but is known to be below what was needed. */
export interface Trial extends Point {
  readonly step: number;
  readonly passed: boolean;
  readonly stoppedEarly: boolean;
}
type Line = ChartDataset<"line", Point[]>;

/** The recorded search of a layer: accuracy with this layer alone changed, at each rank tried. Null where none was made. */
export function rankSearch(
  report: Searched,
  palette: Palette,
  index: number,
): ChartConfiguration<"line", Point[]> | null {
  const layer = report.layers[index];
  const { samples, original } = report.accuracy;
  if (!layer.search || !samples || original === null) return null;
  const full = Math.max(layer.rows, layer.columns);
  const needed = neededAccuracy(report, layer);
  const S = trials(layer.search.S, samples, needed.S);
  const T = trials(layer.search.T, samples, needed.T);
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
      ? [level("needed", needed.S, palette.muted, [4, 4])]
      : [level("needed for k_S", needed.S, palette.input, [4, 4]), level("for k_T", needed.T, palette.output, [4, 4])];
  return {
    type: "line",
    data: {
      datasets: [
        tried("k_S tried", S, palette.input, "circle", palette),
        tried("then k_T", T, palette.output, "triangle", palette),
        ...levels,
        level("original", original, palette.muted, []),
      ],
    },
    options: {
      ...stillOptions,
      parsing: false,
      interaction: { mode: "nearest", axis: "xy", intersect: false },
      scales: {
        x: rankAxis(palette, "rank k (logarithmic)", full),
        y: axis(palette, report.accuracy.metric === "agreement" ? "agreement" : "accuracy", {
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
            label: ({ dataset, raw }) => (isTrial(raw) ? ` ${trialText(dataset.label ?? "", raw)}` : ""),
          },
        },
      },
    },
  };
}

/** The accuracy that each search asks for, as the search itself counts it: in whole samples. */
function neededAccuracy({ accuracy, settings }: Searched, layer: LayerReport): { S: number; T: number } {
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
    .map(([k, correct, passed], i) => ({
      x: k,
      y: correct === null ? needed : correct / samples,
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

function trialText(label: string, { x, y, step, passed, stoppedEarly }: Trial): string {
  const accuracy = stoppedEarly ? "stopped early, below what was needed" : percent(y, 2);
  return `${label.startsWith("then") ? "k_T" : "k_S"} = ${x}: ${accuracy}, ${passed ? "enough" : "too few right"} (step ${step})`;
}

function isTrial(raw: unknown): raw is Trial {
  return typeof raw === "object" && raw !== null && "step" in raw;
}
