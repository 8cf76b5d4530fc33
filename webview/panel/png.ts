import {
  Chart,
  Legend,
  Title,
  type ChartConfiguration,
  type ChartDataset,
  type LegendItem,
  type Plugin,
} from "chart.js";
import type { ChartMaker } from "../chartBoard";
import { look } from "../legend";
import type { Palette } from "../charts";

Chart.register(Legend, Title);

/** CSS pixels; twice as many in the file. */
const SIZE = { wide: [1200, 560], narrow: [800, 520] } as const;
const RESOLUTION = 2;
const LABELS = { usePointStyle: true, pointStyleWidth: 16, boxHeight: 11, padding: 14 } as const;

/** A chart as a PNG file: on a solid background, with its title and legend, whatever size it has on the screen. */
export async function chartPng(make: ChartMaker, palette: Palette, title: string, shape: keyof typeof SIZE): Promise<Uint8Array | null> {
  const made = make(palette) as ChartConfiguration | null;
  if (!made) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = SIZE[shape];
  const chart = new Chart(canvas, {
    ...made,
    plugins: [background(palette), ...(made.plugins ?? [])],
    options: {
      ...made.options,
      responsive: false,
      devicePixelRatio: RESOLUTION,
      layout: { padding: 16 },
      plugins: {
        ...made.options?.plugins,
        title: { display: true, text: title, color: palette.text, font: { size: 16 }, align: "start" },
        legend: {
          display: true,
          align: "start",
          labels: { ...LABELS, color: palette.text, generateLabels: ({ data }) => data.datasets.map((one, i) => legendItem(one, i, palette)) },
        },
      },
    },
  });
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  chart.destroy();
  return blob && new Uint8Array(await blob.arrayBuffer());
} // prettier-ignore

/** chart.js itself loses the dashes of lines that have points. */
function legendItem(dataset: ChartDataset, datasetIndex: number, palette: Palette): LegendItem {
  const { stroke, fill, dash, width, symbol, line } = look(dataset);
  const hasSymbol = symbol === "circle" || symbol === "triangle" || symbol === "rectRot";
  return {
    text: dataset.label ?? "",
    fontColor: palette.text,
    datasetIndex,
    strokeStyle: stroke,
    fillStyle: hasSymbol ? stroke : fill,
    lineWidth: width,
    lineDash: [...dash],
    pointStyle: hasSymbol ? symbol : line ? "line" : "rect",
  };
}

function background(palette: Palette): Plugin {
  return {
    id: "background",
    beforeDraw({ ctx, width, height }) {
      ctx.save();
      ctx.fillStyle = palette.surface;
      ctx.fillRect(0, 0, width, height);
      ctx.restore();
    },
  };
}
