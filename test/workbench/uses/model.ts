import { existsSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import type { Opened } from "../useWorkbench";

/** From the file to its report, and from there to a smaller model and into the source. */
export function useOfAModel(opened: Opened): void {
  it("sees what is in a model", async () => {
    const { workbench } = opened;
    await workbench.openFile("model.onnx");
    await workbench.panel("ready").waitFor();
    await workbench.screenshot("model");
  });

  it("analyzes it from the explorer's menu and sees the layers", async () => {
    const { workbench } = opened;
    await workbench.contextMenu(await workbench.explorerRow("model.onnx"), "Analyze Utilized Rank");
    await workbench.panel("running").waitFor();
    await workbench.toast("Analyzing model.onnx").waitFor();
    await workbench.screenshot("running");
    await workbench.panel("report").waitFor({ timeout: 120_000 });
    await workbench.screenshot("report");
  });

  it("finds the report again after a reload", async () => {
    const { workbench } = opened;
    await workbench.reloadWindow();
    await workbench.panel("report").waitFor();
  });

  it("sees what an export does, and exports", async () => {
    const { workbench, folder } = opened;
    const { page } = workbench;
    await workbench.command("RankLens: Export Compressed Model…");
    const dialog = page.locator(".monaco-dialog-box");
    await dialog.getByText("Parameters: 127,866").waitFor();
    await workbench.screenshot("export");
    await dialog.getByRole("button", { name: "Export…" }).click();
    await expect.poll(() => workbench.quickInput().inputValue()).toBe(path.join(folder, "model.small.onnx"));
    await workbench.quickInput().press("Enter");
    await workbench.toast("model.small.onnx has").waitFor();
    await workbench.screenshot("exported");
    expect(existsSync(path.join(folder, "model.small.onnx"))).toBe(true);
    await workbench.toast("model.small.onnx has").getByRole("button", { name: "Open" }).click();
    await page.getByRole("tab", { name: /^model\.small\.onnx/, selected: true }).waitFor();
  });

  it("goes from a layer in the source to its place in the panel", async () => {
    const { workbench } = opened;
    await workbench.openFile("network.py");
    const hover = await workbench.hoverWord("Linear");
    await workbench.screenshot("hover");
    await hover.getByRole("link").first().click();
    await workbench.page.getByRole("tab", { name: /^model\.onnx/, selected: true }).waitFor();
    await workbench.webview().getByRole("heading", { name: "classifier.0.weight" }).waitFor();
    await workbench.screenshot("layer");
  });
}
