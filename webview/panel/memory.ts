import type { Host } from "./host";
import type { Direction } from "./rows";

/** How the panel was left: kept by the editor while the panel is hidden, and over a restart. */
export interface Memory {
  readonly sort: { readonly column: string; readonly direction: Direction } | null;
  readonly filter: string;
  readonly decomposedOnly: boolean;
  /** Key of the layer that is open. */
  readonly open: string | null;
  /** CSS pixels from the top of the page, and of the table. */
  readonly scroll: number;
  readonly tableScroll: number;
}

const FRESH: Memory = { sort: null, filter: "", decomposedOnly: false, open: null, scroll: 0, tableScroll: 0 };

/** What was kept, as far as it is what a panel keeps: an older version may have kept something else. */
export function parseMemory(kept: unknown): Memory {
  if (typeof kept !== "object" || kept === null) return FRESH;
  const { sort, filter, decomposedOnly, open, scroll, tableScroll } = kept as Record<string, unknown>;
  return {
    sort: parseSort(sort),
    filter: typeof filter === "string" ? filter : FRESH.filter,
    decomposedOnly: decomposedOnly === true,
    open: typeof open === "string" ? open : null,
    scroll: parsePixels(scroll),
    tableScroll: parsePixels(tableScroll),
  };
}

function parseSort(sort: unknown): Memory["sort"] {
  if (typeof sort !== "object" || sort === null) return null;
  const { column, direction } = sort as Record<string, unknown>;
  const known = direction === "ascending" || direction === "descending";
  return typeof column === "string" && known ? { column, direction } : null;
}

function parsePixels(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

/** Remembers by way of the host. */
export class PanelMemory {
  #now: Memory;

  constructor(private readonly host: Host) {
    this.#now = parseMemory(host.kept);
  }

  get now(): Memory {
    return this.#now;
  }

  remember(change: Partial<Memory>): void {
    this.#now = { ...this.#now, ...change };
    this.host.keep(this.#now);
  }
}
