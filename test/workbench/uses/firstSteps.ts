import { it } from "vitest";
import type { Opened } from "../useWorkbench";

/** What a new user meets: the walkthrough and the sample. */
export function useOfFirstSteps(opened: Opened): void {
  it("is led through the first steps", async () => {
    const { workbench } = opened;
    await workbench.command("Welcome: Open Walkthrough...");
    await workbench.quickInput().fill("RankLens");
    await workbench.pick("Get Started with RankLens");
    await workbench.page.getByRole("button", { name: "Analyze the Sample Model" }).first().waitFor();
    // The picture of the step is a page of its own.
    await workbench.webview().locator("svg").waitFor();
    await workbench.screenshot("walkthrough");
  });

  it("tries the sample, and cancels it", async () => {
    const { workbench } = opened;
    await workbench.command("RankLens: Analyze the Sample Model");
    await workbench.panel("running").waitFor();
    await workbench.toast("Analyzing model.onnx").getByRole("button", { name: "Cancel" }).click();
    await workbench.webview().getByText("The analysis was cancelled").first().waitFor();
  });
}
