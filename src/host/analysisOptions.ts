import type { DataConfig, ResolvedConfig } from "../config";
import { ExpectedError } from "../errors";
import { MEMORY_SIZE, parseMemorySize } from "../memorySize";
import type { DeviceChoice } from "../runtime/executionProviders";

/** The editor's settings that say how an analysis is made. A config that names the same thing comes first. */
export interface AnalysisSettings {
  readonly device: DeviceChoice;
  /** Percentage points. */
  readonly tolerance: number;
  /** Samples; null for all. */
  readonly calibrationLimit: number | null;
  readonly validationLimit: number | null;
  /** A size such as "2GB"; empty for the default. */
  readonly memory: string;
}

/** The config with the settings for all that it leaves open. */
export function completedConfig(config: ResolvedConfig, settings: AnalysisSettings): ResolvedConfig {
  const { calibration, validation } = config;
  return {
    ...config,
    tolerance: config.tolerance ?? settings.tolerance,
    ...(calibration === undefined ? {} : { calibration: limited(calibration, settings.calibrationLimit) }),
    ...(validation === undefined ? {} : { validation: limited(validation, settings.validationLimit) }),
  };
}

function limited(data: DataConfig, limit: number | null): DataConfig {
  return data.limit !== undefined || limit === null ? data : { ...data, limit };
}

/** The options that do not come from a config. @throws ExpectedError for a memory size that is none. */
export function processOptions({ device, memory }: AnalysisSettings): { device: DeviceChoice; memory?: number } {
  if (memory.trim() === "") return { device };
  const bytes = parseMemorySize(memory);
  if (bytes === null) {
    throw new ExpectedError(`The setting ranklens.memory is "${memory}"; it must be ${MEMORY_SIZE}, or empty.`);
  }
  return { device, memory: bytes };
}
