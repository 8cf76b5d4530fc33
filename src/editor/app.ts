import path from "node:path";
import * as vscode from "vscode";
import { configFileBeside } from "../config";
import { AnalysisQueue } from "../host/analysisQueue";
import { ReportStore } from "../host/reportStore";
import { copySample } from "../host/sample";
import { Analyses } from "./analyses";
import type { CommandId } from "./commandIds";
import { askForConfig } from "./configWizard";
import { Exports } from "./exporting";
import { guarded } from "./failures";
import { manageGpuSupport, stopInstalling } from "./gpuSupport";
import { registerInlineLayers } from "./inlineHints";
import { ModelPanels, type PanelRequest } from "./modelPanels";
import { Models } from "./models";
import type { CopyFormat } from "./panelProtocol";
import { copyTable, savePng } from "./saving";
import { showLayerArguments } from "./showLayer";
import { activeModel, pickModel } from "./showModel";
import { statusBar } from "./statusBar";
import { settingsFor, workerStarter } from "./worker";

type Command = (args: readonly unknown[]) => Promise<void> | void;

/** What the extension does once it is used. */
export interface App {
  /** Runs a command with the arguments that it was called with. Never rejects: failures are shown. */
  run(id: CommandId, args: readonly unknown[]): Promise<void>;
  readonly models: Models;
  readonly analyses: Analyses;
  showModel(uri: vscode.Uri, panel: vscode.WebviewPanel): void;
  /** Does what a panel would ask for. */
  request(uri: vscode.Uri, request: PanelRequest): void;
  /** Cancels all analyses and what is being installed, and resolves when they have ended. */
  shutDown(): Promise<void>;
}

export function createApp(context: vscode.ExtensionContext): App {
  const log = vscode.window.createOutputChannel("RankLens", { log: true });
  // Without a folder, reports belong to no workspace.
  const storage = context.storageUri ?? context.globalStorageUri;
  const store = new ReportStore(path.join(storage.fsPath, "reports"));
  const models = new Models(store, context.workspaceState, log);
  const queue = new AnalysisQueue();
  const supportFolder = path.join(context.globalStorageUri.fsPath, "gpu");
  const startWorker = workerStarter(supportFolder, log);
  const analyses = new Analyses(queue, models, path.join(context.globalStorageUri.fsPath, "cache"), startWorker, log);
  const exports = new Exports(queue, models, analyses, log);

  const analyze = (preview: boolean) => async (args: readonly unknown[]) => {
    const chosen = await modelsFor(
      args,
      preview ? vscode.l10n.t("Model to preview") : vscode.l10n.t("Model to analyze"),
    );
    await analyses.analyze(chosen, preview);
  };
  const copy = (format: CopyFormat) => async () => {
    const uri = activeModel();
    if (uri) await copyTable(models, uri, format);
  };
  const commands: Record<CommandId, Command> = {
    "ranklens.analyze": analyze(false),
    "ranklens.preview": analyze(true),
    "ranklens.cancel": ([uri]) => analyses.cancel(uri instanceof vscode.Uri ? uri : activeModel()),
    "ranklens.export": async (args) => {
      // Of several that are selected, the one that was clicked: the menu is about its report.
      const [uri] = await modelsFor(args.slice(0, 1), vscode.l10n.t("Model to export"), models.withReport());
      if (uri) await exports.export(uri);
    },
    "ranklens.showLayer": async (args) => {
      const [model, layer] = showLayerArguments(args) ?? [];
      if (model !== undefined && layer !== undefined) await panels.showLayer(vscode.Uri.parse(model), layer);
    },
    "ranklens.showLog": () => log.show(),
    "ranklens.openConfig": async (args) => {
      const [uri] = await modelsFor(args, vscode.l10n.t("Model whose config to open"));
      if (uri) await openConfig(uri, analyses);
    },
    "ranklens.analyzeSample": async () => {
      const folder = vscode.Uri.joinPath(context.globalStorageUri, "shapes").fsPath;
      const model = copySample(path.join(context.extensionPath, "examples", "shapes"), folder);
      await analyses.analyze([vscode.Uri.file(model)], false);
    },
    "ranklens.installGpu": () => manageGpuSupport(supportFolder, startWorker, log),
    "ranklens.copyMarkdown": copy("markdown"),
    "ranklens.copyCsv": copy("csv"),
    "ranklens.copyJson": copy("json"),
  };

  const handle = async (uri: vscode.Uri, request: PanelRequest): Promise<void> => {
    switch (request.kind) {
      case "analyze":
        return analyses.analyze([uri], request.preview);
      case "cancel":
        analyses.cancel(uri);
        return;
      case "export":
        return exports.export(uri);
      case "openConfig":
        return openConfig(uri, analyses);
      case "showLog":
        log.show();
        return;
      case "copy":
        return copyTable(models, uri, request.format);
      case "savePng":
        return savePng(uri, request.name, request.png);
    }
  };
  const request: App["request"] = (uri, message) => void guarded(log, () => handle(uri, message));
  const panels = new ModelPanels(context.extensionUri, models, request);

  context.subscriptions.push(log, models, analyses, statusBar(analyses), registerInlineLayers(models));
  return {
    run: (id, args) => guarded(log, async () => commands[id](args)),
    models,
    analyses,
    showModel: (uri, panel) => panels.add(uri, panel),
    request,
    shutDown: async () => {
      await Promise.all([queue.clear(), stopInstalling()]);
    },
  };
}

/** The models that a command is for: those it was called with (in the explorer, all that are selected), the one in front, or one that the user picks. */
async function modelsFor(
  [first, selected]: readonly unknown[],
  title: string,
  among?: readonly vscode.Uri[],
): Promise<readonly vscode.Uri[]> {
  const uris = (Array.isArray(selected) ? selected : [first]).filter((one) => one instanceof vscode.Uri);
  if (uris.length > 0) return uris.filter(({ path: file }) => file.toLowerCase().endsWith(".onnx"));
  const uri = activeModel() ?? (await pickModel(title, among));
  return uri === undefined ? [] : [uri];
}

/** Opens the config of a model; without one, asks for it, where models may be run: what is proposed is tried. */
async function openConfig(uri: vscode.Uri, analyses: Analyses): Promise<void> {
  const file = uri.scheme === "file" ? configFileBeside(uri.fsPath) : undefined;
  if (file === undefined && !(await analyses.mayRun(uri))) return;
  const config =
    file === undefined
      ? await askForConfig(uri, settingsFor(uri), analyses.startWorker)
      : { kind: "config" as const, file };
  if (config?.kind === "config") await vscode.window.showTextDocument(vscode.Uri.file(config.file));
}
