import * as vscode from "vscode";
import { MODEL_EDITOR } from "./commandIds";

/** Opens the panel of a model, or brings it to the front. */
export async function showModel(uri: vscode.Uri): Promise<void> {
  await vscode.commands.executeCommand("vscode.openWith", uri, MODEL_EDITOR, { preview: false });
}

/** The model whose panel is in front; undefined if there is none. */
export function activeModel(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom && input.viewType === MODEL_EDITOR ? input.uri : undefined;
}

/** Lets the user choose one of the models of the workspace, or of `among`; undefined if none is chosen. */
export async function pickModel(title: string, among?: readonly vscode.Uri[]): Promise<vscode.Uri | undefined> {
  const models = among ?? (await vscode.workspace.findFiles("**/*.onnx", "**/node_modules/**", MOST_MODELS));
  if (models.length === 0) {
    void vscode.window.showInformationMessage(
      among === undefined
        ? vscode.l10n.t("There is no ONNX model (*.onnx) in this workspace. Open a folder with one, or try the sample.")
        : vscode.l10n.t("No model of this workspace has been analyzed yet."),
    );
    return undefined;
  }
  const items = models.map((uri) => ({ label: vscode.workspace.asRelativePath(uri), uri }));
  items.sort((a, b) => a.label.localeCompare(b.label));
  return (await vscode.window.showQuickPick(items, { title, matchOnDescription: true }))?.uri;
}

/** More than anyone scrolls through. */
const MOST_MODELS = 1000;
