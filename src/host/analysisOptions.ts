import * as z from "zod";
import { DEFAULT_TOLERANCE, type DataConfig, type ResolvedConfig } from "../config";
import { ExpectedError } from "../errors";
import { MEMORY_SIZE, parseMemorySize } from "../memorySize";
import { fill } from "../text/template";
import type { AnalyzeOptions } from "../analyze";
import { deviceChoices } from "../runtime/executionProviders";
import { searchKinds } from "../searchKind";

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
  /** Whether results are kept from one analysis to the next. */
  cache: z.boolean(),
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
  cache: true,
  nodePath: "",
};

/** A text in the language of the editor, such as `vscode.l10n.t`; {0}, {1} are places for values. */
type Translate = (english: string, ...values: string[]) => string;

function allowed(name: keyof AnalysisSettings, t: Translate): string {
  switch (name) {
    case "device":
      return t("one of {0}", deviceChoices.join(", "));
    case "tolerance":
      return t("a number of percentage points from 0 to 100");
    case "search":
      return t("one of {0}", searchKinds.join(", "));
    case "calibrationLimit":
    case "validationLimit":
      return t("a whole number of samples, 1 or more, or null for all");
    case "memory":
      return t("{0}, or empty", MEMORY_SIZE);
    case "cache":
      return t("true or false");
    case "nodePath":
      return t("a path, or empty");
  }
}

export const settingNames = settingsSchema.keyof().options;

/** Checks settings: a settings file can hold anything. @throws ExpectedError with the setting and its value. */
export function parseSettings(
  values: Readonly<Record<keyof AnalysisSettings, unknown>>,
  t: Translate = fill,
): AnalysisSettings {
  const result = settingsSchema.safeParse(values);
  if (result.success) return result.data;
  const name = settingNames.find((one) => one === result.error.issues[0].path[0]) ?? "device";
  const value = JSON.stringify(values[name]);
  throw new ExpectedError(t("The setting {0} is {1}; it must be {2}.", `ranklens.${name}`, value, allowed(name, t)));
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

/**
 * The options that do not come from a config.
 * @param cacheFolder where results are kept, if the settings say so.
 */
export function processOptions(
  { device, search, memory, cache }: AnalysisSettings,
  cacheFolder: string,
): Pick<AnalyzeOptions, "device" | "search" | "memory" | "cache"> {
  const bytes = parseMemorySize(memory);
  return { device, search, ...(bytes === null ? {} : { memory: bytes }), ...(cache ? { cache: cacheFolder } : {}) };
}
