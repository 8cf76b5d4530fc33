import * as vscode from "vscode";
import { percent } from "../text/numbers";
import type { Analyses } from "./analyses";
import { MODEL_EDITOR } from "./commandIds";
import { progressText } from "./progress";

/** The analysis that runs, in the status bar; a click shows its panel. */
export function statusBar(analyses: Analyses): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("ranklens.analysis", vscode.StatusBarAlignment.Left);
  item.name = "RankLens";
  let unsubscribe: () => void = () => undefined;
  const show = (): void => {
    const [first, ...waiting] = analyses.active;
    if (!first) {
      item.hide();
      return;
    }
    const { uri, record } = first;
    const state = record.analysis;
    const done = state.kind === "running" ? ` ${percent(state.fraction, 0)}` : "";
    item.text = `$(sync~spin) ${record.fileName}${done}`;
    const lines = [`RankLens: ${record.fileName}`, progressText(state)];
    if (waiting.length > 0) {
      lines.push(vscode.l10n.t("Next: {0}", waiting.map((one) => one.record.fileName).join(", ")));
    }
    item.tooltip = lines.filter((line) => line !== "").join("\n");
    item.command = { command: "vscode.openWith", title: "", arguments: [uri, MODEL_EDITOR] };
    item.show();
  };
  const follow = (): void => {
    unsubscribe();
    unsubscribe =
      analyses.active[0]?.record.onMessage(({ kind }) => kind === "analysis" && show()) ?? (() => undefined);
    show();
  };
  return vscode.Disposable.from(item, analyses.onDidChange(follow), new vscode.Disposable(() => unsubscribe()));
}
