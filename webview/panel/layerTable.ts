import { layerSummary, sizeText } from "../../src/text/layer";
import { columnsOf, type Column } from "./columns";
import type { Context } from "./context";
import { element } from "./dom";
import { matches, sortRows, type LayerRow, type RowFilter, type ShownLayers } from "./rows";
import { movedIndex } from "./rovingFocus";
import { TableHead } from "./tableHead";

/** A row on the page. */
interface Line {
  row: LayerRow;
  readonly element: HTMLTableRowElement;
}

/** Of more rows, only those in sight are laid out. */
const MOST_LAID_OUT = 150;

/**
 * The table of layers: one stop for the Tab key, arrows from row to row, Enter opens a layer. Rows whose layer did not
 * change stay as they are, so that a run can fill a long table in. Every row is a grid of its own: what is out of sight
 * costs nothing then, and a thousand rows are sorted at once. The roles say what a table's own layout would have said.
 */
export class LayerTable {
  readonly table: HTMLTableElement;
  readonly #head: TableHead;
  readonly #body = element("tbody", { role: "rowgroup" });
  readonly #lines = new Map<string, Line>();
  #columns: readonly Column[] = [];
  #mode: ShownLayers["mode"] | null = null;
  /** Keys of the rows that the filter leaves, in the order in which they stand. */
  #order: string[] = [];
  #current: string | null = null;
  #open: string | null = null;

