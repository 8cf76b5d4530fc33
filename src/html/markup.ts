import { nameParts, visible } from "../text/names";

/** Text that is HTML already. Only {@link markup} and {@link trusted} make it. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = string | number | Markup | null | readonly Part[];

/** A template whose values are escaped: `markup\`<td>${name}</td>\``. Lists are joined, null is nothing. */
export function markup(strings: TemplateStringsArray, ...values: readonly Part[]): Markup {
  return new Markup(strings.map((text, i) => text + (i < values.length ? rendered(values[i]) : "")).join(""));
}

/** HTML that holds nothing of the report. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function rendered(value: Part): string {
  if (value === null) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "object") return value.map(rendered).join("");
  return escaped(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for a place in HTML, be it between tags or in a quoted attribute. */
export function escaped(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** JSON for a script element: nothing in it can end the element, open a comment, or end a line of a script. */
export function embeddedJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A name from the model file: it may break after separators, and its writing direction stays its own. */
export function nameMarkup(name: string): Markup {
  const parts = nameParts(name);
  return markup`<bdi>${parts.map((part, i) => markup`${i > 0 ? trusted("<wbr>") : null}${part}`)}</bdi>`;
}
