import * as vscode from "vscode";
import { supportEnvironment } from "../gpuSupport/places";
import { parseSettings, settingNames, type AnalysisSettings } from "../host/analysisOptions";
import { workerClient, type WorkerClient } from "../worker/client";

/** The settings that hold for a model. @throws ExpectedError for one that is wrong. */
export function settingsFor(model: vscode.Uri | undefined): AnalysisSettings {
  const configuration = vscode.workspace.getConfiguration("ranklens", model);
  const values = Object.fromEntries(settingNames.map((name) => [name, configuration.get<unknown>(name)]));
  return parseSettings(values as Record<keyof AnalysisSettings, unknown>, (english, ...texts) =>
    vscode.l10n.t(english, ...texts),
  );
}

/** Gives the analysis process for a model's settings. */
export type StartWorker = (settings: AnalysisSettings) => WorkerClient;

/**
 * What analysis processes write to stderr goes to the log.
 * @param supportFolder where they find what is installed for GPUs.
 */
export function workerStarter(supportFolder: string, log: vscode.LogOutputChannel): StartWorker {
  return ({ nodePath }) =>
    workerClient({
      ...(nodePath === "" ? {} : { nodePath }),
      env: supportEnvironment(supportFolder),
      onStderr: (text) => {
        for (const line of text.split("\n")) if (line.trim() !== "") log.warn(line);
      },
    });
}
