import { withSubscripts } from "../legend";
import type { Column } from "./columns";
import type { Context } from "./context";
import { element } from "./dom";
import type { Memory } from "./memory";
import { moveTo, movedIndex } from "./rovingFocus";
import type { Direction } from "./rows";

const BY_POSITION = { column: "position", direction: "ascending" } as const;

/** The headers of the table: buttons that sort, one stop for the Tab key, arrows from one to the next. */
export class TableHead {
  readonly row = element("tr", { role: "row" });
  #columns: readonly Column[] = [];
  /** What the reader chose; the table that is shown may not have that column yet. */
  #wanted: Memory["sort"];

  constructor(
    private readonly context: Context,
    private readonly actions: { readonly onSort: () => void; readonly onLeave: () => void },
  ) {
    this.#wanted = context.memory.now.sort;
    this.row.addEventListener("keydown", (event) => this.#onKey(event));
  }

  show(columns: readonly Column[]): void {
    this.#columns = columns;
    this.row.replaceChildren(...columns.map((column, i) => this.#cell(column, i)));
    this.#mark();
  }

  /** By which column, and which way, the rows stand. */
  get sort(): { readonly column: Column; readonly direction: Direction } {
    const { column, direction } = this.#known;
    return { column: this.#columns.find(({ id }) => id === column)!, direction };
  }

  focus(): void {
    this.row.querySelector<HTMLElement>("button[tabindex='0']")?.focus();
  }

  get #known(): NonNullable<Memory["sort"]> {
    const wanted = this.#wanted;
    return wanted && this.#columns.some(({ id }) => id === wanted.column) ? wanted : BY_POSITION;
  }

  #cell({ id, title, help, kind }: Column, index: number): HTMLElement {
    const attributes = { type: "button", tabindex: index === 0 ? 0 : -1, "data-testid": `sort-${id}` };
    const button = element("button", attributes, ...withSubscripts(title));
    button.addEventListener("click", () => this.#sortBy(id));
    const cell = element("th", { role: "columnheader", scope: "col", class: kind, "data-column": id }, button);
    this.context.tips.describe(button, help);
    return cell;
  }

  #sortBy(column: string): void {
    const { column: before, direction } = this.#known;
    this.#wanted = { column, direction: before === column && direction === "ascending" ? "descending" : "ascending" };
    this.context.memory.remember({ sort: this.#wanted });
    this.#mark();
    this.actions.onSort();
  }

  #mark(): void {
    const { column, direction } = this.#known;
    for (const cell of this.row.cells) {
      if (cell.dataset["column"] === column) cell.setAttribute("aria-sort", direction);
      else cell.removeAttribute("aria-sort");
    }
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      this.actions.onLeave();
      return;
    }
    const buttons = [...this.row.querySelectorAll("button")];
    const next = movedIndex(event, buttons.indexOf(event.target as HTMLButtonElement), buttons.length, "horizontal");
    if (next === null) return;
    event.preventDefault();
    moveTo(buttons, next);
  }
}
