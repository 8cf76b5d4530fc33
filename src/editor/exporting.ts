import { existsSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { accuracyText, isError, metricName } from "../text/accuracy";
import { percent, short, thousands } from "../text/numbers";
import { processOptions } from "../host/analysisOptions";
import type { AnalysisQueue } from "../host/analysisQueue";
import { exportFigures, exportPath, type BeforeAfter, type ExportFigures, type NoExport } from "../host/exportPlan";
import type { ModelReport } from "../report";
import type { Analyses } from "./analyses";
import { failureText, showFailure } from "./failures";
import type { Models } from "./models";
import { panelStrings } from "./panelStrings";
import { plain } from "./plain";
import { notifyQueued } from "./progress";
import { showModel } from "./showModel";
import { settingsFor } from "./worker";

/** Writes smaller models by the reports that are kept. */
export class Exports {
  constructor(
    private readonly queue: AnalysisQueue,
    private readonly models: Models,
    private readonly analyses: Analyses,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Shows what an export will do, asks for the file, writes it, and says what came of it. Failures are shown. */
  async export(uri: vscode.Uri): Promise<void> {
    if (!(await this.analyses.mayRun(uri))) return;
    await this.models.look(uri);
    const { report, staleBecause, isBusy, fileName } = this.models.record(uri);
    if (isBusy) return this.refuse(uri, vscode.l10n.t("{0} is being analyzed. Export it when that is done.", fileName));
    if (report === null) {
      return this.refuse(uri, vscode.l10n.t("{0} has not been analyzed: an export needs the ranks.", fileName));
    }
    if (staleBecause !== null) return this.refuse(uri, staleBecause);
    const figures = exportFigures(report);
    if (typeof figures === "string") return this.refuse(uri, refusalText(figures, fileName));
    const target = await chooseTarget(uri, figures);
    if (target === undefined) return;
    const now = this.models.record(uri);
    if (now.isBusy || now.report !== report) {
      return this.refuse(
        uri,
        vscode.l10n.t("{0} has been analyzed anew meanwhile: look at that report first.", fileName),
      );
    }
    // The dialog has asked whether to overwrite what is there now, and nothing that comes to be there.
    await this.write(uri, target, existsSync(target.fsPath));
  }

  private async refuse(uri: vscode.Uri, message: string): Promise<void> {
    const analyze = vscode.l10n.t("Analyze");
    const actions = this.models.record(uri).isBusy ? [] : [analyze];
    const chosen = await vscode.window.showInformationMessage(plain(message), ...actions);
    if (chosen === analyze) await this.analyses.analyze([uri], false);
  }

  private async write(uri: vscode.Uri, target: vscode.Uri, force: boolean): Promise<void> {
    const settings = settingsFor(uri);
    const before = this.models.fingerprintOf(uri);
    const output = { from: this.models.reportFile(uri), output: target.fsPath, force };
    const params = {
      model: uri.fsPath,
      options: { ...processOptions(settings, this.analyses.cacheFolder), ...output },
    };
    this.log.info(`Exporting ${uri.fsPath} to ${target.fsPath}`);
    const title = vscode.l10n.t("Exporting {0}", path.basename(target.fsPath));
    const queued = notifyQueued(this.queue, title, (signal, onEvent) =>
      this.analyses.startWorker(settings).call("compress", params, { signal, onEvent }),
    );
    let report: ModelReport;
    try {
      report = await queued.result;
      this.models.setReport(uri, report);
      this.models.keep(uri, report, before);
    } catch (error) {
      if (queued.cancelled) return;
      const retry = { [vscode.l10n.t("Retry")]: () => this.write(uri, target, force) };
      return void showFailure(failureText(error, this.log), this.log, retry);
    }
    await offerResult(target, report);
  }
}

/** Shows the figures, then asks where to write; undefined if the user thinks better of it. */
async function chooseTarget(uri: vscode.Uri, figures: ExportFigures): Promise<vscode.Uri | undefined> {
  const go = vscode.l10n.t("Export…");
  const question = vscode.l10n.t("Export a smaller copy of {0}?", path.basename(uri.fsPath));
  const chosen = await vscode.window.showInformationMessage(
    plain(question),
    { modal: true, detail: detailOf(figures) },
    go,
  );
  if (chosen !== go) return undefined;
  return vscode.window.showSaveDialog({
    defaultUri: vscode.Uri.file(exportPath(uri.fsPath)),
    filters: { ONNX: ["onnx"] },
    title: vscode.l10n.t("Export Compressed Model"),
    saveLabel: vscode.l10n.t("Export"),
  });
}

function detailOf({ parameters, macs, accuracy, decomposed, layers, preview }: ExportFigures): string {
  const { t } = vscode.l10n;
  const change = ({ before, after }: BeforeAfter, write: (value: number) => string): string =>
    `${write(before)} → ${write(after)} (${percent(after / before)})`;
  const lines = [
    t("Parameters: {0}", change(parameters, thousands)),
    macs ? t("MACs per sample: {0}", change(macs, short)) : t("MACs per sample: not measured"),
    ...(accuracy ? accuracyLines(accuracy) : [t("Accuracy: not measured, there is no validation data")]),
    "",
    t("Layers that become two smaller ones: {0} of {1}", decomposed, layers),
    t("The file is run and measured before it gets its name. The original is not changed."),
  ];
  if (preview) {
    lines.push(t("The ranks are those of a preview on few samples: analyze the model in full to rely on them."));
  }
  return lines.join("\n");
}

function accuracyLines({ metric, before, after, samples }: NonNullable<ExportFigures["accuracy"]>): string[] {
  const words = panelStrings((text) => vscode.l10n.t(text));
  const change = `${accuracyText(before, metric)} → ${accuracyText(after, metric)}`;
  return [
    `${metricName(metric, words)}: ${isError(metric) ? accuracyText(after, metric) : change}`,
    vscode.l10n.t("Validation samples: {0}", thousands(samples)),
  ];
}

function refusalText(reason: NoExport, fileName: string): string {
  switch (reason) {
    case "no ranks":
      return vscode.l10n.t(
        "The report of {0} holds no ranks, only the weights were analyzed. Analyze it with data.",
        fileName,
      );
    case "nothing smaller":
      return vscode.l10n.t(
        "No layer of {0} would get smaller at its utilized rank. A larger tolerance gives lower ranks.",
        fileName,
      );
  }
}

async function offerResult(target: vscode.Uri, report: ModelReport): Promise<void> {
  const open = vscode.l10n.t("Open");
  const reveal = vscode.l10n.t("Reveal");
  const chosen = await vscode.window.showInformationMessage(plain(resultText(target, report)), open, reveal);
  if (chosen === open) await showModel(target);
  if (chosen === reveal) {
    // The system's file manager is on the user's machine, the file may be on another.
    const isLocal = vscode.env.remoteName === undefined && vscode.env.uiKind === vscode.UIKind.Desktop;
    await vscode.commands.executeCommand(isLocal ? "revealFileInOS" : "revealInExplorer", target);
  }
}

function resultText(target: vscode.Uri, { compressed, accuracy: { metric } }: ModelReport): string {
  const name = path.basename(target.fsPath);
  if (compressed === null) return vscode.l10n.t("Written: {0}", name);
  const { bytes, accuracy } = compressed;
  const size = percent(bytes.after / bytes.before);
  if (accuracy.before === null || accuracy.after === null) {
    return vscode.l10n.t("{0} has {1} of the size.", name, size);
  }
  const [before, after] = [accuracy.before, accuracy.after].map((value) => accuracyText(value, metric));
  return isError(metric)
    ? vscode.l10n.t("{0} has {1} of the size; relative output error {2}.", name, size, after)
    : vscode.l10n.t("{0} has {1} of the size; accuracy {2} → {3}.", name, size, before, after);
}
