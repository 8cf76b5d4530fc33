import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "mocha";
import * as vscode from "vscode";
import type * as extensionModule from "../../../src/extension";

/**
 * Of processor time, of which it takes some 3 ms, so that it stays below 50 ms on the clock. VS Code reports the latter, to which
 * whatever else runs on the machine adds.
 */
const LONGEST_ACTIVATION_MS = 25;

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

  // Before VS Code does the same, so that nothing of it has been loaded.
  it("does not keep others waiting when it wakes up", () => {
    const main = vscode.Uri.joinPath(vscode.extensions.getExtension(ID)!.extensionUri, "dist", "extension.js").fsPath;
    const load = createRequire(main);
    const subscriptions: vscode.Disposable[] = [];
    const context = { subscriptions, workspaceState: { get: () => undefined } };
    const before = process.cpuUsage();
    const { activate } = load(main) as typeof extensionModule;
    activate(context as unknown as vscode.ExtensionContext);
    const { user, system } = process.cpuUsage(before);
    vscode.Disposable.from(...subscriptions).dispose();
    Reflect.deleteProperty(load.cache, main);
    const took = (user + system) / 1000;
    assert.ok(subscriptions.length > 0);
    assert.ok(took < LONGEST_ACTIVATION_MS, `it took ${took.toFixed(0)} ms of processor time`);
  });

  it("wakes up without an error", async () => {
    const extension = vscode.extensions.getExtension(ID)!;
    await extension.activate();
    assert.equal(extension.isActive, true);
  });
});
