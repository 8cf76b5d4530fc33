import { describe, expect, it } from "vitest";
import { provisionWorkbench } from "./provision";
import { useWorkbench } from "./useWorkbench";

const programs = await provisionWorkbench();

describe.skipIf(programs === null)("the packaged extension in a workbench", () => {
  const opened = useWorkbench(programs);

  it("is installed and shows what it is", async () => {
    const { workbench } = opened;
    const { page } = workbench;
    await workbench.command("Extensions: Show Installed Extensions");
    await page.locator(".extensions-viewlet .extension-list-item").filter({ hasText: "RankLens" }).click();
    await expect.poll(() => workbench.webview().locator("h1").first().textContent()).toBe("RankLens");
    const icon = page.locator(".extension-editor img").first();
    await expect.poll(() => icon.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(256);
    // What a README refers to within its VSIX is not shown.
    expect(await workbench.webview().locator("img:not([src^='https://'])").count()).toBe(0);
    await workbench.screenshot("extension");
  });

  it("sleeps until it is needed", async () => {
    const details = opened.workbench.page.locator(".extension-editor");
    await details.locator(".navbar").getByText("Features").click();
    await details.getByRole("listitem", { name: "Runtime Status" }).click();
    await details.getByText("Not yet activated").waitFor();
  });
});
