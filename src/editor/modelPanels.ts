import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import { parseFromPanel } from "../host/fromPanel";
import type { Models } from "./models";
import { panelHtml } from "./panelHtml";
import type { FromPanel, ToPanel } from "./panelProtocol";
import { panelStrings } from "./panelStrings";
import { showModel } from "./showModel";

interface Panel {
  readonly webview: vscode.Webview;
  /** Whether its page can take messages; a hidden one is gone, and is loaded again when it is shown. */
  ready: boolean;
}

/** What a panel asks for, other than being told all there is. */
export type PanelRequest = Exclude<FromPanel, { kind: "ready" }>;

/** The panels that are open: each shows what is known of its model. */
export class ModelPanels {
  private readonly panels = new Map<string, Set<Panel>>();
  /** Layers to show, for panels that are not there yet. */
  private readonly toShow = new Map<string, string>();

  constructor(
    private readonly extension: vscode.Uri,
    private readonly models: Models,
    private readonly onRequest: (uri: vscode.Uri, request: PanelRequest) => void,
  ) {}

  /** Fills a panel that VS Code has opened, and keeps it up to date until it is closed. */
  add(uri: vscode.Uri, { webview, onDidDispose, onDidChangeViewState }: vscode.WebviewPanel): void {
    const panel: Panel = { webview, ready: false };
    const panels = this.of(uri).add(panel);
    const subscriptions = vscode.Disposable.from(
      this.models.open(uri),
      new vscode.Disposable(
        this.models.record(uri).onMessage((message) => {
          if (panel.ready) post(panel, message);
        }),
      ),
      webview.onDidReceiveMessage((message) => this.receive(uri, panel, message)),
      onDidChangeViewState(({ webviewPanel }) => {
        if (!webviewPanel.visible) panel.ready = false;
      }),
    );
    onDidDispose(() => {
      panels.delete(panel);
      subscriptions.dispose();
    });
    const folder = vscode.Uri.joinPath(this.extension, "dist", "webview");
    const address = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    webview.html = panelHtml({
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString("hex"),
      scriptUri: address("panel.js"),
      styleUri: address("panel.css"),
      strings: panelStrings((english) => vscode.l10n.t(english)),
      language: vscode.env.language,
    });
  }

  /** Opens the panel of a model at one of its layers. */
  async showLayer(uri: vscode.Uri, name: string): Promise<void> {
    this.toShow.set(uri.toString(), name);
    await showModel(uri);
    for (const panel of this.of(uri)) this.showWanted(uri, panel);
  }

  private of(uri: vscode.Uri): Set<Panel> {
    const key = uri.toString();
    const known = this.panels.get(key) ?? new Set();
    this.panels.set(key, known);
    return known;
  }

  private receive(uri: vscode.Uri, panel: Panel, raw: unknown): void {
    const message = parseFromPanel(raw);
    if (message === null) return;
    if (message.kind !== "ready") {
      this.onRequest(uri, message);
      return;
    }
    panel.ready = true;
    for (const one of this.models.record(uri).messages()) post(panel, one);
    this.showWanted(uri, panel);
  }

  private showWanted(uri: vscode.Uri, panel: Panel): void {
    const name = this.toShow.get(uri.toString());
    if (name === undefined || !panel.ready) return;
    this.toShow.delete(uri.toString());
    post(panel, { kind: "showLayer", name });
  }
}

function post({ webview }: Panel, message: ToPanel): void {
  void webview.postMessage(message);
}
