import * as vscode from "vscode";
import { isExpected } from "../errors";
import { plain } from "./plain";

/** What a user reads about an error; the log gets the stack of one that is nobody's mistake but ours. */
export function failureText(error: unknown, log: vscode.LogOutputChannel): string {
  if (isExpected(error)) {
    log.error(error.message);
    return error.message;
  }
  log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const message = error instanceof Error ? error.message : String(error);
  return vscode.l10n.t("Internal error of RankLens, please report it with the log: {0}", message);
}

/** Shows a failure once, with the log and the given actions at hand. Never rejects. */
export async function showFailure(
  message: string,
  log: vscode.LogOutputChannel,
  actions: Readonly<Record<string, () => Promise<void>>> = {},
): Promise<void> {
  const showLog = vscode.l10n.t("Show Log");
  const chosen = await vscode.window.showErrorMessage(plain(message), ...Object.keys(actions), showLog);
  if (chosen === showLog) log.show();
  else if (chosen !== undefined) await guarded(log, actions[chosen]);
}

/** Runs a command. Its failure is shown here: one that is thrown on would open a dialog over it. */
export async function guarded(log: vscode.LogOutputChannel, command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    await showFailure(failureText(error, log), log);
  }
}
