import { copyFileSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import type { Opened } from "../useWorkbench";

/** The questions for a config. Needs the exported model.small.onnx. */
export function useOfNewData(opened: Opened): void {
  it("is asked for data where there is no config, and sees why the proposed one is so", async () => {
    const { workbench, folder } = opened;
    mkdirSync(path.join(folder, "new"));
    renameSync(path.join(folder, "model.small.onnx"), path.join(folder, "new", "small.onnx"));
    for (const what of ["images", "labels"]) {
      copyFileSync(path.join(folder, `validation_${what}.npy`), path.join(folder, "new", `${what}.npy`));
    }
    await (await workbench.explorerRow("new")).click();
    await workbench.contextMenu(await workbench.explorerRow("small.onnx"), "Analyze Utilized Rank");
    // Icons are part of a row's name.
    const choice = (text: string) => workbench.page.locator(".quick-input-list").getByText(text);
    await choice("Weights only").waitFor();
    await workbench.screenshot("wizard");
    await choice("Files with samples").click();
    await choice("images.npy").waitFor();
    await workbench.screenshot("files");
    await workbench.page.locator(".quick-input-widget").getByRole("button", { name: "OK" }).click();
    await choice("-1 to 1").waitFor();
    await workbench.screenshot("question");
    await choice("-1 to 1").click();
    await choice("Write small.ranklens.json and open it").waitFor();
    // Of the answer, not of what was proposed.
    await choice("the model runs, and 54 of 64 samples are right").waitFor();
    await workbench.screenshot("proposal");
    await choice("Write small.ranklens.json and open it").click();
    await workbench.page.getByRole("tab", { name: /^small\.ranklens\.json/, selected: true }).waitFor();
    await workbench.screenshot("config");
    const config = readFileSync(path.join(folder, "new", "small.ranklens.json"), "utf8");
    expect(JSON.parse(config)).toMatchObject({
      calibration: { source: "images.npy", labels: "labels.npy" },
      preprocess: { layout: "NHWC" },
    });
  });
}
