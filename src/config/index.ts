import { readFileSync, statSync } from "node:fs";
import { dirname, extname, relative, resolve, sep } from "node:path";
import { ExpectedError } from "../errors";
import { findJsonSyntaxError } from "./jsonSyntax";
import { describeProblems } from "./problems";
import { configSchema, type Config, type DataConfig } from "./schema";

export { configJsonSchema, DEFAULT_TOLERANCE, type Config, type DataConfig, type Preprocess } from "./schema";

/** A {@link Config} whose paths are absolute. */
export type ResolvedConfig = Omit<Config, "$schema">;

/** A config file is a few hundred bytes, or some kilobytes with long channel lists: more is the wrong file. */
const MAX_CONFIG_BYTES = 1 << 20;

const EXAMPLE = '{"calibration": {"source": "images.npy"}}';

/** The config file that belongs to a model: `dir/foo.onnx` → `dir/foo.ranklens.json`. */
export function configPathBeside(modelPath: string): string {
  return `${modelPath.slice(0, modelPath.length - extname(modelPath).length)}.ranklens.json`;
}

/**
 * Reads and checks a config file. Whether the data files exist is checked when they are opened.
 * @throws ExpectedError with the file, the place and the offending value.
 */
export function loadConfig(path: string): ResolvedConfig {
  const absolute = resolve(path);
  return parseConfig(parseJson(readText(absolute), absolute), absolute, dirname(absolute));
}

/**
 * Checks settings that are already in memory: the content of a config file, or the settings stored in a report.
 * @param where what messages call the settings: a path.
 * @param baseDir the folder at which relative paths start.
 * @throws ExpectedError with the key and the offending value.
 */
export function parseConfig(value: unknown, where: string, baseDir: string): ResolvedConfig {
  const result = configSchema.safeParse(value);
  if (!result.success) {
    throw new ExpectedError(`${where}: ${describeProblems(configSchema, value, result.error.issues)}`);
  }
  return withPaths(result.data, (path) => resolve(baseDir, path));
}

/** The inverse of {@link parseConfig}: paths relative to `baseDir`, with forward slashes on every system. */
export function relativeConfig(config: ResolvedConfig, baseDir: string): Config {
  // On Windows a path on another drive has no relative form and stays absolute.
  return withPaths(config, (path) => (relative(baseDir, path) || ".").split(sep).join("/"));
}

function withPaths(config: Config, change: (path: string) => string): ResolvedConfig {
  const changed = ({ source, labels, ...rest }: DataConfig): DataConfig => ({
    source: change(source),
    ...(labels === undefined ? {} : { labels: change(labels) }),
    ...rest,
  });
  const { calibration, validation, preprocess, tolerance } = config;
  return {
    ...(calibration === undefined ? {} : { calibration: changed(calibration) }),
    ...(validation === undefined ? {} : { validation: changed(validation) }),
    ...(preprocess === undefined ? {} : { preprocess }),
    ...(tolerance === undefined ? {} : { tolerance }),
  };
}

function readText(path: string): string {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) {
      throw new ExpectedError(`${path} is not a file; name a config file such as model.ranklens.json`);
    }
    if (stat.size > MAX_CONFIG_BYTES) {
      throw new ExpectedError(
        `${path} has ${stat.size} bytes, and a config file at most ${MAX_CONFIG_BYTES}; is it the right file?`,
      );
    }
    // Some Windows editors begin a file with a byte order mark, which JSON does not allow.
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw new ExpectedError(`${path}: no such config file; create it, for example with ${EXAMPLE}`, { cause: error });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new ExpectedError(`${path}: the config file cannot be read: ${reason}`, { cause: error });
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const found = findJsonSyntaxError(text);
    if (found === null) {
      throw new ExpectedError(`${path}: not valid JSON: ${String(error)}`, { cause: error });
    }
    throw new ExpectedError(`${path}:${found.line}:${found.column}: not valid JSON: ${found.problem}`, {
      cause: error,
    });
  }
}
