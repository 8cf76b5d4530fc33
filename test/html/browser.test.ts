import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { reportHtml } from "../../src/html/page";
import { findChromium, QUIET_ARGS } from "../workbench/chromium";
import { HOSTILE, layer, report, weightsReport } from "./report";

const browser = findChromium();
if (!browser) console.warn("No Chromium here: the HTML report was not opened in a browser. CHROMIUM names one.");

describe.skipIf(!browser)("the page in a browser", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-page-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The page as it stands when its script has run. */
  async function opened(html: string): Promise<string> {
    const file = path.join(folder, "page.html");
    writeFileSync(file, html);
    const { stdout } = await promisify(execFile)(
      browser!,
      ["--headless", ...QUIET_ARGS, `--user-data-dir=${folder}/profile`, "--dump-dom", pathToFileURL(file).href],
      { maxBuffer: 2 ** 26, timeout: 60_000 },
    );
    return stdout;
  }

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
