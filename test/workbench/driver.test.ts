import { writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { allThemes } from "./driver";
import { provisionWorkbench } from "./provision";
import { useWorkbench } from "./useWorkbench";

const programs = await provisionWorkbench();

// What other tests do with the extension is done here with VS Code's own commands: where these fail, the driver is to blame.
describe.skipIf(programs === null)("the driver of the workbench", () => {
  const opened = useWorkbench(programs);

  it("chooses from the menu of a file, and reads a webview", async () => {
    const { workbench } = opened;
    await workbench.contextMenu(await workbench.explorerRow("README.md"), "Open Preview");
    await expect.poll(() => workbench.webview().locator("h1").textContent()).toBe("The shapes example");
  });

  it("chooses colours, and takes pictures of them", async () => {
    const { workbench } = opened;
    const shades: number[] = [];
    for (const theme of allThemes) {
      await workbench.useTheme(theme);
      const { channels } = await sharp(await workbench.screenshot(`preview-${theme}`)).stats();
      shades.push(Math.round(channels[0].mean));
    }
    const [light, dark, highContrast] = shades;
    expect(light).toBeGreaterThan(200);
    expect(dark).toBeLessThan(80);
    expect(highContrast).toBeLessThan(dark);
  });

  it("runs a command, chooses from a list, and fills in a field", async () => {
    const { workbench } = opened;
    await workbench.command("Snippets: Configure Snippets");
    await workbench.pick("New Global Snippets file...");
    await workbench.answer("probe");
    await workbench.page.getByRole("tab", { name: /^probe\.code-snippets/, selected: true }).waitFor();
  });

  it("points at a word", async () => {
    const { workbench, folder } = opened;
    writeFileSync(path.join(folder, "probe.css"), "body {\n  text-overflow: clip;\n}\n");
    await workbench.openFile("probe.css");
    const hover = await workbench.hoverWord("text-overflow");
    await expect.poll(() => hover.textContent()).toContain("Text can overflow");
  });

  it("reads notifications, and presses their buttons", async () => {
    const { workbench } = opened;
    await workbench.command("View: Close All Editors");
    await workbench.command("Extensions: Install Missing Dependencies");
    const toast = workbench.toast("There are no missing dependencies to install");
    await toast.hover();
    await toast.getByRole("button", { name: /Clear Notification/ }).click();
    await toast.waitFor({ state: "hidden" });
  });

  it("reloads the window", async () => {
    const { workbench } = opened;
    await workbench.openFile("network.py");
    await workbench.reloadWindow();
    await workbench.page.getByRole("tab", { name: /^network\.py/, selected: true }).waitFor();
    await (await workbench.explorerRow("model.onnx")).waitFor();
  });
});
