import Table from "cli-table3";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** A table without lines: aligned columns, one row per line. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const blank = { top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "" };
  const none = { "bottom-left": "", "bottom-right": "", left: "", "left-mid": "", mid: "", "mid-mid": "", right: "" };
  const result = new Table({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ align }) => align ?? "left"),
    chars: { ...blank, ...none, "right-mid": "", middle: "  " },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  result.push(...rows.map((row) => [...row]));
  return result
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
