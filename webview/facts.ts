import { withSubscripts } from "./legend";

/** Replaces the content of a definition list. Names and reasons only ever become text. */
export function showFacts(list: HTMLElement, facts: readonly (readonly [string, string])[]): void {
  list.replaceChildren(
    ...facts.map(([term, value]) => {
      const entry = document.createElement("div");
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.append(...withSubscripts(term));
      dd.textContent = value;
      entry.append(dt, dd);
      return entry;
    }),
  );
}
