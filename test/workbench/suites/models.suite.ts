import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, describe, it } from "mocha";
import * as vscode from "vscode";
import { COMMANDS, MODEL_EDITOR } from "../../../src/editor/commandIds";
import { answering, closeEditors, inFolder, testModel, theApp, until } from "./host";

async function open(file: string): Promise<vscode.Uri> {
  const uri = vscode.Uri.file(file);
  await vscode.commands.executeCommand("vscode.open", uri);
  return uri;
}

async function modelOf(uri: vscode.Uri) {
  const app = await theApp();
  return until(() => {
    const [message] = app.models.record(uri).messages();
    return message.kind === "model" ? message.model : null;
  }, "the model");
}

describe("a model in the editor", () => {
  afterEach(closeEditors);

  it("has all its commands", async () => {
    await theApp();
    const registered = await vscode.commands.getCommands(true);
    assert.deepEqual(
      COMMANDS.filter((command) => !registered.includes(command)),
      [],
    );
  });

  it("opens in the panel, never as text, and says what is in the file", async () => {
    const uri = await open(inFolder("model.onnx"));
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    assert.ok(input instanceof vscode.TabInputCustom);
    assert.equal(input.viewType, MODEL_EDITOR);
    assert.equal(vscode.window.visibleTextEditors.length, 0);
    const model = await modelOf(uri);
    assert.ok(model.kind === "opened");
    assert.equal(model.inspection.layers.length, 8);
    assert.equal(model.inspection.model.parameters, 127_866);
  });

  it("says in one line why a file cannot be read", async () => {
    const file = inFolder("broken.onnx");
    writeFileSync(file, "This is no model.");
    try {
      const model = await modelOf(await open(file));
      assert.ok(model.kind === "unreadable");
      assert.match(model.message, /^[^\n]*broken\.onnx[^\n]*$/);
    } finally {
      rmSync(file);
    }
  });

  it("is looked at again when its file changes, goes, and comes back", async () => {
    const { models } = await theApp();
    const model = testModel("changing");
    try {
      await open(model.uri.fsPath);
      const kind = (): string => {
        const [message] = models.record(model.uri).messages();
        return message.kind === "model" ? message.model.kind : "";
      };
      await until(() => kind() === "opened", "opened");
      // Watchers of VS Code begin a while after they are asked to.
      await until(() => {
        rmSync(model.uri.fsPath, { force: true });
        return kind() === "unreadable";
      }, "gone");
      copyFileSync(inFolder("model.onnx"), model.uri.fsPath);
      await until(() => kind() === "opened", "back");
      appendFileSync(model.uri.fsPath, "\xff\xff");
      await until(() => kind() === "unreadable", "damaged");
    } finally {
      model.remove();
    }
  });

  it("has a config that VS Code checks", async () => {
    const file = inFolder("checked.ranklens.json");
    writeFileSync(file, JSON.stringify({ calibration: { source: "x.npy" }, tolerance: "high" }));
    try {
      const uri = vscode.Uri.file(file);
      await vscode.window.showTextDocument(uri);
      const problems = await until(() => {
        const found = vscode.languages.getDiagnostics(uri);
        return found.length > 0 && found;
      }, "a problem");
      assert.match(problems[0].message, /Incorrect type|percentage points/);
    } finally {
      rmSync(file);
    }
  });

  it("is not read from a virtual workspace, and says so", async () => {
    const { models } = await theApp();
    const uri = vscode.Uri.parse("memfs:/net.onnx");
    await models.look(uri);
    const model = await modelOf(uri);
    assert.ok(model.kind === "unreadable");
    assert.match(model.message, /virtual workspace \(memfs\)/);
  });

  it("is shown, but not run, where the workspace is not trusted", async () => {
    const app = await theApp();
    const { models } = app;
    const model = testModel("untrusted");
    Object.defineProperty(vscode.workspace, "isTrusted", { get: () => false, configurable: true });
    try {
      const asked = await answering({}, async () => {
        await open(model.uri.fsPath);
        await until(() => models.record(model.uri).messages()[0].kind === "model", "the model");
        app.request(model.uri, { kind: "analyze", preview: false });
        await vscode.commands.executeCommand("ranklens.analyze", model.uri);
      });
      const [message] = models.record(model.uri).messages();
      assert.ok(message.kind === "model" && message.model.kind === "opened" && !message.trusted);
      assert.equal(models.record(model.uri).analysis.kind, "idle");
      assert.deepEqual(new Set(asked.map(({ method }) => method)), new Set(["showWarningMessage"]));
    } finally {
      Object.defineProperty(vscode.workspace, "isTrusted", { get: () => true, configurable: true });
      model.remove();
    }
  });
});