  constructor(
    private readonly context: Context,
    private readonly onOpen: (key: string, how: "key" | "pointer") => void,
    labelledBy: string,
  ) {
    this.#head = new TableHead(context, {
      onSort: () => this.#arrange(),
      onLeave: () => this.#makeCurrent(this.#current, true),
    });
    this.table = element("table", { id: "layer-table", role: "grid", "aria-labelledby": labelledBy, "data-testid": "layer-table" }, element("thead", { role: "rowgroup" }, this.#head.row), this.#body); // prettier-ignore
    this.#body.addEventListener("keydown", (event) => this.#onKey(event));
    this.#body.addEventListener("click", ({ target }) => {
      const key = (target as Element).closest("tr")?.dataset["key"];
      // Selecting text is no click.
      if (key === undefined || getSelection()?.toString()) return;
      this.#makeCurrent(key, true);
      this.onOpen(key, "pointer");
    });
    this.#body.addEventListener("focusin", ({ target }) => {
      const key = (target as Element).closest("tr")?.dataset["key"];
      if (key !== undefined) this.#makeCurrent(key, false);
    });
  }

  /** Shows these layers, as far as the filter lets them. Gives how many. */
  show({ mode, rows }: ShownLayers, filter: RowFilter): number {
    const focused = this.#body.contains(document.activeElement);
    if (mode !== this.#mode) this.#setMode(mode);
    const gone = new Set(this.#lines.keys());
    for (const row of rows) {
      gone.delete(row.key);
      this.#update(row);
    }
    for (const key of gone) {
      this.#lines.get(key)!.element.remove();
      this.#lines.delete(key);
    }
    this.table.classList.toggle("long", rows.length > MOST_LAID_OUT);
    const left = this.filter(filter);
    if (focused && !this.#body.contains(document.activeElement)) this.#makeCurrent(this.#current, true);
    return left;
  }

  /** Gives how many rows the filter leaves. */
  filter(filter: RowFilter): number {
    for (const { row, element: line } of this.#lines.values()) {
      const shown = matches(row, filter);
      if (line.hidden === shown) line.hidden = !shown;
    }
    this.#arrange();
    return this.#order.length;
  }

  setOpen(key: string | null): void {
    for (const [name, selected] of [[this.#open, false], [key, true]] as const) {
      const line = name === null ? undefined : this.#lines.get(name)?.element;
      line?.setAttribute("aria-selected", String(selected));
      line?.toggleAttribute("data-chosen", selected);
    } // prettier-ignore
    this.#open = key;
  }

  focus(key: string): void {
    if (this.#order.includes(key)) this.#makeCurrent(key, true);
  }

  /** Scrolls the table, but not the page, to a row. */
  reveal(key: string): void {
    const [line, box] = [this.#lines.get(key)?.element, this.table.parentElement];
    if (!line || !box) return;
    const [row, head, view] = [line, this.#head.row, box].map((one) => one.getBoundingClientRect());
    const above = view.top + head.height - row.top;
    const below = row.bottom - view.bottom;
    box.scrollTop += above > 0 ? -above : Math.max(below, 0);
  }

  #setMode(mode: ShownLayers["mode"]): void {
    this.#mode = mode;
    this.#columns = columnsOf(mode, this.context.strings);
    this.#lines.clear();
    this.#body.replaceChildren();
    this.#head.show(this.#columns);
    const tracks = this.#columns.map(({ width, grows }) => (grows ? `minmax(${width}rem, ${grows}fr)` : `${width}rem`));
    this.table.style.setProperty("--columns", tracks.join(" "));
    // Where there is no room for more, the table scrolls.
    this.table.style.minWidth = `${this.#columns.reduce((sum, { width }) => sum + width, 0)}rem`;
  }

  #update(row: LayerRow): void {
    const known = this.#lines.get(row.key);
    if (known && sameRow(known.row, row)) return;
    const line = known?.element ?? element("tr", { role: "row", "data-key": row.key, tabindex: -1, "aria-selected": "false", "data-testid": "layer-row" }); // prettier-ignore
    line.toggleAttribute("data-measured", row.measured !== null);
    line.replaceChildren(...this.#columns.map((column) => cellOf(column, row)));
    if (known) {
      known.row = row;
      return;
    }
    const added: Line = { row, element: line };
    this.#lines.set(row.key, added);
    this.context.tips.attach(line, () => layerSummary(added.row, this.context.strings));
  }

  /** Puts the rows in their order, where they do not stand in it already. */
  #arrange(): void {
    const { column, direction } = this.#head.sort;
    const rows = [...this.#lines.values()].map(({ row }) => row);
    const sorted = sortRows(rows, column.sortBy, direction);
    const lines = sorted.map(({ key }) => this.#lines.get(key)!.element);
    const placed = this.#body.rows;
    if (lines.length !== placed.length || lines.some((line, i) => placed[i] !== line)) {
      const focused = document.activeElement;
      this.#body.replaceChildren(...lines);
      if (focused instanceof HTMLElement && this.#body.contains(focused)) focused.focus({ preventScroll: true });
    }
    this.#order = sorted.filter((_, i) => !lines[i].hidden).map(({ key }) => key);
    const stays = this.#current !== null && this.#order.includes(this.#current);
    this.#makeCurrent(stays ? this.#current : (this.#order[0] ?? null), false);
    this.setOpen(this.#open);
  }

  /** The one row that the Tab key reaches. */
  #makeCurrent(key: string | null, focus: boolean): void {
    if (key !== this.#current) {
      if (this.#current !== null) this.#lines.get(this.#current)?.element.setAttribute("tabindex", "-1");
      this.#current = key;
    }
    const line = key === null ? undefined : this.#lines.get(key)?.element;
    line?.setAttribute("tabindex", "0");
    if (focus) line?.focus();
  }

  #onKey(event: KeyboardEvent): void {
    const at = this.#current === null ? -1 : this.#order.indexOf(this.#current);
    if (at === -1) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.onOpen(this.#order[at], "key");
      return;
    }
    if (event.key === "ArrowUp" && at === 0) {
      event.preventDefault();
      this.#head.focus();
      return;
    }
    const next = movedIndex(event, at, this.#order.length, "vertical");
    if (next === null) return;
    event.preventDefault();
    this.#makeCurrent(this.#order[next], true);
  }
}

function sameRow(a: LayerRow, b: LayerRow): boolean {
  if (a.measured !== b.measured || a.position !== b.position) return false;
  return a.measured !== null || (a.name === b.name && sizeText(a) === sizeText(b) && a.macs.before === b.macs.before);
}

function cellOf({ kind, cell }: Column, row: LayerRow): HTMLElement {
  const content = cell(row);
  return kind === "name"
    ? element(
        "th",
        { role: "rowheader", scope: "row", class: "name" },
        element("div", { class: "contained" }, ...content),
      )
    : element("td", { role: "gridcell", class: kind }, ...content);
}
