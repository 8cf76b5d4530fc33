import { layerFacts, sizeText } from "../../src/text/layer";
import { shortName } from "../../src/text/names";
import { thousands } from "../../src/text/numbers";
import { fill } from "../../src/text/template";
import type { PanelStrings } from "../../src/editor/panelProtocol";
import type { ChartMaker } from "../chartBoard";
import { dataEnergy, inputSubspace, rankSearch, weightEnergy, type DrawnReport } from "../charts";
import { showFacts } from "../facts";
import { chartFigure } from "./chartFigure";
import { whenChanged, type Context, type View } from "./context";
import { element, freshId } from "./dom";
import type { LayerRow } from "./rows";
import { button, nameText } from "./shapes";
import { shownReport, type PanelState } from "./state";

export interface LayerView extends View {
  /** Shows this layer, or none; `focus` puts the keyboard there. */
  open(key: string | null, focus: boolean): void;
}

/** A layer that begins below this share of the window is out of sight. */
const LOWEST_TOP = 0.5;

/** Before there is a report there is no accuracy to draw a search from. */
const UNKNOWN_ACCURACY: Pick<DrawnReport, "accuracy" | "settings"> = {
  accuracy: { metric: null, samples: null, original: null, projected: null, decomposed: null },
  settings: { tolerance: 0, baseline: null },
};

/** One layer: its facts, the energy of W and W′, of input and output, what keeping k_S directions does, and its search. */
export function layerView(context: Context, actions: { onChoose: (key: string) => void; onClose: (key: string) => void }): LayerView {
  const { strings } = context;
  const place = element("p", { class: "eyebrow", "data-testid": "layer-place" });
  const name = element("h2", { id: freshId(), class: "contained tall", tabindex: -1, "data-testid": "layer-name" });
  const step = (by: number) => () => actions.onChoose(rows[index() + by].key);
  const previous = button(strings.previousLayer, { testId: "layer-previous", look: "icon", icon: "previous", onClick: step(-1) }); // prettier-ignore
  const next = button(strings.nextLayer, { testId: "layer-next", look: "icon", icon: "next", onClick: step(1) });
  const close = button(strings.close, { testId: "layer-close", look: "icon", icon: "close", onClick: () => actions.onClose(opened!) }); // prettier-ignore
  for (const one of [previous, next, close]) context.tips.attach(one, () => [one.getAttribute("aria-label")!]);
  const facts = element("dl", { class: "setup", id: freshId(), "data-testid": "layer-facts" });
  const figures = [
    { id: "weights", title: strings.weightEnergy, about: strings.weightEnergyAbout, chart: weightEnergy },
    { id: "input", title: strings.inputSubspace, about: strings.inputSubspaceAbout, chart: inputSubspace },
    { id: "energy", title: strings.dataEnergy, about: strings.dataEnergyAbout, chart: dataEnergy },
    { id: "search", title: strings.rankSearch, about: strings.rankSearchAbout, chart: rankSearch },
  ].map(({ chart, ...about }) => ({ ...about, chart, figure: chartFigure(context, { ...about, wide: false }) }));
  const head = element("div", { class: "layer-head" }, element("div", {}, place, name), element("div", { class: "layer-actions" }, previous, next, close)); // prettier-ignore
  const section = element(
    "section",
    { class: "layer", "aria-labelledby": name.id, hidden: true, "data-testid": "layer-view" },
    head,
    facts,
    element("div", { class: "pair" }, ...figures.map(({ figure }) => figure.element)),
  );
  section.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && opened !== null) actions.onClose(opened);
  });

  let opened: string | null = null;
  let rows: readonly LayerRow[] = [];
  let state: PanelState | null = null;
  const index = (): number => rows.findIndex(({ key }) => key === opened);

  const draw = whenChanged((row: LayerRow | null, count: number, report: DrawnReport | null) => {
    section.hidden = row === null;
    if (row === null) return;
    place.textContent = fill(strings.layerView, row.position + 1, count);
    name.replaceChildren(nameText(row.name));
    previous.disabled = row.position === 0;
    next.disabled = row.position === count - 1;
    showFacts(facts, row.measured ? layerFacts(row.measured, strings) : inspectedFacts(row, strings));
    const drawn: DrawnReport | null = row.measured && { ...(report ?? UNKNOWN_ACCURACY), layers: [row.measured] };
    for (const { title, about, chart, figure } of figures) {
      if (drawn === null) {
        figure.element.hidden = true;
        continue;
      }
      const make: ChartMaker = (palette) => chart(drawn, palette, 0, strings);
      figure.show(make, fill(strings.chartOf, title, shortName(row.name), about), row.name);
    }
  });
  const redraw = (): void => {
    if (state === null) return;
    const row = rows[index()];
    draw(row ?? null, rows.length, shownReport(state)?.report ?? null);
  };
  return {
    element: section,
    show: (now, layers) => {
      state = now;
      rows = layers.rows;
      redraw();
    },
    open: (key, focus) => {
      opened = key;
      redraw();
      if (key === null || section.hidden) return;
      const { top } = section.getBoundingClientRect();
      if (top < 0 || top > LOWEST_TOP * innerHeight) section.scrollIntoView({ block: "start" });
      if (focus) name.focus({ preventScroll: true });
    },
  };
} // prettier-ignore

/** What the file alone says of a layer. */
function inspectedFacts(row: LayerRow, strings: PanelStrings): [string, string][] {
  const { parameters, macs, nodes } = row;
  return [
    [strings.weight, sizeText(row)],
    [strings.parameters, thousands(parameters.before)],
    [strings.macs, macs.before === null ? strings.unknown : thousands(macs.before)],
    ...(nodes.length > 1 ? [[strings.sharedBy, fill(strings.nodes, nodes.length)] as [string, string]] : []),
  ];
}
