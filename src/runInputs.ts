import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { sourceFiles } from "./calibration";
import type { RunInput } from "./atomicFile";
import { configFileBeside, configFor, type Config, type DataConfig } from "./config";
import { openModel } from "./onnx/reader";
import { externalFiles } from "./onnx/writer";
import { readReport } from "./reportFile";

export interface RunChoices {
  readonly config?: string | Config;
  /** The report that says where the data is, instead of a config. */
  readonly from?: string;
  readonly weightsOnly?: boolean;
  /** Whether a report is written, which may take the place of the one in {@link from}: it says all of it, and more. */
  readonly updatesReport?: boolean;
}

/**
 * Every file that an analysis or a compression of the model reads: none of them may be overwritten by its results.
 * Lists what it is asked for, one after the other.
 * @throws ExpectedError where the run itself would: the model, config, report or data is missing, or no such thing.
 */
export function* runInputs(modelPath: string, choices: RunChoices): Generator<RunInput, void, undefined> {
  yield { what: "the model itself", path: modelPath };
  yield* modelDataFiles(modelPath);
  const { config, from, weightsOnly, updatesReport } = choices;
  if (from !== undefined) {
    if (updatesReport !== true) yield { what: "the report with the ranks", path: from };
    const { calibration, validation, preprocess } = readReport(from).settings;
    yield* tokenizers(modelPath, preprocess.tokenizer, [calibration, validation]);
    yield* dataFiles("calibration data", calibration);
    yield* dataFiles("validation data", validation);
    return;
  }
  if (weightsOnly === true && config === undefined) return;
  const file = typeof config === "object" ? undefined : (config ?? configFileBeside(modelPath));
  if (file !== undefined) yield { what: "the config", path: file };
  if (weightsOnly === true) return;
  const { calibration, validation, preprocess } = configFor(modelPath, config);
  yield* tokenizers(modelPath, preprocess?.tokenizer, [calibration, validation]);
  yield* dataFiles("calibration data", calibration);
  yield* dataFiles("validation data", validation);
}

type Data = Pick<DataConfig, "source" | "labels"> | null | undefined;

/** The tokenizer that is named, or those that may be found beside the model and the data. */
function* tokenizers(modelPath: string, named: unknown, data: readonly Data[]): Generator<RunInput> {
  if (typeof named === "string") yield { what: "the tokenizer", path: named };
  const sources = data.flatMap((one) =>
    one ? (typeof one.source === "string" ? [one.source] : Object.values(one.source)) : [],
  );
  const folders = new Set([modelPath, ...sources].map((file) => dirname(resolve(file))));
  for (const folder of folders) {
    const path = join(folder, "tokenizer.json");
    if (existsSync(path)) yield { what: "a tokenizer", path };
  }
}

function modelDataFiles(modelPath: string): RunInput[] {
  const model = openModel(modelPath);
  try {
    return externalFiles(model);
  } finally {
    model.close();
  }
}

function* dataFiles(what: string, data: Data): Generator<RunInput> {
  if (!data) return;
  const sources = typeof data.source === "string" ? [data.source] : Object.values(data.source);
  for (const source of sources) for (const path of sourceFiles(source)) yield { what, path };
  if (data.labels === undefined) return;
  for (const path of sourceFiles(data.labels)) yield { what: `the labels of the ${what}`, path };
}
