import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as vscode from "vscode";

const ID = "ranklens.ranklens";

describe("the extension in its host", () => {
  it("is there, and asleep until it is needed", () => {
    const extension = vscode.extensions.getExtension(ID);
    assert.ok(extension, `${ID} is among the extensions`);
    assert.equal(extension.isActive, false);
  });

  it("runs beside the files, not in the browser", () => {
    assert.equal(vscode.extensions.getExtension(ID)!.extensionKind, vscode.ExtensionKind.Workspace);
  });

  it("wakes up without an error", async () => {
    const extension = vscode.extensions.getExtension(ID)!;
    await extension.activate();
    assert.equal(extension.isActive, true);
  });
});
