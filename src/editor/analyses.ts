import * as vscode from "vscode";
import { configFileBeside, loadConfig } from "../config";
import { completedConfig, processOptions } from "../host/analysisOptions";
import type { AnalysisQueue, Queued } from "../host/analysisQueue";
import type { ModelRecord } from "../host/modelRecord";
import type { ModelReport } from "../report";
import { percent } from "../text/numbers";
import { askForConfig, type Measured } from "./configWizard";
import { failureText, guarded, showFailure } from "./failures";
import { plain } from "./plain";
import { tellMenus } from "./menus";
import type { Models } from "./models";
import { notifyAnalysis } from "./progress";
import { activeModel, showModel } from "./showModel";
import { settingsFor, type StartWorker } from "./worker";

/** An analysis that waits or runs. */
export interface ActiveAnalysis {
  readonly uri: vscode.Uri;
  readonly record: ModelRecord;
}

/** Makes the analyses that the user asks for, one after the other, and tells everybody how they go. */
export class Analyses implements vscode.Disposable {
  private readonly jobs = new Map<string, ActiveAnalysis & { readonly queued: Queued<ModelReport> }>();
  private readonly changed = new vscode.EventEmitter<void>();

  /** When an analysis has been added or has ended. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly queue: AnalysisQueue,
    private readonly models: Models,
    /** Where results are kept from one analysis to the next. */
    readonly cacheFolder: string,
    readonly startWorker: StartWorker,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  dispose(): void {
    this.changed.dispose();
  }

  /** Those that run or wait; the first of them runs. */
  get active(): readonly ActiveAnalysis[] {
    return [...this.jobs.values()];
  }

  /**
   * Analyses models and keeps their reports; asks how where no config says so, for one after the other. Failures of analyses
   * are shown.
   * @returns when all have ended, or were not begun.
   * @throws ExpectedError where a model or its data cannot be used, or a setting is wrong.
   */
  async analyze(models: readonly vscode.Uri[], preview: boolean): Promise<void> {
    const runs: Promise<void>[] = [];
    for (const uri of models) {
      const measured = await this.prepare(uri, preview);
      if (measured !== null) runs.push(this.run(uri, measured, preview));
    }
    await Promise.all(runs);
  }

  /** Shows the model, and finds out what to measure; null where there is nothing to do. */
  private async prepare(uri: vscode.Uri, preview: boolean): Promise<Measured | null> {
    if (!(await this.mayRun(uri))) return null;
    await showModel(uri);
    if (this.jobs.has(uri.toString()) || (preview && !(await this.mayReplace(uri)))) return null;
    const file = configFileBeside(uri.fsPath);
    return file === undefined ? askForConfig(uri, settingsFor(uri), this.startWorker) : { kind: "config", file };
  }

  /** Cancels the analysis of a model or, where there is none of it, the one that was begun first. */
  cancel(uri?: vscode.Uri): void {
    const own = uri === undefined ? undefined : this.jobs.get(uri.toString());
    (own ?? [...this.jobs.values()].at(0))?.queued.cancel();
  }

  /** Whether models may be run here; tells the user why not. */
  async mayRun(uri: vscode.Uri): Promise<boolean> {
    if (uri.scheme !== "file") {
      await showModel(uri);
      return false;
    }
    if (vscode.workspace.isTrusted) return true;
    const manage = vscode.l10n.t("Manage Workspace Trust");
    const chosen = await vscode.window.showWarningMessage(
      vscode.l10n.t("RankLens reads models in Restricted Mode, but runs none: trust this workspace to analyze them."),
      manage,
    );
    if (chosen === manage) await vscode.commands.executeCommand("workbench.trust.manage");
    return false;
  }

  /** Whether a preview may take the place of what is there: a full report may have taken hours. */
  private async mayReplace(uri: vscode.Uri): Promise<boolean> {
    await this.models.look(uri);
    const { report, staleBecause, fileName } = this.models.record(uri);
    if (report === null || report.preview !== null || report.settings.ranks === "none" || staleBecause !== null) {
      return true;
    }
    const preview = vscode.l10n.t("Preview");
    const question = plain(
      vscode.l10n.t("{0} has a full report, which a preview on few samples would replace.", fileName),
    );
    return (await vscode.window.showWarningMessage(question, preview)) === preview;
  }

  private async run(uri: vscode.Uri, measured: Measured, preview: boolean): Promise<void> {
    const key = uri.toString();
    // While the user chose, another request may have come first.
    if (this.jobs.has(key)) return;
    const record = this.models.record(uri);
    const before = this.models.fingerprintOf(uri);
    const queued = this.queue.add(
      (signal) => this.measure(uri, measured, preview, signal),
      (ahead) => record.queued(ahead),
    );
    this.jobs.set(key, { uri, record, queued });
    this.tell();
    const title = preview
      ? vscode.l10n.t("Previewing {0}", record.fileName)
      : vscode.l10n.t("Analyzing {0}", record.fileName);
    notifyAnalysis(title, record, queued);
    try {
      const report = await queued.result;
      record.finished();
      this.models.setReport(uri, report);
      void guarded(this.log, () => this.announce(uri, report));
      this.models.keep(uri, report, before);
    } catch (error) {
      if (queued.cancelled) {
        record.cancelled();
        return;
      }
      const message = failureText(error, this.log);
      // A report that could not be kept is shown all the same.
      if (record.isBusy) record.failed(message);
      const retry = { [vscode.l10n.t("Retry")]: () => this.run(uri, measured, preview) };
      void showFailure(message, this.log, retry);
    } finally {
      this.jobs.delete(key);
      this.tell();
    }
  }

  private async measure(
    uri: vscode.Uri,
    measured: Measured,
    preview: boolean,
    signal: AbortSignal,
  ): Promise<ModelReport> {
    const record = this.models.record(uri);
    record.started(preview);
    const settings = settingsFor(uri);
    const data =
      measured.kind === "weights"
        ? { weightsOnly: true }
        : { config: completedConfig(loadConfig(measured.file), settings), preview };
    this.log.info(`${preview ? "Previewing" : "Analyzing"} ${uri.fsPath}`);
    const params = {
      model: uri.fsPath,
      options: { ...processOptions(settings, this.cacheFolder), ...data, structureOtherwise: true },
    };
    return this.startWorker(settings).call("analyze", params, { signal, onEvent: (event) => record.progressed(event) });
  }

  /** Tells who looks at something else that the analysis is done. */
  private async announce(uri: vscode.Uri, { totals, settings }: ModelReport): Promise<void> {
    if (activeModel()?.toString() === uri.toString()) return;
    const show = vscode.l10n.t("Show");
    const used = percent(totals.mlu ?? totals.originalMlu);
    const { fileName } = this.models.record(uri);
    const text =
      settings.ranks === "none"
        ? vscode.l10n.t("{0} is analyzed: mean layer utilization {1} by the weights alone.", fileName, used)
        : vscode.l10n.t("{0} is analyzed: mean layer utilization {1}.", fileName, used);
    if ((await vscode.window.showInformationMessage(plain(text), show)) === show) await showModel(uri);
  }

  private tell(): void {
    tellMenus(
      "ranklens.modelsBeingAnalyzed",
      this.active.map(({ uri }) => uri),
    );
    this.changed.fire();
  }
}
