import type { Dataset } from "../calibration/dataset";
import type { DataConfig, ResolvedConfig } from "../config";
import type { ReportSettings } from "../report";
import type { SubjectData } from "./prepare";

/** The resolved configuration for the report, with absolute paths and the data's hashes. */
export async function reportSettings(
  config: ResolvedConfig,
  data: SubjectData | null,
  choices: Pick<ReportSettings, "tolerance" | "ranks" | "search" | "searchError" | "baseline" | "energy">,
): Promise<ReportSettings> {
  return {
    calibration: await dataSettings(config.calibration, data?.calibration ?? null),
    validation: await dataSettings(config.validation, data?.validation ?? null),
    preprocess: { ...config.preprocess },
    ...(config.inputs === undefined ? {} : { inputs: config.inputs }),
    ...(config.output === undefined ? {} : { output: config.output }),
    ...(config.metric === undefined ? {} : { metric: config.metric }),
    ...choices,
    batchSize: data?.validationBatches?.size ?? data?.calibrationBatches.size ?? null,
  };
}

async function dataSettings(
  config: DataConfig | undefined,
  dataset: Dataset | null,
): Promise<ReportSettings["calibration"]> {
  if (!config || !dataset) return null;
  return { ...config, sha256: await dataset.sha256() };
}
