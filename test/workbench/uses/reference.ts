import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { cifarConfig, missingReference, referenceFolder } from "../../reference/data";
import type { Opened } from "../useWorkbench";

/** Enough for ranks that mean little, and for an analysis of seconds. */
const SAMPLES = 60;

const missing = missingReference();
if (missing !== undefined) console.warn(`SKIPPED: ${missing}`);

/** A network as people have it: ResNet-20 with real images. */
export function useOfAReferenceNetwork(opened: Opened): void {
  it.skipIf(missing !== undefined)("analyzes ResNet-20 from the explorer's menu", async () => {
    const { workbench, folder } = opened;
    const inFolder = (name: string): string => path.join(folder, "reference", name);
    mkdirSync(inFolder(""));
    copyFileSync(path.join(referenceFolder, "models", "resnet20.onnx"), inFolder("resnet20.onnx"));
    writeFileSync(inFolder("resnet20.ranklens.json"), JSON.stringify({ ...cifarConfig(SAMPLES), tolerance: 5 }));
    await (await workbench.explorerRow("reference")).click();
    await workbench.contextMenu(await workbench.explorerRow("resnet20.onnx"), "Analyze Utilized Rank");
    await workbench.panel("running").waitFor();
    const panel = workbench.webview();
    // The first layers are there long before the last.
    await panel.getByText(/two layers of rank|^kept$/).first().waitFor(); // prettier-ignore
    await workbench.screenshot("resnet20-running");
    await workbench.panel("report").waitFor({ timeout: 120_000 });
    await panel.getByText("20 layers", { exact: true }).waitFor();
    await panel.getByTestId("figure-mlu").waitFor();
    await expect
      .poll(() => panel.getByTestId("figure-accuracy").textContent())
      .toContain(`${SAMPLES} validation samples`);
    await workbench.screenshot("resnet20");
  });
}
