import type { ChartConfiguration } from "chart.js";
import { largestRank, savingsText, shapeText, type SummarizedLayer } from "../../src/text/layer";
import { shortName } from "../../src/text/names";
import { percent } from "../../src/text/numbers";
import { REPORT_WORDS, type ReportWords } from "../../src/text/reportWords";
import { axis, stillOptions, tooltip } from "./axes";
import { translucent, type Palette } from "./palette";

type Values = (number | null)[];

/**
 * The utilization snapshot (paper, fig. 2): for each layer, in order, the largest rank that it could have, the rank of
 * its weights and the rank that the data uses.
 */
export function snapshot(
  { layers }: { readonly layers: readonly SummarizedLayer[] },
  palette: Palette,
  words: ReportWords = REPORT_WORDS,
): ChartConfiguration<"line", Values> {
  const maximum = layers.map(largestRank);
  const utilized = layers.map(({ utilizedRank }) => utilizedRank);
  const measured = utilized.some((rank) => rank !== null);
  // Dots would run into each other in a deep model.
  const radius = layers.length > MOST_DOTS ? 0 : 3;
  const common = { stepped: "middle", pointHoverRadius: 5, clip: 6 } as const;
  return {
    type: "line",
    data: {
      labels: layers.map((_, i) => String(i + 1)),
      datasets: [
        ...(measured
          ? [
              {
                ...common,
                label: words.utilizedRank,
                data: utilized,
                borderColor: palette.utilized,
                backgroundColor: translucent(palette.utilized, 0.14),
                pointBackgroundColor: palette.utilized,
                borderWidth: layers.length > MOST_STEPS ? 1 : 2.25,
                pointRadius: radius,
                fill: "origin",
                pointStyle: "circle" as const,
              },
            ]
          : []),
        {
          ...common,
          label: words.weightRank,
          data: layers.map(({ weightRank }) => weightRank),
          borderColor: palette.weight,
          backgroundColor: measured ? "transparent" : translucent(palette.weight, 0.12),
          pointBackgroundColor: palette.surface,
          borderWidth: 1.75,
          borderDash: [2, 3],
          pointRadius: 0,
          fill: measured ? false : "origin",
          pointStyle: "line",
        },
        {
          ...common,
          label: words.maximumRank,
          data: maximum,
          borderColor: translucent(palette.maximum, 0.55),
          backgroundColor: translucent(palette.maximum, 0.13),
          borderWidth: 1,
          pointRadius: 0,
          fill: "origin",
          pointStyle: "rect",
        },
      ],
    },
    options: {
      ...stillOptions,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: axis(palette, words.layerAxis, { offset: layers.length === 1, grid: { display: false } }),
        y: axis(palette, words.rank, { beginAtZero: true, ticks: { precision: 0 } }),
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          ...tooltip(palette),
          callbacks: {
            title: ([item]) => (item ? `${item.dataIndex + 1}  ${shortName(layers[item.dataIndex].name)}` : ""),
            label: ({ dataset, dataIndex, parsed }) => ` ${dataset.label}: ${shareText(parsed.y, layers[dataIndex])}`,
            footer: ([item]) =>
              item ? [shapeText(layers[item.dataIndex]), ...savingsText(layers[item.dataIndex], words)] : [],
          },
        },
      },
    },
  };
}

const MOST_DOTS = 80;
/** Steps of more layers are narrower than a bold line. */
const MOST_STEPS = 300;

function shareText(rank: number | null, layer: SummarizedLayer): string {
  if (rank === null) return "–";
  const largest = largestRank(layer);
  return rank === largest ? String(rank) : `${rank} (${percent(rank / largest, 0)})`;
}
