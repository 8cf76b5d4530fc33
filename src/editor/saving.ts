import path from "node:path";
import * as vscode from "vscode";
import { pngName } from "../host/fromPanel";
import { tableCsv, tableJson, tableMarkdown, tableRows, type TableRow } from "../reportTable";
import type { Models } from "./models";
import type { CopyFormat } from "./panelProtocol";

const WRITERS: Readonly<Record<CopyFormat, (rows: readonly TableRow[]) => string>> = {
  markdown: tableMarkdown,
  csv: tableCsv,
  json: tableJson,
};

/** How long the status bar says that something has been copied. */
const SHOWN_MS = 3000;

/** Copies the table of a model's layers. */
export async function copyTable(models: Models, uri: vscode.Uri, format: CopyFormat): Promise<void> {
  const { layers } = models.record(uri);
  if (layers.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t("There is nothing to copy yet: analyze the model first."));
    return;
  }
  await vscode.env.clipboard.writeText(WRITERS[format](tableRows(layers)));
  const { length } = layers;
  const copied = length === 1 ? vscode.l10n.t("Copied 1 layer") : vscode.l10n.t("Copied {0} layers", length);
  vscode.window.setStatusBarMessage(copied, SHOWN_MS);
}

/** Saves a chart under a name that the user picks. */
export async function savePng(model: vscode.Uri, name: string, png: Uint8Array): Promise<void> {
  const target = await vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.joinPath(model, "..", `${path.posix.parse(model.path).name}-${pngName(name)}`),
    filters: { PNG: ["png"] },
  });
  if (target !== undefined) await vscode.workspace.fs.writeFile(target, png);
}
