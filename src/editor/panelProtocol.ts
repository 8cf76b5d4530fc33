import type { AnalysisEvent, Stage } from "../analysis/progress";
import type { Inspection } from "../inspect";
import type { LayerReport, ModelReport } from "../report";

/** The texts that the panel is given with its page. */
export type { PanelStrings } from "./panelStrings";

/**
 * Every message between the extension host and the panel (the model editor's webview). Plain data and typed arrays; the
 * panel holds no weights. Names in it come from the model file: they are shown as text, never as markup.
 */

/** A layer's spectra as typed arrays: they cross to the webview without being written out as text. */
export type PanelSpectra = { readonly [Name in keyof LayerReport["spectra"]]: Float64Array | null };

export interface PanelLayer extends Omit<LayerReport, "spectra"> {
  readonly spectra: PanelSpectra;
}

export interface PanelReport extends Omit<ModelReport, "layers"> {
  readonly layers: readonly PanelLayer[];
}

/** What the file says of itself, or why it cannot be read. */
export type ModelState =
  | { readonly kind: "opened"; readonly inspection: Inspection }
  | { readonly kind: "unreadable"; readonly message: string };

/** How many image files have become pixels. */
export type ImagesDecoded = Extract<AnalysisEvent, { readonly kind: "images" }>;

/** What is being done about the model. */
export type AnalysisState =
  | { readonly kind: "idle" }
  /** Analyses run one after the other; `ahead` of them come first. */
  | { readonly kind: "queued"; readonly ahead: number }
  | {
      readonly kind: "running";
      readonly stage: Stage;
      readonly layer: string | null;
      /** 0…1. */
      readonly fraction: number;
      readonly secondsLeft: number | null;
      readonly preview: boolean;
      /** While images are decoded, which comes before the stages. */
      readonly images?: ImagesDecoded;
    }
  /** Layers found before it ended stay. */
  | { readonly kind: "cancelled" }
  | { readonly kind: "failed"; readonly message: string };

/** The report that is shown, and whether it still belongs to the file. */
export interface ReportState {
  readonly report: PanelReport;
  /** Why it no longer holds, in a sentence; null where it does. */
  readonly stale: string | null;
}

/** Host → panel. */
export type ToPanel =
  | { readonly kind: "model"; readonly model: ModelState; readonly fileName: string; readonly trusted: boolean }
  | { readonly kind: "analysis"; readonly state: AnalysisState }
  /** A layer of the analysis that runs, in the order in which they finish. */
  | { readonly kind: "layer"; readonly layer: PanelLayer }
  /** Null: there is none (any more). */
  | { readonly kind: "report"; readonly state: ReportState | null }
  /** Show this layer, by its name. */
  | { readonly kind: "showLayer"; readonly name: string };

export const COPY_FORMATS = ["markdown", "csv", "json"] as const;
export type CopyFormat = (typeof COPY_FORMATS)[number];

/** Panel → host. */
export type FromPanel =
  /** The panel can take messages: it is sent all there is. */
  | { readonly kind: "ready" }
  | { readonly kind: "analyze"; readonly preview: boolean }
  | { readonly kind: "cancel" }
  | { readonly kind: "export" }
  | { readonly kind: "openConfig" }
  | { readonly kind: "showLog" }
  | { readonly kind: "copy"; readonly format: CopyFormat }
  /** A chart as PNG, to be saved under a name that the user picks. */
  | { readonly kind: "savePng"; readonly name: string; readonly png: Uint8Array };

/** A layer with its spectra as typed arrays. */
export function panelLayer(layer: LayerReport): PanelLayer {
  const typed = (values: readonly number[] | null): Float64Array | null => values && Float64Array.from(values);
  const { input, weightOnInput, output, weight, projected } = layer.spectra;
  return {
    ...layer,
    spectra: {
      input: typed(input),
      weightOnInput: typed(weightOnInput),
      output: typed(output),
      weight: typed(weight),
      projected: typed(projected),
    },
  };
}

export function panelReport(report: ModelReport): PanelReport {
  return { ...report, layers: report.layers.map(panelLayer) };
}
