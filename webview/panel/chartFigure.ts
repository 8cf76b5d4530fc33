import { shortName } from "../../src/text/names";
import type { ChartMaker, Slot } from "../chartBoard";
import { withSubscripts } from "../legend";
import type { Context } from "./context";
import { element, freshId } from "./dom";
import { chartPng } from "./png";
import { pngName } from "./pngName";
import { button } from "./shapes";
import { currentPalette } from "./theme";

export interface ChartFigure {
  readonly element: HTMLElement;
  readonly slot: Slot;
  /** Draws, or hides the figure where there is nothing to draw. `of` names what the chart is of in the name of a file. */
  show(make: ChartMaker, label: string, of: string): void;
}

/** A chart with its title (which says on hover and focus what it shows), its legend, and a button that saves it. */
export function chartFigure(context: Context, options: { id: string; title: string; about: string; wide: boolean }): ChartFigure {
  const { strings, tips, board, host } = context;
  const { id, title, about, wide } = options;
  const term = element("button", { type: "button", class: "term" }, ...withSubscripts(title));
  const canvas = element("canvas", { id: `${id}-chart`, role: "img", "data-testid": `${id}-chart` });
  const legend = element("ul", { class: "legend" });
  let drawn: { make: ChartMaker; of: string } | null = null;
  const save = async (): Promise<void> => {
    if (!drawn) return;
    const png = await chartPng(drawn.make, currentPalette(), `${shortName(drawn.of)}: ${title}`, wide ? "wide" : "narrow");
    if (png) host.post({ kind: "savePng", name: pngName(drawn.of, id), png });
  };
  const heading = element("h3", { id: freshId(), class: "figure-title" }, term);
  const saving = button(strings.savePng, { testId: `save-${id}`, look: "icon", icon: "save", onClick: () => void save() }); // prettier-ignore
  saving.setAttribute("aria-describedby", heading.id);
  tips.attach(saving, () => [strings.savePng]);
  const figure = element(
    "figure",
    { class: wide ? "figure wide" : "figure", "aria-labelledby": heading.id, "data-testid": `${id}-figure` },
    element("figcaption", {}, heading, saving),
    element("div", { class: "chart" }, legend, element("div", { class: "canvas" }, canvas)),
  );
  tips.describe(term, about);
  const slot = { canvas, legend };
  return {
    element: figure,
    slot,
    show(make, label, of) {
      // A canvas that is hidden has no size to draw in.
      figure.hidden = false;
      drawn = { make, of };
      figure.hidden = !board.show(slot, make, label);
    },
  };
} // prettier-ignore
