import type { ChartDataset, Plugin } from "chart.js";
import type { Point } from "./axes";
import { translucent } from "./palette";

/** Ranks from one to another, shaded over the height of the chart. */
export interface Band {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly colour: string;
}

const SHADE = 0.16;
/** A band never gets narrower than this, in CSS pixels. */
const NARROWEST = 2;

/** Shades behind the curves. */
export function shadedBands(bands: readonly Band[]): Plugin<"line"> {
  return {
    id: "bands",
    beforeDatasetsDraw({ ctx, chartArea: { top, height }, scales }) {
      ctx.save();
      for (const { from, to, colour } of bands) {
        const left = scales["x"].getPixelForValue(from);
        ctx.fillStyle = translucent(colour, SHADE);
        ctx.fillRect(left, top, Math.max(scales["x"].getPixelForValue(to) - left, NARROWEST), height);
      }
      ctx.restore();
    },
  };
}

/** The entry of a band in the legend: a data set without data. */
export function bandEntry({ label, colour }: Band): ChartDataset<"line", Point[]> {
  return {
    label,
    data: [],
    borderColor: "transparent",
    backgroundColor: translucent(colour, 2 * SHADE),
    pointStyle: "rect",
  };
}
