import { Chart, Legend, Title, type ChartConfiguration, type Plugin } from "chart.js";
import type { ChartMaker } from "../chartBoard";
import type { Palette } from "../charts";

Chart.register(Legend, Title);

/** CSS pixels; twice as many in the file. */
const SIZE = { wide: [1200, 560], narrow: [800, 520] } as const;
const RESOLUTION = 2;

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
        legend: { display: true, align: "start", labels: { usePointStyle: true, color: palette.text } },
      },
    },
  });
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  chart.destroy();
  return blob && new Uint8Array(await blob.arrayBuffer());
} // prettier-ignore

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
