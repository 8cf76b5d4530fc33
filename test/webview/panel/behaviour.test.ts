import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Locator } from "playwright-core";
import { panelLayer } from "../../../src/editor/panelProtocol";
import type { ModelReport } from "../../../src/report";
import { layer, report, weightsReport } from "../../html/report";
import { findChromium } from "../../workbench/chromium";
import { analysis, exampleInspection, exampleReport, inspectionOf, opened, reported, running, type Inspection } from "./messages"; // prettier-ignore
import { PanelServer, type PanelPage } from "./panelPage";
import { ENDLESS, hostileReport } from "./states";

const browser = findChromium();
if (!browser) console.warn("No Chromium here: the panel was not opened in a browser. CHROMIUM names one.");

/** Milliseconds that a table of 1,000 layers may take to be sorted and laid out. */
const SORT_LIMIT = 100;

describe.skipIf(!browser)("the panel", () => {
  let server: PanelServer;
  let panel: PanelPage;
  let inspection: Inspection;
  let real: ModelReport;
  beforeAll(async () => {
    inspection = exampleInspection();
    real = await exampleReport();
    server = await PanelServer.start(browser!);
  });
  afterAll(() => server.stop());

  async function open(options: Parameters<PanelServer["open"]>[0] = {}): Promise<PanelPage> {
    panel = await server.open(options);
    return panel;
  }
  async function openReport(made: ModelReport = real, kept: unknown = null): Promise<void> {
    await open({ kept });
    await panel.send(opened(made === real ? inspection : inspectionOf(made)), reported(made));
  }
  const at = (testId: string): Locator => panel.page.getByTestId(testId);
  const rows = (): Locator => panel.page.locator("#layer-table tbody tr:not([hidden])");
  const rowNames = (): Promise<string[]> => rows().locator("th").allInnerTexts();
  const focusedRow = (): Promise<string | null> =>
    panel.page.evaluate(() => document.activeElement?.querySelector("th")?.textContent ?? null);

  it("says what the file is before anything was analysed", async () => {
    await open();
    await panel.send(opened(inspection, "shapes.onnx"));
    expect(await at("file-name").innerText()).toBe("shapes.onnx");
    const card = (await at("model-card").innerText()).replace(/\s+/g, " ");
    for (const part of ["127,866", "pytorch 1.13.0", "Opset 13", "IR version 7", "images float32 [batch, 3, 24, 24]"]) {
      expect(card).toContain(part);
    }
    const [first] = await at("layer-row").allInnerTexts();
    expect(first.split(/\s+/)).toEqual(["1", "features.0.weight", "Conv", "24×27", "648", "373", "k"]);
    expect(await at("snapshot-chart").isVisible()).toBe(false);
  });

  it("asks the host for what its buttons say", async () => {
    await openReport();
    for (const button of ["export", "open-config", "copy-markdown", "copy-csv", "copy-json", "analyze"]) {
      await at(button).click();
    }
    await panel.send({ kind: "report", state: null });
    await at("preview").click();
    await panel.send(running());
    await at("cancel").click();
    await panel.send(analysis({ kind: "failed", message: "no" }));
    await at("retry").click();
    await at("show-log").click();
    expect(await panel.posted()).toEqual([
      { kind: "ready" },
      { kind: "export" },
      { kind: "openConfig" },
      { kind: "copy", format: "markdown" },
      { kind: "copy", format: "csv" },
      { kind: "copy", format: "json" },
      { kind: "analyze", preview: false },
      { kind: "analyze", preview: true },
      { kind: "cancel" },
      { kind: "analyze", preview: false },
      { kind: "showLog" },
    ]);
  });

  it("analyses nothing in a workspace that is not trusted, and says why beside the button", async () => {
    await open();
    await panel.send(opened(inspection, "a.onnx", false));
    expect(await at("analyze").isDisabled()).toBe(true);
    const reason = await at("analyze").getAttribute("aria-describedby");
    expect(await panel.page.locator(`#${reason}`).innerText()).toContain("not trusted");
    await panel.send(opened(inspection, "a.onnx", true));
    expect(await at("analyze").isEnabled()).toBe(true);
    expect(await at("why-off").isVisible()).toBe(false);
  });

  it("fills in layers while the analysis runs, and says how far it is", async () => {
    await open();
    await panel.send(opened(inspection), analysis({ kind: "queued", ahead: 1 }));
    expect(await at("progress-stage").innerText()).toBe("Waiting for another analysis to end");
    await panel.send(running(), ...real.layers.slice(0, 3).map((one) => ({ kind: "layer", layer: panelLayer(one) }) as const));
    expect(await panel.page.locator("body").getAttribute("data-state")).toBe("running");
    expect(await at("progress-bar").getAttribute("aria-valuenow")).toBe("42");
    expect(await at("progress-left").innerText()).toBe("3 of 8 layers · about 1 min 25 s left");
    expect(await panel.page.locator("tr[data-measured]").count()).toBe(3);
    await expect.poll(async () => (await panel.painted("snapshot-chart")).share).toBeGreaterThan(0.02);
    const third = await at("layer-row").nth(2).innerText();
    expect(third).toContain(String(real.layers[2].utilizedRank));
    await panel.send(analysis({ kind: "cancelled" }));
    expect(await panel.page.locator("tr[data-measured]").count()).toBe(3);
    expect(await at("cancelled").innerText()).toContain("Layers that were finished are shown");
    await panel.send(running({ fraction: 0 }));
    expect(await panel.page.locator("tr[data-measured]").count()).toBe(0);
  }); // prettier-ignore

  it("moves the focus with the button that was pressed, and speaks of stages but not of every step", async () => {
    await open();
    await panel.send(opened(inspection));
    await at("analyze").focus();
    await panel.send(running({ stage: "calibration", fraction: 0.1 }));
    expect(await at("cancel").evaluate((button) => button === document.activeElement)).toBe(true);
    expect(await at("announcer").innerText()).toContain("calibration data");
    await panel.send(running({ stage: "search", fraction: 0.2 }));
    const told = await at("announcer").innerText();
    expect(told).toContain("Searching ranks");
    await panel.send(running({ stage: "search", fraction: 0.9, secondsLeft: 2 }));
    expect(await at("announcer").innerText()).toBe(told);
    await panel.send(analysis({ kind: "idle" }), reported(real));
    expect(await at("announcer").innerText()).toBe("The analysis is done.");
    expect(await at("file-name").evaluate((name) => name === document.activeElement)).toBe(true);
  });

  it("shows the headline, the device and every layer of a report", async () => {
    await openReport();
    const percent = (share: number, digits: number): string => `${(100 * share).toFixed(digits)}%`;
    const { totals, accuracy, layers } = real;
    expect(await at("figure-mlu").innerText()).toContain(percent(totals.mlu!, 1));
    expect(await at("figure-mlu").innerText()).toContain(`${percent(totals.originalMlu, 1)} by the weights alone`);
    expect(await at("figure-accuracy").innerText()).toContain(`${percent(accuracy.original!, 2)} → ${percent(accuracy.decomposed!, 2)}`); // prettier-ignore
    expect(await at("measurement").innerText()).toContain(real.device.why);
    expect(await at("layer-row").count()).toBe(layers.length);
    for (const [i, one] of layers.entries()) {
      const cells = await at("layer-row").nth(i).locator("th, td").allInnerTexts();
      expect(cells.slice(1, 4)).toEqual([one.name, one.op, `${one.rows}×${one.columns}`]);
      expect(cells.slice(4, 6)).toEqual([String(one.kS), String(one.kT)]);
      expect(cells[6].split("\n")[0]).toBe(String(one.utilizedRank));
      expect(cells.at(-1)).toContain(
        one.outcome.kind === "decomposed" ? `rank ${one.outcome.rank}` : one.outcome.reason,
      );
    }
    const { share, colours } = await panel.painted("snapshot-chart");
    expect(share).toBeGreaterThan(0.05);
    const used = await panel.page.evaluate(() => document.body.style.getPropertyValue("--used"));
    expect(colours).toContain(used);
  });

  it("sorts by every header, with aria-sort on one of them, and filters by text and outcome", async () => {
    await openReport();
    const ranks = real.layers.map(({ utilizedRank }) => utilizedRank!);
    const shownRanks = async (): Promise<number[]> => (await panel.page.locator("tr strong").allInnerTexts()).map(Number);
    await at("sort-rank").click();
    expect(await shownRanks()).toEqual([...ranks].sort((a, b) => a - b));
    await at("sort-rank").click();
    expect(await shownRanks()).toEqual([...ranks].sort((a, b) => b - a));
    expect(await panel.page.locator("[aria-sort]").count()).toBe(1);
    expect(await panel.page.locator("[aria-sort=descending]").getAttribute("data-column")).toBe("rank");
    await at("filter").fill("CLASSIFIER");
    await expect.poll(() => rows().count()).toBe(2);
    expect(await at("row-count").innerText()).toBe("2 of 8 layers");
    await at("filter").fill("no such layer");
    await at("no-match").waitFor();
    await at("filter").fill("");
    await at("decomposed-only").check();
    await panel.settled();
    const smaller = real.layers.filter(({ outcome }) => outcome.kind === "decomposed");
    await expect.poll(() => rows().count()).toBe(smaller.length);
    expect(new Set(await rowNames())).toEqual(new Set(smaller.map(({ name }) => name)));
  }); // prettier-ignore

  it("is used by keyboard alone: one stop for the rows, arrows, Home, End, Enter and Escape", async () => {
    await openReport();
    const { keyboard } = panel.page;
    await at("decomposed-only").focus();
    await keyboard.press("Tab");
    expect(await panel.page.evaluate(() => document.activeElement?.textContent)).toBe("#");
    await keyboard.press("ArrowRight");
    expect(await panel.page.evaluate(() => document.activeElement?.textContent)).toBe("layer");
    await keyboard.press("Tab");
    expect(await focusedRow()).toBe(real.layers[0].name);
    for (const [key, index] of [["ArrowDown", 1], ["ArrowDown", 2], ["ArrowUp", 1], ["End", 7], ["Home", 0]] as const) {
      await keyboard.press(key);
      expect(await focusedRow(), key).toBe(real.layers[index].name);
    }
    await keyboard.press("ArrowDown");
    await keyboard.press("Enter");
    expect(await at("layer-name").innerText()).toBe(real.layers[1].name);
    expect(await at("layer-name").evaluate((name) => name === document.activeElement)).toBe(true);
    expect(await panel.page.locator("tr[aria-selected=true] th").textContent()).toBe(real.layers[1].name);
    await keyboard.press("Escape");
    expect(await at("layer-view").isVisible()).toBe(false);
    expect(await focusedRow()).toBe(real.layers[1].name);
    expect(await panel.page.locator("tbody tr[tabindex='0']").count()).toBe(1);
    await keyboard.press("Shift+Tab");
    await keyboard.press("ArrowDown");
    expect(await focusedRow()).toBe(real.layers[1].name);
  }); // prettier-ignore

  it("draws four charts of a layer, each with a name, and goes to the next one", async () => {
    await openReport();
    await panel.send({ kind: "showLayer", name: real.layers[2].name });
    expect(await at("layer-place").innerText()).toBe("Layer 3 of 8");
    const facts = (await at("layer-facts").innerText()).replace(/\s+/g, " ");
    expect(facts).toContain(`${real.layers[2].kS} of ${real.layers[2].columns}`);
    expect(facts).toMatch(/Output error [\d.]+%, bound [\d,.]+%/);
    for (const chart of ["weights", "input", "energy", "search"]) {
      expect((await panel.painted(`${chart}-chart`)).share, chart).toBeGreaterThan(0.02);
      expect(await at(`${chart}-chart`).getAttribute("aria-label")).toContain(real.layers[2].name);
    }
    await at("layer-next").click();
    expect(await at("layer-name").innerText()).toBe(real.layers[3].name);
    await at("layer-close").click();
    expect(await focusedRow()).toBe(real.layers[3].name);
  });

  it("opens the layer of a place in the snapshot", async () => {
    await openReport();
    const box = (await at("snapshot-chart").boundingBox())!;
    await at("snapshot-chart").click({ position: { x: box.width - 12, y: box.height / 2 } });
    expect(await at("layer-name").innerText()).toBe(real.layers.at(-1)!.name);
  });

  it("tells of a row and of a figure on hover and on keyboard focus, and stops with Escape", async () => {
    await openReport();
    await at("layer-row").nth(2).hover();
    await at("tip").waitFor();
    const tip = await at("tip").innerText();
    await panel.screenshot("tip-of-a-row", false);
    for (const part of [real.layers[2].name, "Conv, 48×288", `utilized rank ${real.layers[2].utilizedRank} of 48`, "saves"]) {
      expect(tip).toContain(part);
    }
    await panel.page.keyboard.press("Escape");
    expect(await at("tip").isVisible()).toBe(false);
    await at("snapshot-chart").hover();
    await panel.settled();
    await panel.screenshot("tip-of-a-chart", false);
    const term = at("figure-mlu").getByRole("button");
    await at("export").focus();
    await panel.page.keyboard.press("Tab");
    for (let i = 0; i < 3; i++) await panel.page.keyboard.press("Tab");
    await panel.page.keyboard.press("Tab");
    expect(await term.evaluate((one) => one === document.activeElement)).toBe(true);
    await at("tip").waitFor();
    const description = await term.getAttribute("aria-describedby");
    expect(await at("tip").innerText()).toBe(await panel.page.locator(`#${description}`).textContent());
    const undescribed = await panel.page.locator("button.term:not([aria-describedby]), thead button:not([aria-describedby])").count();
    expect(undescribed).toBe(0);
  }); // prettier-ignore

  it("comes back as it was left", async () => {
    await openReport();
    await at("sort-error").click();
    await at("filter").fill("features");
    await expect.poll(() => rows().count()).toBe(6);
    await rows().nth(3).locator("td").first().click();
    const [names, name] = [await rowNames(), await at("layer-name").innerText()];
    await panel.page.evaluate(() => scrollTo({ top: 300 }));
    await panel.page.waitForTimeout(400);
    const kept = await panel.kept();
    await openReport(real, kept);
    expect(await rowNames()).toEqual(names);
    expect(await at("filter").inputValue()).toBe("features");
    expect(await at("layer-name").innerText()).toBe(name);
    expect(await panel.page.evaluate(() => scrollY)).toBe(300);
    expect(await panel.page.locator("[aria-sort]").getAttribute("data-column")).toBe("error");
    await openReport(real, { sort: "by rank", filter: 7, open: {}, scroll: "far" });
    expect(await at("layer-row").count()).toBe(8);
    expect(await panel.complaints()).toEqual([]);
  });

  it("saves a chart as a PNG on the background of the theme", async () => {
    await openReport();
    await at("save-snapshot").click();
    await panel.page.waitForFunction(() => document.querySelector("canvas") !== null);
    await expect.poll(async () => (await panel.posted()).at(-1)?.kind).toBe("savePng");
    const saved = (await panel.posted()).at(-1);
    if (saved?.kind !== "savePng") throw new Error("no chart was saved");
    expect(saved.name).toBe("net-snapshot.png");
    expect([...saved.png.slice(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const corner = await panel.page.evaluate(async (png) => {
      const bitmap = await createImageBitmap(new Blob([png as BlobPart], { type: "image/png" }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext("2d")!;
      context.drawImage(bitmap, 0, 0);
      return { pixel: [...context.getImageData(1, 1, 1, 1).data], width: bitmap.width, height: bitmap.height };
    }, saved.png);
    expect(corner).toEqual({ pixel: [0x1f, 0x1f, 0x1f, 255], width: 2400, height: 1120 });
  });

  it("takes the colours of another theme at once", async () => {
    await openReport();
    const before = await panel.painted("snapshot-chart");
    await panel.switchTheme("Light Modern");
    const after = await panel.painted("snapshot-chart");
    expect(after.share).toBeCloseTo(before.share, 2);
    expect(after.colours).not.toEqual(before.colours);
    const used = await panel.page.evaluate(() => document.body.style.getPropertyValue("--used"));
    expect(used).toBe("#0063d3");
    expect(after.colours).toContain(used);
  });

  it("shows names as text, in their place, whatever is in them", async () => {
    await openReport(hostileReport());
    expect(await panel.page.locator("#panel img, #panel script, #panel iframe").count()).toBe(0);
    for (const name of await rowNames()) expect(name).not.toMatch(/[\u202e\u2028]/);
    const heights = await panel.page.locator("#layer-table tbody tr").evaluateAll((rows) => rows.map((row) => row.clientHeight));
    expect(Math.max(...heights)).toBeLessThan(80);
    await at("filter").fill("xxxxxxxx");
    await expect.poll(() => rows().count()).toBe(2);
    await rows().nth(1).locator("td").first().click();
    expect((await at("layer-name").textContent())!.length).toBe(ENDLESS.length);
    expect((await at("layer-name").boundingBox())!.height).toBeLessThan(200);
    await rows().nth(1).hover();
    await at("tip").waitFor();
    expect((await at("tip").innerText()).length).toBeLessThan(300);
    expect(await panel.complaints()).toEqual([]);
  }); // prettier-ignore

  it("stays fluid with 1,000 layers", async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `blocks.${i}.attention.weight`);
    const many = report(names.map((name, i) => layer(name, { utilizedRank: 1 + ((i * 7919) % 8), initializer: name })));
    await openReport(many);
    expect(await at("layer-row").count()).toBe(1000);
    const times = await panel.page.evaluate(() => {
      const press = (column: string): number => {
        const button = document.querySelector<HTMLElement>(`[data-testid=sort-${column}]`)!;
        const started = performance.now();
        button.click();
        document.body.getBoundingClientRect();
        return performance.now() - started;
      };
      return ["rank", "layer", "rank", "position", "rank"].map(press);
    });
    console.log(`sorting 1,000 rows: ${times.map((time) => time.toFixed(0)).join(", ")} ms`);
    expect(times.sort((a, b) => a - b)[2]).toBeLessThan(SORT_LIMIT);
    expect((await panel.painted("snapshot-chart")).share).toBeGreaterThan(0.05);
    await panel.screenshot("thousand-layers", false);
  });

  it("shows what there is of a report without data, and of one layer", async () => {
    await openReport(weightsReport());
    expect(await at("figure-mluOfWeights").isVisible()).toBe(true);
    expect(await at("export").isVisible()).toBe(false);
    expect(await at("analyze").innerText()).toBe("Analyze Utilized Rank");
    await at("layer-row").first().locator("td").first().click();
    expect(await at("weights-figure").isVisible()).toBe(true);
    for (const absent of ["input", "energy", "search"]) expect(await at(`${absent}-figure`).isVisible()).toBe(false);
    expect(await panel.page.innerText("body")).not.toMatch(/null|NaN|undefined/);
    await openReport(report([layer("only")]));
    expect((await panel.painted("snapshot-chart")).share).toBeGreaterThan(0.02);
    expect(await at("row-count").innerText()).toBe("1 layer");
  });
});
