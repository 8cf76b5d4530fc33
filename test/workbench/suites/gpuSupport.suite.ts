import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { describe, it } from "mocha";
import * as vscode from "vscode";
import { cudaArchive } from "../../gpuSupport/standins";
import { answering, inFolder, theApp, type Question } from "./host";

/** Takes the entry of the list whose label fits, and the given file. */
async function choose(label: RegExp, file: string): Promise<readonly Question[]> {
  const app = await theApp();
  const pick = (items: unknown): unknown =>
    (items as readonly vscode.QuickPickItem[]).find((item) => label.test(item.label));
  return answering({ showQuickPick: pick, showOpenDialog: () => [vscode.Uri.file(file)] }, () =>
    app.run("ranklens.installGpu", []),
  );
}

const said = (questions: readonly Question[]): string[] =>
  questions.filter(({ method }) => method.endsWith("Message")).map(({ args }) => String(args[0]));

describe("the GPU support", () => {
  it("is installed from a file into the extension's storage, says what is missing, and is removed", async () => {
    const file = inFolder("cuda.nupkg");
    writeFileSync(file, cudaArchive("libcudnn.so.9"));
    try {
      assert.deepEqual(said(await choose(/CUDA for models, from a downloaded file/, file)), [
        "CUDA for models is installed, but does not work yet: libcudnn.so.9 is missing (NVIDIA's package cudnn9-cuda-12)",
      ]);
      assert.deepEqual(said(await choose(/Remove CUDA for models/, file)), ["CUDA for models was removed."]);
      writeFileSync(file, "no archive");
      const [message, ...more] = said(await choose(/CUDA for models, from a downloaded file/, file));
      assert.match(message, /^CUDA's provider is not installed: .*cuda\.nupkg is not a readable NuGet package[^\n]*$/);
      assert.deepEqual(more, []);
    } finally {
      rmSync(file);
    }
  });
});
