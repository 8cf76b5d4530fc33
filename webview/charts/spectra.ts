import type { ChartConfiguration, ChartDataset } from "chart.js";
import type { LayerReport, ModelReport } from "../../src/report";
import { axis, percent, rankAxis, shareLabel, stillOptions, tooltip, type Point } from "./axes";
import { cumulativeEnergy } from "./energy";
import type { Palette } from "./palette";

type Curve = ChartDataset<"line", Point[]>;

/** Cumulative energy of X, Y, W and W′ of a layer against the rank, with k_S and k_T where they were found. */
export function spectra(
  { layers }: Pick<ModelReport, "layers">,
  palette: Palette,
  index: number,
): ChartConfiguration<"line", Point[]> {
  const layer = layers[index];
  const { input, output, weight, projected } = layer.spectra;
  const curves = [
    curve("input X", input, palette.input),
    curve("output Y", output, palette.output, [9, 3]),
    // Where there is nothing to set it off from, the curve of the weights is the subject.
    input || output ? curve("weights W", weight, palette.maximum, [2, 3]) : curve("weights W", weight, palette.weight),
    curve("projected W′", projected, palette.projected, [7, 3, 2, 3]),
    ...markers(layer, palette),
  ];
  return {
    type: "line",
    data: { datasets: curves.filter((one) => one !== null) },
    options: {
      ...stillOptions,
      parsing: false,
      interaction: { mode: "nearest", axis: "x", intersect: false },
      scales: {
        x: rankAxis(palette, "rank k (logarithmic)", Math.max(layer.rows, layer.columns)),
        y: axis(palette, "energy in the first k directions", {
          min: 0,
          max: 1,
          ticks: { callback: shareLabel },
        }),
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          ...tooltip(palette),
          filter: ({ dataset }) => !isMarker(dataset.label),
          callbacks: {
            title: ([item]) => (item ? `k = ${item.parsed.x}` : ""),
            label: ({ dataset, parsed }) => ` ${dataset.label}: ${percent(parsed.y ?? 0, 2)}`,
          },
        },
      },
    },
  };
}

function curve(label: string, spectrum: readonly number[] | null, colour: string, dash: number[] = []): Curve | null {
  if (spectrum === null) return null;
  const data = cumulativeEnergy(spectrum);
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

/** Upright lines at the ranks: on the input's curve k_S, on the output's k_T; without data, the weight rank. */
function markers({ kS, kT, weightRank }: LayerReport, palette: Palette): (Curve | null)[] {
  if (kS === null && kT === null) return [marker("weight rank", weightRank, palette.weight, "rect")];
  return [marker("k_S", kS, palette.input, "circle"), marker("k_T", kT, palette.output, "triangle")];
}

function marker(
  label: string,
  k: number | null,
  colour: string,
  pointStyle: "circle" | "triangle" | "rect",
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
    pointRadius: [0, 5],
    pointHoverRadius: 0,
    pointStyle,
    clip: false,
  };
}

const isMarker = (label: string | undefined): boolean => label?.includes(" = ") ?? false;
