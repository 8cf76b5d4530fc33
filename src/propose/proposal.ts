import type { Preprocess, ResolvedConfig } from "../config";

/** Something that was not said and had to be assumed, or was found out. */
export interface Assumption {
  /** What it is about: "calibration", "values", … */
  readonly about: string;
  /** One line. */
  readonly text: string;
}

/** A choice that names and shapes do not decide. */
export interface Question {
  /** The assumption that answers it for now. */
  readonly about: string;
  /** What there is to choose from; the first one is in the proposed config. */
  readonly options: readonly Option[];
}

export interface Option {
  readonly label: string;
  /** What takes the place of the config's `preprocess`. */
  readonly preprocess: Preprocess;
}

/** A config for a model, and why it is so. */
export interface Proposal {
  /** Its paths are absolute. */
  readonly config: ResolvedConfig;
  readonly assumptions: readonly Assumption[];
  readonly questions: readonly Question[];
}

/** The config with other preprocessing; without any where it is empty. */
export function withPreprocess(config: ResolvedConfig, preprocess: Preprocess): ResolvedConfig {
  const { calibration, validation, inputs, tolerance } = config;
  return {
    ...(calibration === undefined ? {} : { calibration }),
    ...(validation === undefined ? {} : { validation }),
    ...(Object.keys(preprocess).length === 0 ? {} : { preprocess }),
    ...(inputs === undefined ? {} : { inputs }),
    ...(tolerance === undefined ? {} : { tolerance }),
  };
}
