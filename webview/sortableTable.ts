/**
 * Makes the headers of a table buttons that sort its rows by the cells' data-value: numbers by size, all else as text,
 * cells without a value last. A second press turns the order round.
 */
export function makeSortable(table: HTMLTableElement): void {
  const heads = [...table.tHead!.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction);
      const body = table.tBodies[0];
      body.append(...sorted([...body.rows], column, direction === "ascending" ? 1 : -1));
    });
  });
}

function sorted(rows: HTMLTableRowElement[], column: number, sign: 1 | -1): HTMLTableRowElement[] {
  const keyed = rows.map((row) => ({ row, value: valueOf(row.cells[column].dataset["value"]) }));
  return keyed.sort((a, b) => compareValues(a.value, b.value, sign)).map(({ row }) => row);
}

function valueOf(text: string | undefined): number | string | null {
  if (text === undefined) return null;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

/** One for all comparisons: making one for each takes longer than the sort. */
const byNumbersInText = new Intl.Collator("en", { numeric: true });

/** Order of two cells: numbers by size, all else as text; those without a value come last whichever the direction. */
export function compareValues(a: number | string | null, b: number | string | null, sign: 1 | -1): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === "number" && typeof b === "number") return sign * (a - b);
  return sign * byNumbersInText.compare(String(a), String(b));
}
