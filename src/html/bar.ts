import { markup, type Markup } from "./markup";

/**
 * A share as a bar, with a mark where a second one ends. Drawn, not styled: the page allows no style attributes, and
 * browsers leave background colours out when they print.
 */
export function bar(share: number, mark: number | null = null, of: "data" | "weights" = "data"): Markup {
  const end = clamped(share);
  const tick =
    mark === null ? null : markup`<rect class="mark" x="${Math.min(clamped(mark), 98)}" width="2" height="8"/>`;
  return markup`<svg class="share ${of}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="8"/><rect class="fill" width="${end}" height="8"/>${tick}</svg>`;
}

function clamped(share: number): number {
  return Number((100 * Math.min(Math.max(share, 0), 1)).toFixed(2));
}
