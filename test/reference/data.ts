import { existsSync } from "node:fs";
import path from "node:path";
import type { ResolvedConfig } from "../../src/config";

/** Reference data that is kept beside the repository, not in it. Tests and benchmarks run in the repository's root. */
export const referenceFolder = path.resolve("../shared/reference");

/** Why tests on the reference data are skipped, or undefined where it is there. */
export function missingReference(): string | undefined {
  return existsSync(referenceFolder) ? undefined : `the reference data is not there: ${referenceFolder}`;
}

/** CIFAR-10 with the preprocessing that the reference networks were trained with. */
export function cifarConfig(limit?: number): ResolvedConfig {
  const data = (name: string): NonNullable<ResolvedConfig["calibration"]> => ({
    source: path.join(referenceFolder, "cifar10", `${name}_u8.npy`),
    labels: path.join(referenceFolder, "cifar10", `${name}_y.npy`),
    ...(limit === undefined ? {} : { limit }),
  });
  return {
    calibration: data("cal"),
    validation: data("val"),
    preprocess: { layout: "NHWC", scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  };
}
