import * as vscode from "vscode";
import { parseSettings, settingNames, type AnalysisSettings } from "../host/analysisOptions";
import { workerClient, type WorkerClient } from "../worker/client";

/** The settings that hold for a model. @throws ExpectedError for one that is wrong. */
export function settingsFor(model: vscode.Uri): AnalysisSettings {
  const configuration = vscode.workspace.getConfiguration("ranklens", model);
  const values = Object.fromEntries(settingNames.map((name) => [name, configuration.get<unknown>(name)]));
  return parseSettings(values as Record<keyof AnalysisSettings, unknown>, (english, ...texts) =>
    vscode.l10n.t(english, ...texts),
  );
}

/** The analysis process; what it writes to stderr goes to the log. */
export function worker({ nodePath }: AnalysisSettings, log: vscode.LogOutputChannel): WorkerClient {
  return workerClient({
    ...(nodePath === "" ? {} : { nodePath }),
    onStderr: (text) => {
      for (const line of text.split("\n")) if (line.trim() !== "") log.warn(line);
    },
  });
}
