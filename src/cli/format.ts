import Table from "cli-table3";

/** 268336 → "268,336". */
export function thousands(value: number): string {
  return value.toLocaleString("en-US");
}

const UNITS = ["", " k", " M", " G", " T"];

/** 40551040 → "40.6 M". */
export function short(value: number): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= 1000 && unit < UNITS.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return unit === 0 ? String(value) : `${scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1)}${UNITS[unit]}`;
}

const BYTE_UNITS = ["bytes", "KB", "MB", "GB", "TB"];

/** 1610612736 → "1.5 GB", with 1024 bytes to a KB, as operating systems count memory. */
export function byteSize(bytes: number): string {
  let scaled = bytes;
  let unit = 0;
  while (scaled >= 1024 && unit < BYTE_UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 || scaled >= 100 ? scaled.toFixed(0) : scaled.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

const SIZE = /^(\d+(?:\.\d+)?) ?([kmgt]?)i?b?$/i;

/** "1.5GB", "512 MiB" or a number of bytes → bytes; null if it is no size. The inverse of {@link byteSize}. */
export function parseByteSize(text: string): number | null {
  const match = SIZE.exec(text.trim());
  if (!match) return null;
  const [, number, unit] = match;
  return Math.floor(Number(number) * 1024 ** (unit === "" ? 0 : 1 + "kmgt".indexOf(unit.toLowerCase())));
}

/** 0.6520 → "65.2%"; null → "–". */
export function percent(share: number | null, digits = 1): string {
  return share === null ? "–" : `${(100 * share).toFixed(digits)}%`;
}

/** 95 → "1:35"; hours where there are some. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const shown = parts[0] > 0 ? parts : parts.slice(1);
  return shown.map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/** Longest layer name in a table: what is longer loses its middle. */
const LONGEST_NAME = 52;
/** Where exporters begin a new part of a name. */
const SEPARATOR = /[/.:]/;

/** Names fit for a column: parts that all of them begin or end with go first, then the middle of what is still long. */
export function shortNames(names: readonly string[]): string[] {
  const clean = names.map(printable);
  if (clean.every(({ length }) => length <= LONGEST_NAME)) return clean;
  const reversed = (text: string): string => Array.from(text).reverse().join("");
  const prefix = commonPrefix(clean);
  const suffix = commonPrefix(clean.map((name) => reversed(name.slice(prefix))));
  return clean.map((name) => {
    const middle = name.slice(prefix, name.length - suffix);
    return elided(`${prefix > 0 ? "…" : ""}${middle}${suffix > 0 ? "…" : ""}`);
  });
}

/** One name for a line of its own. */
export function shortName(name: string): string {
  return elided(printable(name));
}

function elided(name: string): string {
  if (name.length <= LONGEST_NAME) return name;
  const half = (LONGEST_NAME - 1) / 2;
  return `${name.slice(0, Math.floor(half))}…${name.slice(-Math.ceil(half))}`;
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

/** Names come from the model file: control characters could move the cursor or change colours. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "�");
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
