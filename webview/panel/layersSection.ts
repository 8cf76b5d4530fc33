import { counted, fill } from "../../src/text/template";
import { whenChanged, type Context, type View } from "./context";
import { element, freshId } from "./dom";
import { LayerTable } from "./layerTable";
import type { RowFilter, ShownLayers } from "./rows";
import { debounced } from "./timing";

/** Milliseconds that the table waits for more typing, and for more scrolling. */
const TYPING = 120;
const SCROLLING = 200;

export interface LayersSection extends View {
  readonly table: LayerTable;
}

/** The table of layers with its filter. */
export function layersSection(context: Context, onOpen: (key: string, how: "key" | "pointer") => void): LayersSection {
  const { strings, memory } = context;
  const { now: left } = memory;
  const title = element("h2", { id: freshId() }, strings.layers);
  const table = new LayerTable(context, onOpen, title.id);
  const filter = element("input", { type: "search", class: "filter", placeholder: strings.filter, "aria-label": strings.filter, value: left.filter, spellcheck: "false", "data-testid": "filter" }); // prettier-ignore
  const only = element("input", { type: "checkbox", id: freshId(), checked: left.decomposedOnly, "data-testid": "decomposed-only" }); // prettier-ignore
  const onlyLabel = element("label", { for: only.id, class: "check" }, only, strings.decomposedOnly);
  const count = element("p", { class: "count", role: "status", "data-testid": "row-count" });
  const empty = element("p", { class: "empty", hidden: true, "data-testid": "no-match" }, strings.noMatch);
  const scroll = element("div", { class: "scroll tall", "data-testid": "table-scroll" }, table.table);
  const toolbar = element("div", { class: "toolbar" }, title, filter, onlyLabel, count);
  const section = element("section", { "aria-labelledby": title.id, hidden: true, "data-testid": "layers" }, toolbar, scroll, empty); // prettier-ignore

  let layers: ShownLayers = { mode: "inspected", rows: [] };
  // What no layer can have yet filters nothing.
  const wanted = (): RowFilter => ({ text: filter.value, decomposedOnly: only.checked && layers.mode === "measured" });
  const tell = (shown: number): void => {
    const total = layers.rows.length;
    const all = counted(total, strings.rowsAllOne, strings.rowsAll);
    const told = shown === total ? all : fill(strings.rowsShown, shown, total);
    if (count.textContent !== told) count.textContent = told;
    empty.hidden = shown > 0;
    scroll.hidden = shown === 0;
  };
  const applyFilter = (): void => {
    memory.remember({ filter: filter.value, decomposedOnly: only.checked });
    tell(table.filter(wanted()));
  };
  filter.addEventListener("input", debounced(TYPING, applyFilter));
  only.addEventListener("change", applyFilter);
  const keepPlace = debounced(SCROLLING, () => memory.remember({ tableScroll: scroll.scrollTop }));
  scroll.addEventListener("scroll", keepPlace, { passive: true });

  const show = whenChanged((now: ShownLayers) => {
    const first = layers.rows.length === 0;
    layers = now;
    section.hidden = now.rows.length === 0;
    onlyLabel.hidden = now.mode !== "measured";
    tell(table.show(now, wanted()));
    if (first && now.rows.length > 0) scroll.scrollTop = left.tableScroll;
  });
  return { element: section, table, show: (_, now) => show(now) };
}
