import path from "node:path";
import type { MetricName } from "../metricNames";
import type { ModelReport } from "../report";

/** `dir/net.onnx` → `dir/net.small.onnx`. */
export function exportPath(modelPath: string): string {
  const { dir, name, ext } = path.parse(modelPath);
  return path.join(dir, `${name}.small${ext}`);
}

export interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

/** What a report says that an export will do. */
export interface ExportFigures {
  /** Layers that become two smaller ones. */
  readonly decomposed: number;
  readonly layers: number;
  /** Of the whole model. */
  readonly parameters: BeforeAfter;
  /** Of the analysed layers, per sample; null where they are not known. */
  readonly macs: BeforeAfter | null;
  /** Shares of the validation samples; null where accuracy was not measured. */
  readonly accuracy: (BeforeAfter & { readonly metric: MetricName; readonly samples: number }) | null;
  /** Ranks come from a few samples only. */
  readonly preview: boolean;
}

/** Why there is nothing to export. */
export type NoExport = "no ranks" | "nothing smaller";

/** What exporting by this report's ranks would do, or why it cannot be done. */
export function exportFigures({ layers, totals, accuracy, preview }: ModelReport): ExportFigures | NoExport {
  if (totals.parametersAfter === null) return "no ranks";
  const decomposed = layers.filter(({ outcome }) => outcome.kind === "decomposed").length;
  if (decomposed === 0) return "nothing smaller";
  const { metric, samples, original, decomposed: after } = accuracy;
  return {
    decomposed,
    layers: layers.length,
    parameters: {
      before: totals.modelParameters,
      after: totals.modelParameters - totals.parameters + totals.parametersAfter,
    },
    macs: totals.macs === null || totals.macsAfter === null ? null : { before: totals.macs, after: totals.macsAfter },
    accuracy:
      metric === null || samples === null || original === null || after === null
        ? null
        : { metric, samples, before: original, after },
    preview: preview !== null,
  };
}
