import Table from "cli-table3";
import { elided, printable } from "../text/names";

/** Where exporters begin a new part of a name. */
const SEPARATOR = /[/.:]/;

/** Names fit for a column: parts that all of them begin or end with go first, then the middle of what is still long. */
export function shortNames(names: readonly string[]): string[] {
  const clean = names.map(printable);
  if (clean.every((name) => elided(name) === name)) return clean;
  const reversed = (text: string): string => Array.from(text).reverse().join("");
  const prefix = commonPrefix(clean);
  const suffix = commonPrefix(clean.map((name) => reversed(name.slice(prefix))));
  return clean.map((name) => {
    const middle = name.slice(prefix, name.length - suffix);
    return elided(`${prefix > 0 ? "…" : ""}${middle}${suffix > 0 ? "…" : ""}`);
  });
}

/** Length of the longest common beginning that ends at a separator, and leaves something of every name. */
function commonPrefix([first = "", ...others]: readonly string[]): number {
  if (others.length === 0) return 0;
  let length = 0;
  for (let i = 0; i < first.length - 1; i++) {
    if (!others.every((name) => name[i] === first[i] && name.length > i + 1)) break;
    if (SEPARATOR.test(first[i])) length = i + 1;
  }
  return length;
}

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
