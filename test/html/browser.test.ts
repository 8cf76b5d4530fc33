import { describe, expect, it } from "vitest";
import { reportHtml } from "../../src/html/page";
import { findBrowser, openPage } from "./browser";
import { HOSTILE, layer, report, weightsReport } from "./report";

const browser = findBrowser();
if (!browser) console.warn("No Chromium here: the HTML report was not opened in a browser. CHROMIUM names one.");

describe.skipIf(!browser)("the page in a browser", () => {
  /** The page as it stands when its script has run. */
  const opened = (html: string): Promise<string> => openPage(browser!, html, ["--dump-dom"]);

  it("runs its script under its own policy and fills in a layer", async () => {
    const dom = await opened(reportHtml(report([layer(HOSTILE), layer("b", { utilization: 0.1 })])));
    expect(dom).toMatch(/<h3 id="layer-name"[^>]*>b<\/h3>/);
    expect(dom).toContain("5 of 12, 99.00% of the energy");
    expect(dom).toMatch(/<canvas id="search-chart"[^>]* width="\d+"/);
    expect(dom.match(/<th scope="col"[^>]*><button type="button">/g)).toHaveLength(13);
    expect(dom).not.toContain("<img");
  });

  it("draws what there is of a report without data", async () => {
    const dom = await opened(reportHtml(weightsReport()));
    expect(dom).toContain("weight rank = 8");
    expect(dom).toMatch(/<figure id="search-figure" hidden/);
  });
});
