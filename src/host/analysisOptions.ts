import * as z from "zod";
import { DEFAULT_TOLERANCE, type DataConfig, type ResolvedConfig } from "../config";
import { ExpectedError } from "../errors";
import { MEMORY_SIZE, parseMemorySize } from "../memorySize";
import { searchKinds, type SearchKind } from "../searchKind";
import { deviceChoices, type DeviceChoice } from "../runtime/executionProviders";

const limit = z.int().positive().nullable();

const settingsSchema = z.object({
  device: z.enum(deviceChoices),
  /** Percentage points. */
  tolerance: z.number().min(0).max(100),
  search: z.enum(searchKinds),
  /** Samples; null for all. */
  calibrationLimit: limit,
  validationLimit: limit,
  /** A size such as "2GB"; empty for the default. */
  memory: z.string().refine((text) => text.trim() === "" || parseMemorySize(text) !== null),
  /** The Node that runs analyses; empty for the editor's own. */
  nodePath: z.string(),
});

/** The editor's settings that say how an analysis is made. A config that names the same thing comes first. */
export type AnalysisSettings = z.infer<typeof settingsSchema>;

export const defaultSettings: AnalysisSettings = {
  device: "auto",
  tolerance: DEFAULT_TOLERANCE,
  search: "exact",
  calibrationLimit: null,
  validationLimit: null,
  memory: "",
  nodePath: "",
};

const LIMIT = "a whole number of samples, 1 or more, or null for all";

const ALLOWED: Readonly<Record<keyof AnalysisSettings, string>> = {
  device: `one of ${deviceChoices.join(", ")}`,
  tolerance: "a number of percentage points from 0 to 100",
  search: `one of ${searchKinds.join(", ")}`,
  calibrationLimit: LIMIT,
  validationLimit: LIMIT,
  memory: `${MEMORY_SIZE}, or empty`,
  nodePath: "a path, or empty",
};

export const settingNames = settingsSchema.keyof().options;

/** Checks settings: a settings file can hold anything. @throws ExpectedError with the setting and its value. */
export function parseSettings(values: Readonly<Record<keyof AnalysisSettings, unknown>>): AnalysisSettings {
  const result = settingsSchema.safeParse(values);
  if (result.success) return result.data;
  const name = settingNames.find((one) => one === result.error.issues[0].path[0]) ?? "device";
  throw new ExpectedError(
    `The setting ranklens.${name} is ${JSON.stringify(values[name])}; it must be ${ALLOWED[name]}.`,
  );
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

function limited(data: DataConfig, most: number | null): DataConfig {
  return data.limit !== undefined || most === null ? data : { ...data, limit: most };
}

/** The options that do not come from a config. */
export function processOptions({ device, memory, search }: AnalysisSettings): {
  device: DeviceChoice;
  search: SearchKind;
  memory?: number;
} {
  const bytes = parseMemorySize(memory);
  return { device, search, ...(bytes === null ? {} : { memory: bytes }) };
}
