import * as vscode from "vscode";

/** The context keys by which package.json shows and hides commands. */
type ModelList = "ranklens.modelsWithReport" | "ranklens.modelsBeingAnalyzed";

/** Sets a list of models for `resourcePath in …`; an empty one is unset, so that the key alone says whether there are any. */
export function tellMenus(key: ModelList, models: readonly vscode.Uri[]): void {
  const paths = models.length === 0 ? undefined : models.map(({ fsPath }) => fsPath);
  void vscode.commands.executeCommand("setContext", key, paths);
}
