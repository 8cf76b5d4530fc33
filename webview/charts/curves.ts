import type { ChartConfiguration, ChartDataset } from "chart.js";
import { layerSummary } from "../../src/text/layer";
import { percent } from "../../src/text/numbers";
import type { ReportWords } from "../../src/text/reportWords";
import { axis, rankAxis, shareLabel, stillOptions, tooltip, type Point } from "./axes";
import type { DrawnLayer } from "./drawn";
import type { Palette } from "./palette";

export type Curve = ChartDataset<"line", Point[]>;

/** Shares of a layer against the rank, on the logarithmic axis that all charts of one layer have. */
export function curvesOfRank(
  layer: DrawnLayer,
  palette: Palette,
  words: ReportWords,
  curves: readonly (Curve | null)[],
  own: { x?: string; y?: string; full?: number } = {},
): ChartConfiguration<"line", Point[]> {
  return {
    type: "line",
    data: { datasets: curves.filter((one) => one !== null) },
    options: {
      ...stillOptions,
      parsing: false,
      interaction: { mode: "nearest", axis: "x", intersect: false },
      scales: {
        x: rankAxis(palette, own.x ?? words.rankAxis, own.full ?? Math.max(layer.rows, layer.columns)),
        y: axis(palette, own.y ?? words.energyAxis, { min: 0, suggestedMax: 1, ticks: { callback: shareLabel } }),
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          ...tooltip(palette),
          filter: ({ dataset }) => !isMarker(dataset.label),
          callbacks: {
            title: ([item]) => (item ? `k = ${item.parsed.x}` : ""),
            label: ({ dataset, parsed }) => ` ${dataset.label}: ${percent(parsed.y ?? 0, 2)}`,
            footer: () => layerSummary(layer, words),
          },
        },
      },
    },
  };
}

export function curve(label: string, data: Point[], colour: string, dash: number[] = []): Curve {
  return {
    label,
    data,
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 2,
    borderDash: dash,
    // A curve of one direction is a point.
    pointRadius: data.length === 1 ? 3 : 0,
    pointHoverRadius: 4,
    pointStyle: "line",
  };
}

/** An upright line at a rank; null where the rank was not found. */
export function marker(
  label: string,
  k: number | null,
  colour: string,
  pointStyle: "circle" | "triangle" | "rect",
  symbolAt: "top" | "bottom" = "top",
): Curve | null {
  if (k === null) return null;
  return {
    label: `${label} = ${k}`,
    data: [
      { x: k, y: 0 },
      { x: k, y: 1 },
    ],
    borderColor: colour,
    backgroundColor: colour,
    borderWidth: 1.25,
    pointRadius: symbolAt === "top" ? [0, 5] : [5, 0],
    pointHoverRadius: 0,
    pointStyle,
    clip: false,
  };
}

const isMarker = (label: string | undefined): boolean => label?.includes(" = ") ?? false;
