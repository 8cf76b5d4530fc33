import { afterAll, beforeAll } from "vitest";
import type { Locator } from "playwright-core";
import type { ModelReport } from "../../../src/report";
import { findChromium } from "../../workbench/chromium";
import { exampleInspection, exampleReport, inspectionOf, opened, reported, type Inspection } from "./messages";
import { PanelServer, type PanelPage } from "./panelPage";

/** A browser of this machine, or null, after a warning. */
export const browser = findChromium();
if (!browser) console.warn("No Chromium here: the panel was not opened in a browser. CHROMIUM names one.");

/** The built panel in a browser, with the bundled example's file and report. */
export class PanelLab {
  panel!: PanelPage;
  inspection!: Inspection;
  real!: ModelReport;
  #server!: PanelServer;

  /** Starts before the tests of the suite that calls it, and ends after them. */
  constructor() {
    beforeAll(async () => {
      this.inspection = exampleInspection();
      this.real = await exampleReport();
      this.#server = await PanelServer.start(browser!);
    });
    afterAll(() => this.#server.stop());
  }

  async open(options: Parameters<PanelServer["open"]>[0] = {}): Promise<PanelPage> {
    this.panel = await this.#server.open(options);
    return this.panel;
  }

  /** Opens a file and then its report, as the editor does where it has one. */
  async openReport(made: ModelReport = this.real, kept: unknown = null): Promise<void> {
    await this.open({ kept });
    await this.panel.send(opened(made === this.real ? this.inspection : inspectionOf(made)));
    await this.panel.send(reported(made));
  }

  at(testId: string): Locator {
    return this.panel.page.getByTestId(testId);
  }

  /** The rows that the filter leaves. */
  rows(): Locator {
    return this.panel.page.locator("#layer-table tbody tr:not([hidden])");
  }

  rowNames(): Promise<string[]> {
    return this.rows().locator("th").allInnerTexts();
  }

  focusedRow(): Promise<string | null> {
    return this.panel.page.evaluate(() => document.activeElement?.querySelector("th")?.textContent ?? null);
  }
}
