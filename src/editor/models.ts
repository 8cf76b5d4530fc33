import { existsSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { isExpected } from "../errors";
import { belongsTo, filesOf, fingerprint } from "../host/freshness";
import { ModelRecord } from "../host/modelRecord";
import { parseReportIndex } from "../host/reportIndex";
import type { ReportStore } from "../host/reportStore";
import { inspect } from "../inspect";
import type { ModelReport } from "../report";
import type { AnalyzedModel, AnalyzedModels } from "./analyzedModels";
import { REPORTS_STATE } from "./commandIds";
import { tellMenus } from "./menus";
import type { ModelState } from "./panelProtocol";

interface Entry {
  readonly uri: vscode.Uri;
  readonly record: ModelRecord;
  editors: number;
  watching: vscode.Disposable | null;
  /** Counts the looks at the file, so that a slow one does not overwrite what a later one has found. */
  looks: number;
  /** The report that was read from disk: one object, however often it is asked for. */
  stored: ModelReport | null;
}

/** A file that is being written changes many times: it is looked at when it has been left alone for this long. */
const SETTLED_MS = 300;

/** The models of this workspace: what is known of them, and their reports. */
export class Models implements AnalyzedModels, vscode.Disposable {
  private readonly entries = new Map<string, Entry>();
  private readonly changed = new vscode.EventEmitter<void>();
  /** What the files of a model were like when its report was known to hold, by the model's path. */
  private fingerprints: Readonly<Record<string, string>>;
  private readonly trust: vscode.Disposable;

  /** When the reports are others. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly store: ReportStore,
    private readonly state: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.fingerprints = parseReportIndex(state.get(REPORTS_STATE));
    this.trust = vscode.workspace.onDidGrantWorkspaceTrust(() => {
      for (const { record } of this.entries.values()) record.setTrusted(true);
    });
    tellMenus("ranklens.modelsWithReport", this.withReport());
  }

  dispose(): void {
    this.trust.dispose();
    this.changed.dispose();
    for (const { watching } of this.entries.values()) watching?.dispose();
  }

  record(uri: vscode.Uri): ModelRecord {
    return this.entry(uri).record;
  }

  /** The models that have a report and are still there. */
  withReport(): vscode.Uri[] {
    return Object.keys(this.fingerprints)
      .filter((file) => existsSync(file))
      .map((file) => vscode.Uri.file(file));
  }

  /** The reports of all models, also of those that are not open. */
  reports(): readonly AnalyzedModel[] {
    return this.withReport().flatMap((modelUri) => {
      const { record } = this.entry(modelUri);
      const report = record.report ?? this.storedReport(modelUri);
      if (report === null) return [];
      if (record.report === null) record.setReport(report, null);
      return [{ modelUri, modelName: record.fileName, report }];
    });
  }

  /** Shows a model as long as one of its editors is open: its file is read now, and again whenever it changes. */
  open(uri: vscode.Uri): vscode.Disposable {
    const entry = this.entry(uri);
    entry.editors++;
    entry.watching ??= this.watch(entry);
    void this.look(uri);
    return new vscode.Disposable(() => {
      if (--entry.editors > 0) return;
      entry.watching?.dispose();
      entry.watching = null;
    });
  }

  /** Reads what the file says of itself, and finds out whether its report still holds. Never rejects. */
  async look(uri: vscode.Uri): Promise<void> {
    const entry = this.entry(uri);
    const { record } = entry;
    const look = ++entry.looks;
    const model = this.inspected(uri);
    record.setModel(model, vscode.workspace.isTrusted);
    const report = record.report ?? (uri.scheme === "file" ? this.storedReport(uri) : null);
    if (report === null) return;
    const stale = model.kind === "opened" ? await this.whyStale(uri, report) : unreadableSentence();
    // An analysis may have brought a newer one meanwhile.
    if (look === entry.looks && (record.report === null || record.report === report)) record.setReport(report, stale);
  }

  /** What the files of a model are like now; empty where they cannot be read. */
  fingerprintOf(uri: vscode.Uri): string {
    try {
      return fingerprint(filesOf(uri.fsPath));
    } catch {
      return "";
    }
  }

  /** Shows a new report. */
  setReport(uri: vscode.Uri, report: ModelReport): void {
    this.entry(uri).stored = null;
    this.record(uri).setReport(report, null);
    this.changed.fire();
  }

  /**
   * Keeps a report beyond this session.
   * @param before the {@link fingerprintOf} the model before the report was made of it.
   * @throws ExpectedError if it cannot be written.
   */
  keep(uri: vscode.Uri, report: ModelReport, before: string): void {
    this.store.save(uri.fsPath, report);
    this.remember(uri, before);
    // It may have been changed while it was analysed.
    void this.look(uri);
  }

  /** Where the report of a model is kept. */
  reportFile(uri: vscode.Uri): string {
    return this.store.pathFor(uri.fsPath);
  }

  private entry(uri: vscode.Uri): Entry {
    const key = uri.toString();
    const known = this.entries.get(key);
    if (known) return known;
    const record = new ModelRecord(path.posix.basename(uri.path));
    const entry = { uri, record, editors: 0, watching: null, looks: 0, stored: null };
    this.entries.set(key, entry);
    return entry;
  }

  private inspected(uri: vscode.Uri): ModelState {
    if (uri.scheme !== "file") {
      const message = vscode.l10n.t(
        "RankLens reads models from a disk, and this one is in a virtual workspace ({0}). Open a copy in a local folder.",
        uri.scheme,
      );
      return { kind: "unreadable", message };
    }
    try {
      return { kind: "opened", inspection: inspect(uri.fsPath) };
    } catch (error) {
      if (isExpected(error)) return { kind: "unreadable", message: error.message };
      this.log.error(error instanceof Error ? error : String(error));
      return { kind: "unreadable", message: vscode.l10n.t("RankLens cannot read this file: {0}", String(error)) };
    }
  }

  private storedReport(uri: vscode.Uri): ModelReport | null {
    try {
      return (this.entry(uri).stored ??= this.store.load(uri.fsPath));
    } catch (error) {
      // A broken one is as good as none: an analysis writes another.
      this.log.warn(isExpected(error) ? error.message : String(error));
      return null;
    }
  }

  private async whyStale(uri: vscode.Uri, report: ModelReport): Promise<string | null> {
    const now = this.fingerprintOf(uri);
    try {
      if (await belongsTo(report, uri.fsPath, this.fingerprints[uri.fsPath] ?? null)) {
        this.remember(uri, now);
        return null;
      }
      return vscode.l10n.t("The model file has changed since this report was made. Analyze it again.");
    } catch (error) {
      this.log.warn(isExpected(error) ? error.message : String(error));
      return unreadableSentence();
    }
  }

  private remember(uri: vscode.Uri, now: string): void {
    const known = uri.fsPath in this.fingerprints;
    if (known && this.fingerprints[uri.fsPath] === now) return;
    this.fingerprints = { ...this.fingerprints, [uri.fsPath]: now };
    void this.state.update(REPORTS_STATE, this.fingerprints);
    if (!known) tellMenus("ranklens.modelsWithReport", this.withReport());
  }

  private watch({ uri }: Entry): vscode.Disposable | null {
    if (uri.scheme !== "file") return null;
    let timer: NodeJS.Timeout | undefined;
    const files = new Set(this.filesOf(uri));
    const onChange = (changed: vscode.Uri): void => {
      if (!files.has(changed.fsPath)) return;
      clearTimeout(timer);
      timer = setTimeout(() => void this.look(uri), SETTLED_MS);
    };
    // Names of files may hold signs of a pattern: folders are watched instead.
    const watchers = [...new Set([...files].map((file) => path.dirname(file)))].map((folder) => {
      const watcher = vscode.workspace.createFileSystemWatcher(
        new vscode.RelativePattern(vscode.Uri.file(folder), "*"),
      );
      watcher.onDidChange(onChange);
      watcher.onDidCreate(onChange);
      watcher.onDidDelete(onChange);
      return watcher;
    });
    return vscode.Disposable.from(...watchers, new vscode.Disposable(() => clearTimeout(timer)));
  }

  private filesOf(uri: vscode.Uri): readonly string[] {
    try {
      return filesOf(uri.fsPath);
    } catch {
      return [uri.fsPath];
    }
  }
}

function unreadableSentence(): string {
  return vscode.l10n.t("The model file cannot be read any more; this report is of the one that was here.");
}
