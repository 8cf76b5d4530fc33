import { layerFacts } from "../src/text/layer";
import { REPORT_WORDS } from "../src/text/reportWords";
import { ChartBoard, type Slot } from "./chartBoard";
import { darkPalette, lightPalette, rankSearch, snapshot, spectra, type DrawnReport } from "./charts";
import { showFacts } from "./facts";
import { makeSortable } from "./sortableTable";

const byId = (id: string): HTMLElement | null => document.getElementById(id);

function slot(id: string): Slot {
  return { canvas: byId(id) as HTMLCanvasElement, legend: byId(`${id}-legend`)! };
}

function start(report: DrawnReport): void {
  for (const part of document.querySelectorAll<HTMLElement>("[data-script]")) part.hidden = false;
  if (report.layers.length === 0) return;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const charts = new ChartBoard(dark.matches ? darkPalette : lightPalette);
  const overview = slot("snapshot-chart");
  charts.show(overview, (palette) => snapshot(report, palette), snapshotLabel(report));
  const choose = layerChooser(report, charts);
  dark.addEventListener("change", () => charts.repaint(dark.matches ? darkPalette : lightPalette));
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
    charts.repaint(lightPalette, true);
  });
  addEventListener("afterprint", () => charts.repaint(dark.matches ? darkPalette : lightPalette));
  charts.onClick(overview, (index) => choose(index, true));
}

/** Lets a layer be chosen by the list, the two buttons, or its row in the table. */
function layerChooser(report: DrawnReport, charts: ChartBoard): (index: number, scroll: boolean) => void {
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
  const [spectraSlot, searchSlot] = [slot("spectra-chart"), slot("search-chart")];
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
    charts.show(spectraSlot, (palette) => spectra(report, palette, index), `Energy spectra of ${name}`);
    const search = byId("search-figure")!;
    search.hidden = false;
    const drawn = charts.show(searchSlot, (palette) => rankSearch(report, palette, index), `Rank search of ${name}`);
    search.hidden = !drawn;
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
function leastUsed({ layers }: DrawnReport): number {
  const shares = layers.map(({ utilization, weightRank, rows, columns }) => utilization ?? weightRank / Math.min(rows, columns));
  return shares.indexOf(Math.min(...shares));
} // prettier-ignore

function snapshotLabel({ layers }: DrawnReport): string {
  const measured = layers.some(({ utilizedRank }) => utilizedRank !== null);
  return `Maximum rank, weight rank${measured ? " and utilized rank" : ""} of each layer; the table below has the same numbers`;
}

start(JSON.parse(byId("report")!.textContent ?? "") as DrawnReport);
