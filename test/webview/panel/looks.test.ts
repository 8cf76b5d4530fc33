import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browser } from "./panelLab";
import { exampleInspection, exampleReport } from "./messages";
import { PanelServer, THEMES, type PanelPage } from "./panelPage";
import { situations, type Situation } from "./states";

/** Widths of a narrow and of a wide editor, in CSS pixels. */
const NARROW = 300;
const WIDE = 1900;

describe.skipIf(!browser)("the panel in every state and theme", () => {
  let server: PanelServer;
  let all: readonly Situation[];
  beforeAll(async () => {
    all = situations(exampleInspection(), await exampleReport());
    server = await PanelServer.start(browser!);
  });
  afterAll(() => server.stop());

  async function shown({ messages, open }: Situation, options: Parameters<PanelServer["open"]>[0]): Promise<PanelPage> {
    const panel = await server.open(options);
    await panel.send(...messages);
    if (open !== undefined) await panel.page.getByTestId("layer-row").nth(open).locator("td").first().click();
    await panel.settled();
    return panel;
  }

  it("is accessible and breaks no policy in any theme", async () => {
    const problems: string[] = [];
    for (const situation of all) {
      const panel = await shown(situation, { theme: THEMES[0] });
      expect(await panel.page.locator("body").getAttribute("data-state"), situation.name).toBe(situation.state);
      for (const [i, theme] of THEMES.entries()) {
        if (i > 0) await panel.switchTheme(theme);
        const found = await panel.accessibilityProblems(i === 0 ? "all" : "colours");
        problems.push(...found.map((problem) => `${situation.name}, ${theme}: ${problem}`));
        await panel.screenshot(`${situation.name}-${theme.toLowerCase().replaceAll(" ", "-")}`);
      }
      problems.push(...(await panel.complaints()));
      await panel.close();
    }
    expect(problems).toEqual([]);
  }, 300_000);

  it.each([NARROW, 600, WIDE])("stays within %i pixels", async (width) => {
    for (const situation of all) {
      const panel = await shown(situation, { width });
      const overflow = await panel.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(overflow, situation.name).toBeLessThanOrEqual(0);
      await panel.screenshot(`${situation.name}-${width}px`);
      await panel.close();
    }
  });
});
