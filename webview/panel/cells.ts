import type { PanelStrings } from "../../src/editor/panelProtocol";
import { visible } from "../../src/text/names";
import { percent } from "../../src/text/numbers";
import { fill } from "../../src/text/template";
import { element } from "./dom";
import type { LayerRow } from "./rows";
import { bar } from "./shapes";

/** What a cell holds. */
export type Content = readonly (Node | string)[];

const UNMEASURED = "–";

/** A dash for what was not measured, a dot for what will be. */
export function unmeasured({ measured }: Pick<LayerRow, "measured">, { pending }: PanelStrings): Node | string {
  return measured ? UNMEASURED : element("span", { class: "pending", "aria-label": pending, role: "img" }, "·");
}

/** Text that stays within two lines. */
export function contained(text: string): HTMLElement {
  return element("div", { class: "contained" }, visible(text));
}

export function labelledBar(
  row: LayerRow,
  share: number | null,
  mark: number | null,
  of: "data" | "weights",
  strings: PanelStrings,
): Content {
  if (share === null) return [unmeasured(row, strings)];
  const picture = bar({ share, mark, of });
  return [element("span", { class: "labelled" }, picture, element("span", {}, percent(share, 0)))];
}

/** The utilized rank, and below it the band that one validation sample more or less would give. */
export function rank({ utilizedRank, measured }: LayerRow, strings: PanelStrings): Content {
  if (utilizedRank === null) return [unmeasured({ measured }, strings)];
  const band = measured?.fragility?.utilizedRank;
  const shown = element("strong", {}, String(utilizedRank));
  return !band || band[0] === band[1] ? [shown] : [shown, element("small", {}, `${band[0]}–${band[1]}`)];
}

export function outcome({ outcome: found, measured }: LayerRow, strings: PanelStrings): Content {
  if (found === null) return [unmeasured({ measured }, strings)];
  return found.kind === "decomposed"
    ? [fill(strings.twoLayers, found.rank)]
    : [strings.keptAlone, element("small", { class: "reason" }, visible(found.reason))];
}
