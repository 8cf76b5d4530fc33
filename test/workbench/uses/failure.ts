import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import type { Opened } from "../useWorkbench";

/** So that a run takes some seconds, and is not over before it is killed. */
const SAMPLES = 600;

/** What becomes of the window when the analysis process does not live to tell. */
export function useOfAFailure(opened: Opened): void {
  it("is told once that the analysis process was killed, and tries again", async () => {
    const { workbench, folder } = opened;
    copyFileSync(path.join(folder, "model.onnx"), path.join(folder, "fragile.onnx"));
    const data = z.object({ calibration: z.object({}).loose(), validation: z.object({}).loose() }).loose();
    const config = data.parse(JSON.parse(readFileSync(path.join(folder, "model.ranklens.json"), "utf8")));
    Object.assign(config, { validation: { ...config.validation, limit: SAMPLES }, tolerance: 5 });
    writeFileSync(path.join(folder, "fragile.ranklens.json"), JSON.stringify(config));

    const toast = workbench.toast("The analysis process was killed (SIGKILL)");
    const killed = async (): Promise<void> => {
      await workbench.webview().getByText("Searching ranks").first().waitFor();
      const workers = workbench.server.running("worker.js");
      expect(workers).toHaveLength(1);
      for (const pid of workers) process.kill(pid, "SIGKILL");
      await workbench.panel("failed").waitFor();
      await toast.waitFor();
    };

    await workbench.openFile("fragile.onnx");
    await workbench.panel("ready").waitFor();
    await workbench.contextMenu(await workbench.explorerRow("fragile.onnx"), "Analyze Utilized Rank");
    await killed();
    await workbench.screenshot("killed");
    expect(await workbench.toast("").count()).toBe(1);
    expect(await workbench.page.locator(".monaco-dialog-box").count()).toBe(0);
    expect(await toast.getByRole("button", { name: "Retry" }).count()).toBe(1);
    await toast.getByRole("button", { name: "Show Log" }).click();
    // The channel alone: code-server without native modules, as it is installed here, keeps no text of logs.
    const channel = workbench.page.getByLabel("Switch Output").first();
    await expect.poll(() => channel.inputValue()).toBe("RankLens");
    await workbench.command("View: Toggle Panel Visibility");

    await workbench.webview().getByTestId("retry").click();
    await killed();
    await toast.getByRole("button", { name: "Retry" }).click();
    await workbench.panel("report").waitFor();
    expect(await toast.count()).toBe(0);
  });
}
