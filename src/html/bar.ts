import { BAR_HEIGHT, barParts, type UtilizationBar } from "../text/bar";
import { markup, type Markup } from "./markup";

/**
 * A share as a bar. Drawn, not styled: the page allows no style attributes, and browsers leave background colours out
 * when they print.
 */
export function bar(share: number, mark: number | null = null, of: UtilizationBar["of"] = "data"): Markup {
  const parts = barParts({ share, mark, of }).map(
    ({ name, x, width }) => markup`<rect class="${name}" x="${x}" width="${width}" height="${BAR_HEIGHT}"/>`,
  );
  return markup`<svg class="share ${of}" viewBox="0 0 100 ${BAR_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>`;
}
