import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as vscode from "vscode";

const ID = "ranklens.ranklens";
const LONGEST_ACTIVATION_MS = 50;

describe("the extension in its host", () => {
  it("is there, and asleep until it is needed", () => {
    const extension = vscode.extensions.getExtension(ID);
    assert.ok(extension, `${ID} is among the extensions`);
    assert.equal(extension.isActive, false);
  });

  it("runs beside the files, not in the browser", () => {
    assert.equal(vscode.extensions.getExtension(ID)!.extensionKind, vscode.ExtensionKind.Workspace);
  });

  it("wakes up without an error, before anyone notices", async () => {
    const extension = vscode.extensions.getExtension(ID)!;
    const start = performance.now();
    await extension.activate();
    const took = performance.now() - start;
    assert.equal(extension.isActive, true);
    // With the way to VS Code and back.
    assert.ok(took < LONGEST_ACTIVATION_MS, `it took ${took.toFixed(0)} ms`);
    console.log(`Activation took ${took.toFixed(1)} ms.`);
  });
});
