import { BAR_HEIGHT, barParts, type UtilizationBar } from "../../src/text/bar";
import { nameParts } from "../../src/text/names";
import type { Note } from "../../src/text/template";
import { element, picture } from "./dom";

/** A share as a bar. */
export function bar(shown: UtilizationBar): SVGElement {
  const parts = barParts(shown).map(
    ({ name, x, width }) => ["rect", { class: name, x, width, height: BAR_HEIGHT }] as const,
  );
  const frame = { class: `share ${shown.of}`, viewBox: `0 0 100 ${BAR_HEIGHT}`, preserveAspectRatio: "none" };
  return picture(frame, ...parts);
}

/** A name from the model file: it may break after separators, and its writing direction stays its own. */
export function nameText(name: string): HTMLElement {
  const parts = nameParts(name).flatMap((part, i) => (i > 0 ? [element("wbr"), part] : [part]));
  return element("bdi", {}, ...parts);
}

export function noteText(note: Note): (HTMLElement | string)[] {
  return note.map((part) => (typeof part === "string" ? part : element("strong", {}, part.strong)));
}

/** Before → after, the latter being the one to read. */
export function change(before: string | null, after: string): (HTMLElement | string)[] {
  if (before === null) return [after];
  return [element("span", { class: "before" }, before), " ", element("span", { class: "arrow" }, "→"), ` ${after}`];
}

const ICONS = {
  save: "M8 1v8.2l2.9-2.9.7.7L8 10.9 4.4 7l.7-.7L7 8.6V1zM2 12h1v2h10v-2h1v3H2z",
  close: "M8 7.3 12.3 3l.7.7L8.7 8l4.3 4.3-.7.7L8 8.7 3.7 13l-.7-.7L7.3 8 3 3.7l.7-.7z",
  previous: "M10.4 3.2 5.6 8l4.8 4.8-.7.7L4.2 8l5.5-5.5z",
  next: "M5.6 3.2 10.4 8l-4.8 4.8.7.7L11.8 8 6.3 2.5z",
  warning: "M8 1.5 15.2 14H.8zm0 2L2.5 13h11zM7.5 6.5h1v3.5h-1zm0 4.5h1v1h-1z",
  info: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1m0 1a6 6 0 1 0 0 12A6 6 0 0 0 8 2m-.5 5h1v4.5h-1zm0-2.5h1v1.2h-1z",
  error: "M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1m0 1a6 6 0 1 0 0 12A6 6 0 0 0 8 2m2.5 2.8.7.7L8.7 8l2.5 2.5-.7.7L8 8.7l-2.5 2.5-.7-.7L7.3 8 4.8 5.5l.7-.7L8 7.3z",
} as const; // prettier-ignore

export type Icon = keyof typeof ICONS;

export function icon(name: Icon): SVGElement {
  const path = ["path", { d: ICONS[name], fill: "currentColor", "fill-rule": "evenodd" }] as const;
  return picture({ class: "icon", viewBox: "0 0 16 16", width: 16, height: 16 }, path);
}

export interface ButtonOptions {
  readonly testId: string;
  readonly look?: "primary" | "secondary" | "icon" | "quiet";
  readonly icon?: Icon;
  readonly onClick: () => void;
}

export function button(label: string, { testId, look = "secondary", icon: sign, onClick }: ButtonOptions): HTMLButtonElement {
  const named = sign && look === "icon";
  const content = named ? [icon(sign)] : [label];
  const made = element(
    "button",
    { type: "button", class: `button ${look}`, "data-testid": testId, "aria-label": named ? label : null },
    ...content,
  );
  made.addEventListener("click", onClick);
  return made;
} // prettier-ignore
