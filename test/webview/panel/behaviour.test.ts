import { describe, expect, it } from "vitest";
import { panelLayer } from "../../../src/editor/panelProtocol";
import { layer, report, weightsReport } from "../../html/report";
import { analysis, opened, reported, running } from "./messages";
import { browser, PanelLab } from "./panelLab";

describe.skipIf(!browser)("the panel", () => {
  const lab = new PanelLab();

  it("says what the file is before anything was analysed", async () => {
    await lab.open();
    await lab.panel.send(opened(lab.inspection, "shapes.onnx"));
    expect(await lab.at("file-name").innerText()).toBe("shapes.onnx");
    const card = (await lab.at("model-card").innerText()).replace(/\s+/g, " ");
    for (const part of ["127,866", "pytorch 1.13.0", "Opset 13", "IR version 7", "images float32 [batch, 3, 24, 24]"]) {
      expect(card).toContain(part);
    }
    const [first] = await lab.at("layer-row").allInnerTexts();
    expect(first.split(/\s+/)).toEqual(["1", "features.0.weight", "Conv", "24×27", "648", "373", "k"]);
    expect(await lab.at("snapshot-chart").isVisible()).toBe(false);
  });

  it("asks the host for what its buttons say", async () => {
    await lab.openReport();
    for (const button of ["export", "open-config", "copy-markdown", "copy-csv", "copy-json", "analyze"]) {
      await lab.at(button).click();
    }
    await lab.panel.send({ kind: "report", state: null });
    await lab.at("preview").click();
    await lab.panel.send(running());
    await lab.at("cancel").click();
    await lab.panel.send(analysis({ kind: "failed", message: "no" }));
    await lab.at("retry").click();
    await lab.at("show-log").click();
    expect(await lab.panel.posted()).toEqual([
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
    await lab.open();
    await lab.panel.send(opened(lab.inspection, "a.onnx", false));
    expect(await lab.at("analyze").isDisabled()).toBe(true);
    const reason = await lab.at("analyze").getAttribute("aria-describedby");
    expect(await lab.panel.page.locator(`#${reason}`).innerText()).toContain("not trusted");
    await lab.panel.send(opened(lab.inspection, "a.onnx", true));
    expect(await lab.at("analyze").isEnabled()).toBe(true);
    expect(await lab.at("why-off").isVisible()).toBe(false);
  });

  it("fills in layers while the analysis runs, and says how far it is", async () => {
    await lab.open();
    await lab.panel.send(opened(lab.inspection), analysis({ kind: "queued", ahead: 1 }));
    expect(await lab.at("progress-stage").innerText()).toBe("Waiting for another analysis to end");
    const images = { kind: "images", data: "validation", done: 250, total: 1000 } as const;
    await lab.panel.send(running({ stage: "original", layer: null, fraction: 0, secondsLeft: null, images }));
    expect(await lab.at("progress-stage").innerText()).toBe("Decoding validation images");
    expect(await lab.at("progress-left").innerText()).toBe("250 of 1,000");
    expect(await lab.at("progress-bar").getAttribute("aria-valuenow")).toBe("25");
    await lab.panel.send(running(), ...lab.real.layers.slice(0, 3).map((one) => ({ kind: "layer", layer: panelLayer(one) }) as const));
    expect(await lab.panel.page.locator("body").getAttribute("data-state")).toBe("running");
    expect(await lab.at("progress-bar").getAttribute("aria-valuenow")).toBe("42");
    expect(await lab.at("progress-left").innerText()).toBe("layers done: 3 of 8 · about 1 min 25 s left");
    expect(await lab.panel.page.locator("tr[data-measured]").count()).toBe(3);
    await expect.poll(async () => (await lab.panel.painted("snapshot-chart")).share).toBeGreaterThan(0.02);
    const third = await lab.at("layer-row").nth(2).innerText();
    expect(third).toContain(String(lab.real.layers[2].utilizedRank));
    await lab.panel.send(analysis({ kind: "cancelled" }));
    expect(await lab.panel.page.locator("tr[data-measured]").count()).toBe(3);
    expect(await lab.at("cancelled").innerText()).toContain("Layers that were finished are shown");
    await lab.panel.send(running({ fraction: 0 }));
    expect(await lab.panel.page.locator("tr[data-measured]").count()).toBe(0);
  }); // prettier-ignore

  it("moves the focus with the button that was pressed, and speaks of stages but not of every step", async () => {
    await lab.open();
    await lab.panel.send(opened(lab.inspection));
    await lab.at("analyze").focus();
    await lab.panel.send(running({ stage: "calibration", fraction: 0.1 }));
    expect(await lab.at("cancel").evaluate((button) => button === document.activeElement)).toBe(true);
    expect(await lab.at("announcer").innerText()).toContain("calibration data");
    await lab.panel.send(running({ stage: "search", fraction: 0.2 }));
    const told = await lab.at("announcer").innerText();
    expect(told).toContain("Searching ranks");
    await lab.panel.send(running({ stage: "search", fraction: 0.9, secondsLeft: 2 }));
    expect(await lab.at("announcer").innerText()).toBe(told);
    await lab.panel.send(analysis({ kind: "idle" }), reported(lab.real));
    expect(await lab.at("announcer").innerText()).toBe("The analysis is done.");
    expect(await lab.at("file-name").evaluate((name) => name === document.activeElement)).toBe(true);
  });

  it("shows the headline, the device and every layer of a report", async () => {
    await lab.openReport();
    const percent = (share: number, digits: number): string => `${(100 * share).toFixed(digits)}%`;
    const { totals, accuracy, layers } = lab.real;
    expect(await lab.at("figure-mlu").innerText()).toContain(percent(totals.mlu!, 1));
    expect(await lab.at("figure-mlu").innerText()).toContain(`${percent(totals.originalMlu, 1)} by the weights alone`);
    expect(await lab.at("figure-accuracy").innerText()).toContain(`${percent(accuracy.original!, 2)} → ${percent(accuracy.decomposed!, 2)}`); // prettier-ignore
    expect(await lab.at("measurement").innerText()).toContain(lab.real.device.why);
    expect(await lab.at("layer-row").count()).toBe(layers.length);
    for (const [i, one] of layers.entries()) {
      const cells = await lab.at("layer-row").nth(i).locator("th, td").allInnerTexts();
      expect(cells.slice(1, 4)).toEqual([one.name, one.op, `${one.rows}×${one.columns}`]);
      expect(cells.slice(4, 6)).toEqual([String(one.kS), String(one.kT)]);
      expect(cells[6].split("\n")[0]).toBe(String(one.utilizedRank));
      expect(cells.at(-1)).toContain(
        one.outcome.kind === "decomposed" ? `rank ${one.outcome.rank}` : one.outcome.reason,
      );
    }
    const { share, colours } = await lab.panel.painted("snapshot-chart");
    expect(share).toBeGreaterThan(0.05);
    const used = await lab.panel.page.evaluate(() => document.body.style.getPropertyValue("--used"));
    expect(colours).toContain(used);
  });

  it("comes back as it was left", async () => {
    await lab.openReport();
    await lab.at("sort-error").click();
    await lab.at("filter").fill("features");
    await expect.poll(() => lab.rows().count()).toBe(6);
    await lab.rows().nth(3).locator("td").first().click();
    const [names, name] = [await lab.rowNames(), await lab.at("layer-name").innerText()];
    await lab.panel.page.evaluate(() => scrollTo({ top: 300 }));
    await lab.panel.page.waitForTimeout(400);
    const kept = await lab.panel.kept();
    await lab.openReport(lab.real, kept);
    expect(await lab.rowNames()).toEqual(names);
    expect(await lab.at("filter").inputValue()).toBe("features");
    expect(await lab.at("layer-name").innerText()).toBe(name);
    expect(await lab.panel.page.evaluate(() => scrollY)).toBe(300);
    expect(await lab.panel.page.locator("[aria-sort]").getAttribute("data-column")).toBe("error");
    await lab.openReport(lab.real, { sort: "by rank", filter: 7, open: {}, scroll: "far" });
    expect(await lab.at("layer-row").count()).toBe(8);
    expect(await lab.panel.complaints()).toEqual([]);
  });

  it("saves a chart as a PNG on the background of the theme", async () => {
    await lab.openReport();
    await lab.at("save-snapshot").click();
    await lab.panel.page.waitForFunction(() => document.querySelector("canvas") !== null);
    await expect.poll(async () => (await lab.panel.posted()).at(-1)?.kind).toBe("savePng");
    const saved = (await lab.panel.posted()).at(-1);
    if (saved?.kind !== "savePng") throw new Error("no chart was saved");
    expect(saved.name).toBe("net-snapshot.png");
    expect([...saved.png.slice(0, 8)]).toEqual([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    const corner = await lab.panel.page.evaluate(async (png) => {
      const bitmap = await createImageBitmap(new Blob([png as BlobPart], { type: "image/png" }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext("2d")!;
      context.drawImage(bitmap, 0, 0);
      return { pixel: [...context.getImageData(1, 1, 1, 1).data], width: bitmap.width, height: bitmap.height };
    }, saved.png);
    expect(corner).toEqual({ pixel: [0x1f, 0x1f, 0x1f, 255], width: 2400, height: 1120 });
  });

  it("takes the colours of another theme at once", async () => {
    await lab.openReport();
    const before = await lab.panel.painted("snapshot-chart");
    await lab.panel.switchTheme("Light Modern");
    const after = await lab.panel.painted("snapshot-chart");
    expect(after.share).toBeCloseTo(before.share, 2);
    expect(after.colours).not.toEqual(before.colours);
    const used = await lab.panel.page.evaluate(() => document.body.style.getPropertyValue("--used"));
    expect(used).toBe("#0063d3");
    expect(after.colours).toContain(used);
  });

  it("shows what there is of a report without data, and of one layer", async () => {
    await lab.openReport(weightsReport());
    expect(await lab.at("figure-mluOfWeights").isVisible()).toBe(true);
    expect(await lab.at("export").isVisible()).toBe(false);
    expect(await lab.at("analyze").innerText()).toBe("Analyze Utilized Rank");
    await lab.at("layer-row").first().locator("td").first().click();
    expect(await lab.at("weights-figure").isVisible()).toBe(true);
    for (const absent of ["input", "energy", "search"]) {
      expect(await lab.at(`${absent}-figure`).isVisible()).toBe(false);
    }
    expect(await lab.panel.page.innerText("body")).not.toMatch(/null|NaN|undefined/);
    await lab.openReport(report([layer("only")]));
    expect((await lab.panel.painted("snapshot-chart")).share).toBeGreaterThan(0.02);
    expect(await lab.at("row-count").innerText()).toBe("1 layer");
  });
});
