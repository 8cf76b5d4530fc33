import type { Disposable, TextDocument } from "vscode";
import type { LayerReport, ModelReport } from "../report";
import { findNamedLayers, type NamedPlace } from "../sourceNames/findLayers";
import { indexLayers, type LayerIndex } from "../sourceNames/layerIndex";
import { isSourceLanguage, parseSource, type Source } from "../sourceNames/source";
import type { AnalyzedModel, AnalyzedModels } from "./analyzedModels";

/** The places of a document that name layers, and the models that their layers are of, in the same order. */
export interface DocumentPlaces {
  readonly places: readonly NamedPlace<LayerReport>[];
  readonly models: readonly AnalyzedModel[];
}

const NO_PLACES: DocumentPlaces = { places: [], models: [] };

/** Finds the named layers of documents: once for each version of a document, whoever asks. */
export class NamedPlaces implements Disposable {
  /** Documents that VS Code has closed are forgotten. */
  readonly #known = new WeakMap<TextDocument, { version: number; source: Source; found: DocumentPlaces }>();
  readonly #indexes = new WeakMap<ModelReport, LayerIndex<LayerReport>>();
  readonly #subscription: Disposable;
  #models: readonly AnalyzedModel[] | null = null;

  constructor(private readonly analyzed: AnalyzedModels) {
    this.#subscription = analyzed.onDidChange(() => (this.#models = null));
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  of(document: TextDocument): DocumentPlaces {
    const models = (this.#models ??= this.analyzed.reports());
    const { languageId, version } = document;
    if (models.length === 0 || !isSourceLanguage(languageId)) return NO_PLACES;
    const known = this.#known.get(document);
    if (known?.version === version && known.found.models === models && known.source.language === languageId) {
      return known.found;
    }
    const source = known?.version === version && known.source.language === languageId ? known.source : parseSource(languageId, document.getText(), known?.source); // prettier-ignore
    const indexes = models.map(({ report }) => this.#indexOf(report));
    const found = { places: findNamedLayers(source, indexes), models };
    this.#known.set(document, { version, source, found });
    return found;
  }

  #indexOf(report: ModelReport): LayerIndex<LayerReport> {
    const index = this.#indexes.get(report) ?? indexLayers(report.layers);
    this.#indexes.set(report, index);
    return index;
  }
}
