import type { ModelReport } from "../report";
import { headline, type Figure } from "../text/headline";
import { REPORT_WORDS } from "../text/reportWords";
import type { Note } from "../text/template";
import { bar } from "./bar";
import { markup, type Markup } from "./markup";

/** The headline of a report as a strip of large numbers. */
export function figures(report: ModelReport): Markup {
  return markup`<dl class="figures">${headline(report, REPORT_WORDS).map(figureMarkup)}
</dl>`;
}

function figureMarkup({ label, before, value, unit, bar: shown, notes }: Figure): Markup {
  const small = unit === null ? null : markup` <small>${unit}</small>`;
  const picture = shown === null ? null : markup`<dd class="note">${bar(shown.share, shown.mark, shown.of)}</dd>`;
  return markup`
<div><dt>${label}</dt><dd class="value">${change(before, value)}${small}</dd>${picture}${notes.map(noteMarkup)}</div>`;
}

function noteMarkup(note: Note): Markup {
  const parts = note.map((part) => (typeof part === "string" ? part : markup`<strong>${part.strong}</strong>`));
  return markup`<dd class="note">${parts}</dd>`;
}

/** Before → after, the latter being the one to read. */
export function change(before: string | null, after: string): Markup {
  return before === null
    ? markup`${after}`
    : markup`<span class="before">${before}</span> <span class="arrow">→</span> ${after}`;
}
