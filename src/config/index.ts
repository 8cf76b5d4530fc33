import { existsSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { parse, printParseErrorCode, type ParseError } from "jsonc-parser";
import { ExpectedError } from "../errors";
import { readTextFile, withInputFile } from "../inputFile";
import type { MetricChoice } from "../metricNames";
import { describeProblems } from "./problems";
import { CONFIG_VERSION, configSchema, type Config, type DataConfig, type Preprocess } from "./schema";

export {
  configJsonSchema,
  DEFAULT_TOLERANCE,
  type Config,
  type Constant,
  type DataConfig,
  type Preprocess,
} from "./schema";

/** A {@link Config} whose paths are absolute. */
export type ResolvedConfig = Omit<Config, "$schema" | "version">;

/** A config file is a few hundred bytes, or some kilobytes with long channel lists: more is the wrong file. */
const MAX_CONFIG_BYTES = 1 << 20;

const ADVICE = 'create it, for example with {"calibration": {"source": "images.npy"}}';

/** The config file that belongs to a model: `dir/foo.onnx` → `dir/foo.ranklens.json`. */
export function configPathBeside(modelPath: string): string {
  return `${modelPath.slice(0, modelPath.length - extname(modelPath).length)}.ranklens.json`;
}

/**
 * The config of an analysis: an object as it is (relative paths start at the working directory), the file that is named, or
 * the one beside the model.
 * @throws ExpectedError if there is none, or it is wrong.
 */
export function configFor(modelPath: string, config?: string | Config): ResolvedConfig {
  if (typeof config === "object") return parseConfig(config, "the config", process.cwd());
  const found = config ?? configFileBeside(modelPath);
  if (found !== undefined) return loadConfig(found);
  // A wrong path to the model is the likelier mistake, and is said first.
  withInputFile(modelPath, () => undefined);
  throw new ExpectedError(
    `There is no ${basename(configPathBeside(modelPath))} beside ${modelPath}. It names the data, for example ` +
      `{"calibration": {"source": "images.npy"}}; "ranklens init MODEL DATA" writes one, --config names another, and ` +
      `"analyze --weights-only" needs none.`,
  );
}

/** The config file of a model, where there is one: its own, or else one for all models of the folder. */
export function configFileBeside(modelPath: string): string | undefined {
  return [configPathBeside(modelPath), join(dirname(modelPath), "model.ranklens.json")].find((path) =>
    existsSync(path),
  );
}

/**
 * Reads and checks a config file. Whether the data files exist is checked when they are opened.
 * @throws ExpectedError with the file, the place and the offending value.
 */
export function loadConfig(path: string): ResolvedConfig {
  const absolute = resolve(path);
  return parseConfig(
    parseJson(readTextFile(absolute, "a config file", MAX_CONFIG_BYTES, ADVICE), absolute),
    absolute,
    dirname(absolute),
  );
}

/**
 * Checks settings that are already in memory: the content of a config file, or the settings stored in a report.
 * @param where what messages call the settings: a path.
 * @param baseDir the folder at which relative paths start.
 * @throws ExpectedError with the key and the offending value.
 */
export function parseConfig(value: unknown, where: string, baseDir: string): ResolvedConfig {
  const version: unknown =
    typeof value === "object" && value !== null && "version" in value ? value.version : undefined;
  if (typeof version === "number" && version > CONFIG_VERSION) {
    throw new ExpectedError(
      `${where}: version ${version} is made for a newer RankLens; this one reads version ${CONFIG_VERSION}. Update RankLens.`,
    );
  }
  const result = configSchema.safeParse(value);
  if (!result.success) {
    throw new ExpectedError(`${where}: ${describeProblems(configSchema, value, result.error.issues)}`);
  }
  return withPaths(result.data, (path) => resolve(baseDir, path));
}

/** The config with another output and metric, where they are given. */
export function withMeasure(config: ResolvedConfig, output?: string, metric?: MetricChoice): ResolvedConfig {
  return { ...config, ...(output === undefined ? {} : { output }), ...(metric === undefined ? {} : { metric }) };
}

/** The inverse of {@link parseConfig}: paths relative to `baseDir`, with forward slashes on every system. */
export function relativeConfig(config: ResolvedConfig, baseDir: string): Config {
  // On Windows a path on another drive has no relative form and stays absolute.
  return withPaths(config, (path) => (relative(baseDir, path) || ".").split(sep).join("/"));
}

function withPaths(config: Config, change: (path: string) => string): ResolvedConfig {
  const changed = ({ source, labels, ...rest }: DataConfig): DataConfig => ({
    source: mapSource(source, change),
    ...(labels === undefined ? {} : { labels: change(labels) }),
    ...rest,
  });
  const { calibration, validation, preprocess, inputs, tolerance, output, metric } = config;
  return {
    ...(calibration === undefined ? {} : { calibration: changed(calibration) }),
    ...(validation === undefined ? {} : { validation: changed(validation) }),
    ...(preprocess === undefined ? {} : { preprocess: withTokenizer(preprocess, change) }),
    ...(inputs === undefined ? {} : { inputs }),
    ...(tolerance === undefined ? {} : { tolerance }),
    ...(output === undefined ? {} : { output }),
    ...(metric === undefined ? {} : { metric }),
  };
}

function withTokenizer({ tokenizer, ...rest }: Preprocess, change: (path: string) => string): Preprocess {
  return tokenizer === undefined ? rest : { ...rest, tokenizer: change(tokenizer) };
}

/** Changes the path of a source, or of each of several. */
export function mapSource(source: DataConfig["source"], change: (path: string) => string): DataConfig["source"] {
  if (typeof source === "string") return change(source);
  return Object.fromEntries(Object.entries(source).map(([input, path]) => [input, change(path)]));
}

/** JSON.parse, but with the place of a mistake, which JSON.parse says in words that differ between versions. */
function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const problems: ParseError[] = [];
    parse(text, problems, { disallowComments: true });
    const [first] = problems;
    if (!first) throw new ExpectedError(`${path}: not valid JSON: ${String(error)}`, { cause: error });
    const before = text.slice(0, first.offset).split("\n");
    const place = `${before.length}:${before[before.length - 1].length + 1}`;
    throw new ExpectedError(`${path}:${place}: not valid JSON: ${inWords(printParseErrorCode(first.error))}`, {
      cause: error,
    });
  }
}

/** "CommaExpected" → "comma expected". */
function inWords(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
