import { Chart } from "chart.js";
import type { Palette } from "../charts";
import { themePalette } from "./themePalette";

/** The charts' colours in the theme that the editor has. */
export function currentPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const { fontFamily } = getComputedStyle(document.body);
  Chart.defaults.font.family = fontFamily;
  const highContrast = document.body.matches(".vscode-high-contrast, .vscode-high-contrast-light");
  return themePalette((name) => style.getPropertyValue(`--vscode-${name}`), highContrast);
}

/** Bars, marks and links have the colours of the charts: `on` hands them to the style sheet. */
export function applyPalette(on: HTMLElement, palette: Palette): void {
  on.style.setProperty("--used", palette.utilized);
  on.style.setProperty("--mark", palette.weight);
  on.style.setProperty("--muted", palette.muted);
  on.style.setProperty("--track", palette.grid);
}

/** Tells when the theme changes: VS Code then writes its variables on the document and its kind on the body. */
export function onThemeChange(action: (palette: Palette) => void): void {
  let last = JSON.stringify(currentPalette());
  let waiting = false;
  const check = (): void => {
    waiting = false;
    const palette = currentPalette();
    const now = JSON.stringify(palette);
    if (now !== last) action(palette);
    last = now;
  };
  const observer = new MutationObserver(() => {
    if (!waiting) requestAnimationFrame(check);
    waiting = true;
  });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["style", "class"] });
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
}
