import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import type { App } from "../../../src/editor/app";
import type { AnalysisState } from "../../../src/editor/panelProtocol";

/** What suites share: the extension from inside, the models of the open folder, and answers to its questions. */

/** A copy of the example in the open folder, with data of its own. */
export interface TestModel {
  readonly uri: vscode.Uri;
  readonly config: string;
  remove(): void;
}

export async function theApp(): Promise<App> {
  const extension = vscode.extensions.getExtension<{ app(): Promise<App> }>("ranklens.ranklens");
  assert.ok(extension);
  return (await extension.activate()).app();
}

export function inFolder(name: string): string {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  return path.join(folder.uri.fsPath, name);
}

/** The example under another name, which may begin with a folder. With few samples and a large tolerance it is analysed within some seconds. */
export function testModel(name: string, samples = 100): TestModel {
  const file = inFolder(`${name}.onnx`);
  const config = inFolder(`${name}.ranklens.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  copyFileSync(inFolder("model.onnx"), file);
  const data = (kind: string): object => ({
    source: inFolder(`${kind}_images.npy`),
    labels: inFolder(`${kind}_labels.npy`),
    limit: samples,
  });
  const preprocess = { layout: "NHWC", scale: 1 / 255, mean: 0.5, std: 0.25 };
  const content = { calibration: data("calibration"), validation: data("validation"), preprocess, tolerance: 5 };
  writeFileSync(config, JSON.stringify(content));
  return {
    uri: vscode.Uri.file(file),
    config,
    remove: () => [file, config].forEach((one) => rmSync(one, { force: true })),
  };
}

/** Waits until `value` gives something; looks fifty times a second. */
export async function until<T>(value: () => T | null | undefined | false, what: string, ms = 30_000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const found = value();
    if (found !== null && found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`${what}: not within ${ms / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits for a state of the analysis of a model. */
export async function analysisIs(
  app: App,
  { uri }: TestModel,
  ...kinds: readonly AnalysisState["kind"][]
): Promise<void> {
  const record = app.models.record(uri);
  await until(() => kinds.includes(record.analysis.kind), `${record.fileName} ${kinds.join(" or ")}`);
}

/** Waits until layers have been found. */
export async function layersFound(app: App, { uri }: TestModel): Promise<void> {
  await until(() => app.models.record(uri).layers.length > 0, "the first layer");
}

/** The messages and questions of a window, and what a user would answer. */
type Asked = "showErrorMessage" | "showInformationMessage" | "showWarningMessage" | "showQuickPick" | "showSaveDialog" | "showOpenDialog"; // prettier-ignore

/** One call of a method of `vscode.window`. */
export interface Question {
  readonly method: Asked;
  readonly args: readonly unknown[];
}

const METHODS: readonly Asked[] = ["showErrorMessage", "showInformationMessage", "showWarningMessage", "showQuickPick", "showSaveDialog", "showOpenDialog"]; // prettier-ignore

/** Answers for the user as long as `action` runs. Gives all that was asked, in order; what has no answer is dismissed. */
export async function answering(
  answers: Partial<Record<Asked, (...args: readonly unknown[]) => unknown>>,
  action: () => Promise<void>,
): Promise<readonly Question[]> {
  const asked: Question[] = [];
  const window = vscode.window as unknown as Record<Asked, (...args: unknown[]) => unknown>;
  const originals = METHODS.map((method) => [method, window[method]] as const);
  for (const method of METHODS) {
    window[method] = (...args) => {
      asked.push({ method, args });
      return Promise.resolve(answers[method]?.(...args));
    };
  }
  try {
    await action();
  } finally {
    for (const [method, original] of originals) window[method] = original;
  }
  return asked;
}

export async function closeEditors(): Promise<void> {
  await vscode.commands.executeCommand("workbench.action.closeAllEditors");
}
