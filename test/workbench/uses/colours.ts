import type { Locator } from "playwright-core";
import sharp from "sharp";
import { expect, it } from "vitest";
import { contrast } from "../../webview/contrast";
import { allThemes, type Theme } from "../driver";
import type { Opened } from "../useWorkbench";

/** Colours as #rrggbb, as they are on the screen. */
interface Picture {
  /** The commonest one. */
  readonly paper: string;
  /** The one that stands out most from it, and the ratio of the two. */
  readonly ink: string;
  readonly contrast: number;
  /** The share of pixels that are not paper. */
  readonly inked: number;
}

async function look(at: Locator): Promise<Picture> {
  const { data } = await sharp(await at.screenshot({ animations: "disabled" }))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const counts = new Map<string, number>();
  for (let i = 0; i < data.length; i += 3) {
    const colour = `#${data.toString("hex", i, i + 3)}`;
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const [[paper, most], ...others] = [...counts].sort(([, a], [, b]) => b - a);
  const inks = others.map(([ink]) => ({ ink, contrast: contrast(paper, ink) }));
  const [best] = inks.sort((a, b) => b.contrast - a.contrast);
  return { paper, ...(best ?? { ink: paper, contrast: 1 }), inked: 1 - most / (data.length / 3) };
}

/** The contrast that WCAG 2 asks of text. */
const READABLE = 4.5;

/** What the editor's background is in VS Code's own themes. */
const PAPERS: Readonly<Record<Theme, string>> = { light: "#ffffff", dark: "#1f1f1f", "high-contrast": "#000000" };

/** The panel in the colours of VS Code, with its text and charts to be seen. Needs a panel with a layer that is open. */
export function useOfColours(opened: Opened): void {
  it("sees the panel in the colours of the editor: light, dark, and of high contrast", async () => {
    const { workbench } = opened;
    const panel = workbench.webview();
    const parts = {
      title: panel.getByTestId("file-name"),
      snapshot: panel.getByTestId("snapshot-chart"),
      layer: panel.getByTestId("layer-name"),
      search: panel.getByTestId("search-chart"),
    };
    for (const theme of [...allThemes, "light"] as const) {
      await workbench.useTheme(theme);
      // The page is told of new colours a moment after the window.
      await expect.poll(async () => (await look(parts.title)).paper, { timeout: 10_000 }).toBe(PAPERS[theme]);
      for (const [name, part] of Object.entries(parts)) {
        const seen = await look(part);
        expect(seen.paper, `${theme} ${name}`).toBe(PAPERS[theme]);
        expect(seen.contrast, `${theme} ${name}: ${seen.ink}`).toBeGreaterThan(READABLE);
        expect(seen.inked, `${theme} ${name}`).toBeGreaterThan(0.02);
      }
      for (const [name, part] of [
        ["report", parts.title],
        ["layer", parts.layer],
      ] as const) {
        await part.evaluate((element) => element.scrollIntoView({ block: "start" }));
        await workbench.screenshot(`${name}-${theme}`);
      }
    }
  });
}
