import * as vscode from "vscode";
import { sourceLanguages } from "../sourceNames/source";
import type { AnalyzedModels } from "./analyzedModels";
import { hintText, hoverMarkdown } from "./layerText";
import { NamedPlaces, type DocumentPlaces } from "./namedPlaces";
import { SHOW_LAYER_COMMAND } from "./showLayer";

const HINTS_ENABLED = "ranklens.inlayHints.enabled";

/** Shows what reports say of layers where sources name them: in hovers and in hints. Lasts until it is disposed of. */
export function registerInlineLayers(models: AnalyzedModels): vscode.Disposable {
  const selector = sourceLanguages.map((language) => ({ language }));
  const named = new NamedPlaces(models);
  const hints = new LayerHints(named, models);
  return vscode.Disposable.from(
    named,
    hints,
    vscode.languages.registerHoverProvider(selector, new LayerHovers(named)),
    vscode.languages.registerInlayHintsProvider(selector, hints),
  );
}

class LayerHovers implements vscode.HoverProvider {
  constructor(private readonly named: NamedPlaces) {}

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | null {
    const { places, models } = this.named.of(document);
    const offset = document.offsetAt(position);
    const around = places.filter(({ from, to }) => from <= offset && offset < to);
    // A call that stands for a layer may hold another name.
    const place = around.reduce<(typeof around)[number] | null>(
      (best, one) => (best === null || one.to - one.from < best.to - best.from ? one : best),
      null,
    );
    if (!place) return null;
    const range = new vscode.Range(document.positionAt(place.from), document.positionAt(place.to));
    return new vscode.Hover(markdown(place, models), range);
  }
}

class LayerHints implements vscode.InlayHintsProvider, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #subscriptions: vscode.Disposable;
  readonly onDidChangeInlayHints = this.#changed.event;

  constructor(
    private readonly named: NamedPlaces,
    models: AnalyzedModels,
  ) {
    this.#subscriptions = vscode.Disposable.from(
      this.#changed,
      models.onDidChange(() => this.#changed.fire()),
      vscode.workspace.onDidChangeConfiguration((change) => {
        if (change.affectsConfiguration(HINTS_ENABLED)) this.#changed.fire();
      }),
    );
  }

  dispose(): void {
    this.#subscriptions.dispose();
  }

  provideInlayHints(document: vscode.TextDocument, range: vscode.Range): vscode.InlayHint[] {
    if (!vscode.workspace.getConfiguration(undefined, document).get<boolean>(HINTS_ENABLED, true)) return [];
    const { places, models } = this.named.of(document);
    const [start, end] = [document.offsetAt(range.start), document.offsetAt(range.end)];
    return places.flatMap((place) => {
      const text = start <= place.to && place.to <= end ? hintText(place, models) : null;
      if (text === null) return [];
      const hint = new vscode.InlayHint(document.positionAt(place.to), text);
      hint.paddingLeft = true;
      hint.tooltip = markdown(place, models);
      return [hint];
    });
  }
}

function markdown(place: DocumentPlaces["places"][number], models: DocumentPlaces["models"]): vscode.MarkdownString {
  const text = new vscode.MarkdownString(hoverMarkdown(place, models));
  text.isTrusted = { enabledCommands: [SHOW_LAYER_COMMAND] };
  return text;
}
