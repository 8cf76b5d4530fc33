import {
  CategoryScale,
  Chart,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
  type ChartConfiguration,
} from "chart.js";
import type { Palette } from "./charts";
import type { Point } from "./charts/axes";
import { showLegend } from "./legend";

// Only what the charts use: the rest of chart.js stays out of the bundles.
Chart.register(CategoryScale, Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Tooltip); // prettier-ignore

/** Where a chart is drawn, and where its legend is listed. */
export interface Slot {
  readonly canvas: HTMLCanvasElement;
  readonly legend: HTMLElement;
}

/** Draws in a palette; null where there is nothing to draw. */
export type ChartMaker = (
  palette: Palette,
) => ChartConfiguration<"line", Point[]> | ChartConfiguration<"line", (number | null)[]> | null;

/** Size of a chart on paper, in CSS pixels; the style sheet scales it to the column it is in. */
const PRINTED = { wide: [690, 270], narrow: [345, 250], resolution: 3 } as const;

interface Drawn {
  readonly chart: Chart;
  readonly make: ChartMaker;
  readonly label: string;
}

/** The charts of a page, drawn anew when the colours or the medium change. */
export class ChartBoard {
  readonly #drawn = new Map<Slot, Drawn>();
  #printing = false;

  constructor(private palette: Palette) {}

  /** Draws, lists the legend, and says whether there was something to draw. */
  show(slot: Slot, make: ChartMaker, label: string): boolean {
    this.clear(slot);
    const made = make(this.palette) as ChartConfiguration | null;
    if (!made) return false;
    slot.canvas.setAttribute("aria-label", label);
    showLegend(slot.legend, made.data.datasets);
    const medium = this.#printing ? { responsive: false, devicePixelRatio: PRINTED.resolution } : {};
    const chart = new Chart(slot.canvas, { ...made, options: { ...made.options, ...medium } });
    if (this.#printing) chart.resize(...PRINTED[slot.canvas.closest(".wide") ? "wide" : "narrow"]);
    this.#drawn.set(slot, { chart, make, label });
    return true;
  }

  clear(slot: Slot): void {
    this.#drawn.get(slot)?.chart.destroy();
    this.#drawn.delete(slot);
  }

  repaint(palette: Palette, printing = false): void {
    this.palette = palette;
    this.#printing = printing;
    for (const [slot, { make, label }] of [...this.#drawn]) this.show(slot, make, label);
  }

  /** Tells the place on the x axis that was clicked. */
  onClick(slot: Slot, action: (index: number) => void): void {
    slot.canvas.addEventListener("click", (event) => {
      const [hit] =
        this.#drawn.get(slot)?.chart.getElementsAtEventForMode(event, "index", { intersect: false }, false) ?? [];
      if (hit) action(hit.index);
    });
  }
}
