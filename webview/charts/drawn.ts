import type { LayerReport, ModelReport, ReportSettings } from "../../src/report";

/** A layer as charts take it: the spectra may be plain or typed arrays. */
export interface DrawnLayer extends Omit<LayerReport, "spectra"> {
  readonly spectra: { readonly [Name in keyof LayerReport["spectra"]]: ArrayLike<number> | null };
}

/** Of a report, what the charts are drawn from. */
export interface DrawnReport extends Pick<ModelReport, "accuracy"> {
  readonly layers: readonly DrawnLayer[];
  readonly settings: Pick<ReportSettings, "tolerance" | "baseline">;
}
