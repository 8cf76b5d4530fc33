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
import type { ModelReport, ReportSettings } from "../src/report";
import { layerFacts } from "../src/text/layer";
import { REPORT_WORDS } from "../src/text/reportWords";
import { darkPalette, lightPalette, rankSearch, snapshot, spectra, type Palette } from "./charts";
import { showFacts } from "./facts";
import { showLegend } from "./legend";
import { makeSortable } from "./sortableTable";

/** What the page carries of the report. */
interface PageReport extends Pick<ModelReport, "layers" | "accuracy"> {
  readonly settings: Pick<ReportSettings, "tolerance" | "baseline">;
}

// Only what the charts use: the rest of chart.js stays out of the page.
Chart.register(CategoryScale, Filler, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Tooltip); // prettier-ignore

/** Size of a chart on paper, in CSS pixels; the style sheet scales it to the column it is in. */
const PRINTED = { wide: [690, 270], narrow: [345, 250], resolution: 3 } as const;

const byId = (id: string): HTMLElement | null => document.getElementById(id);

function start(report: PageReport): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-script]")) part.hidden = false;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const charts = new Charts(dark.matches ? darkPalette : lightPalette);
  charts.show("snapshot-chart", (palette) => snapshot(report, palette), snapshotLabel(report));
  const choose = layerChooser(report, charts);
  dark.addEventListener("change", () => charts.repaint(dark.matches ? darkPalette : lightPalette));
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    charts.repaint(lightPalette, true);
  });
  addEventListener("afterprint", () => charts.repaint(dark.matches ? darkPalette : lightPalette));
  charts.onClick("snapshot-chart", (index) => choose(index, true));
}

interface Drawn {
  readonly chart: Chart;
  readonly config: (palette: Palette) => ChartConfiguration | null;
}

/** The charts of the page by the canvas they are on, drawn anew when the colours or the medium change. */
class Charts {
  readonly #drawn = new Map<string, Drawn>();
  #printing = false;

  constructor(private palette: Palette) {}

  /** Draws on a canvas and lists the legend; where there is nothing to draw, nothing is drawn. */
  show(id: string, config: (palette: Palette) => unknown, label: string): void {
    const canvas = byId(id) as HTMLCanvasElement;
    this.#drawn.get(id)?.chart.destroy();
    this.#drawn.delete(id);
    const make = config as Drawn["config"];
    const made = make(this.palette);
    if (!made) return;
    canvas.setAttribute("aria-label", label);
    showLegend(byId(`${id}-legend`)!, made.data.datasets);
    const medium = this.#printing ? { responsive: false, devicePixelRatio: PRINTED.resolution } : {};
    const chart = new Chart(canvas, { ...made, options: { ...made.options, ...medium } });
    if (this.#printing) chart.resize(...PRINTED[canvas.closest(".wide") ? "wide" : "narrow"]);
    this.#drawn.set(id, { chart, config: make });
  }

  repaint(palette: Palette, printing = false): void {
    this.palette = palette;
    this.#printing = printing;
    for (const [id, { config }] of [...this.#drawn]) this.show(id, config, byId(id)!.getAttribute("aria-label") ?? "");
  }

  onClick(id: string, action: (index: number) => void): void {
    byId(id)!.addEventListener("click", (event) => {
      const [hit] = this.#drawn.get(id)!.chart.getElementsAtEventForMode(event, "index", { intersect: false }, false);
      if (hit) action(hit.index);
    });
  }
}

/** Lets a layer be chosen by the list, the two buttons, or its row in the table. */
function layerChooser(report: PageReport, charts: Charts): (index: number, scroll: boolean) => void {
  const { layers } = report;
  const [section, list, table] = [
    byId("layer"),
    byId("layer-choice") as HTMLSelectElement | null,
    byId("layer-table") as HTMLTableElement | null,
  ];
  if (!section || !list || !table || layers.length === 0) return () => undefined;
  const rows = [...table.tBodies[0].rows];
  const previous = (byId("layer-previous") as HTMLButtonElement | null)!;
  const next = (byId("layer-next") as HTMLButtonElement | null)!;
  let chosen = 0;
  const choose = (index: number, scroll: boolean): void => {
    chosen = index;
    const { name } = layers[index];
    list.value = String(index);
    previous.disabled = index === 0;
    next.disabled = index === layers.length - 1;
    for (const row of rows) row.toggleAttribute("data-chosen", Number(row.dataset["layer"]) === index);
    byId("layer-name")!.textContent = name;
    showFacts(byId("layer-facts")!, layerFacts(layers[index], REPORT_WORDS));
    const searched = rankSearch(report, lightPalette, index) !== null;
    byId("search-figure")!.hidden = !searched;
    charts.show("spectra-chart", (palette) => spectra(report, palette, index), `Energy spectra of ${name}`);
    charts.show("search-chart", (palette) => rankSearch(report, palette, index), `Rank search of ${name}`);
    if (scroll) section.scrollIntoView({ block: "start" });
  };
  list.addEventListener("change", () => choose(Number(list.value), false));
  previous.addEventListener("click", () => choose(chosen - 1, false));
  next.addEventListener("click", () => choose(chosen + 1, false));
  for (const row of rows) {
    const cell = row.querySelector("th")!;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...cell.childNodes);
    cell.append(button);
    row.addEventListener("click", () => choose(Number(row.dataset["layer"]), true));
  }
  makeSortable(table);
  choose(leastUsed(report), false);
  return choose;
}

/** The layer to begin with: the one that wastes most. */
function leastUsed({ layers }: PageReport): number {
  const shares = layers.map(({ utilization, weightRank, rows, columns }) => utilization ?? weightRank / Math.min(rows, columns));
  return shares.indexOf(Math.min(...shares));
} // prettier-ignore

function snapshotLabel({ layers }: PageReport): string {
  const measured = layers.some(({ utilizedRank }) => utilizedRank !== null);
  return `Maximum rank, weight rank${measured ? " and utilized rank" : ""} of ${layers.length} layers; the table below has the same numbers`;
}

start(JSON.parse(byId("report")!.textContent ?? "") as PageReport);
