import type { DataConfig, Preprocess } from "../config";
import { ExpectedError } from "../errors";
import { isFloatType } from "../onnx/elements";
import type { ValueInfo } from "../onnx/schema";
import { openSource } from "./index";
import { canArrange, imageChannels } from "./layout";
import type { ClassFolders, SampleSource, WantedImages } from "./source";

/** A model input with the samples that are fed to it. */
export interface FedInput {
  readonly input: ValueInfo;
  /** As the config names it. */
  readonly path: string;
  readonly source: SampleSource;
  /** The preprocessing of this input: none for the others of several. */
  readonly settings: Preprocess;
}

export interface FedInputs {
  /** In the model's order. */
  readonly fed: readonly FedInput[];
  readonly warnings: readonly string[];
}

/** Settings that say how images are decoded; for anything else they mean nothing. */
const IMAGE_SETTINGS = ["resize", "crop", "channels"] as const;

/**
 * Opens the source of every model input.
 * @throws ExpectedError if an input has no source or a source no input, or their numbers of samples differ.
 */
export async function openInputs(
  { source, classes }: DataConfig,
  preprocess: Preprocess,
  inputs: readonly ValueInfo[],
): Promise<FedInputs> {
  const matched =
    typeof source === "string" ? await single(source, classes, inputs) : await several(source, classes, inputs);
  const preprocessed = preprocessedInput(preprocess, inputs);
  const fed = inputs.map((input): FedInput => {
    const one = matched.sources.get(input.name)!;
    const settings = input.name === preprocessed ? preprocess : {};
    const unused =
      one.source.content === "images" ? undefined : IMAGE_SETTINGS.find((key) => settings[key] !== undefined);
    if (unused === undefined) return { input, ...one, settings };
    throw new ExpectedError(
      `preprocess.${unused} is for image files, and ${one.path} is a ${one.source.kind}; remove it`,
    );
  });
  const [first, ...others] = fed;
  const other = others.find((candidate) => countOf(candidate.source) !== countOf(first.source));
  if (other === undefined) return { fed, warnings: matched.warnings };
  throw new ExpectedError(
    `${other.path} has ${countOf(other.source)} samples, and ${first.path} has ${countOf(first.source)}; ` +
      `every input needs the same samples in the same order`,
  );
}

/** Samples in a source. */
export function countOf(source: SampleSource): number {
  return source.content === "images" ? source.count : source.samples.count;
}

/** What images become for an input. */
export function wantedImages(input: ValueInfo, { resize, crop, channels }: Preprocess): WantedImages {
  return {
    channels: imageChannels(input),
    order: channels ?? "RGB",
    resize: resize ?? null,
    crop: typeof crop === "number" ? [crop, crop] : (crop ?? null),
  };
}

interface OpenedInput {
  readonly path: string;
  readonly source: SampleSource;
}

interface Matched {
  readonly sources: ReadonlyMap<string, OpenedInput>;
  readonly warnings: readonly string[];
}

async function single(path: string, classes: ClassFolders | undefined, inputs: readonly ValueInfo[]): Promise<Matched> {
  if (inputs.length > 1) {
    const example = inputs.map(({ name }) => `"${name}": "…"`).join(", ");
    throw new ExpectedError(
      `the model has ${inputs.length} inputs (${namesOf(inputs)}), and the config names one source; ` +
        `name one for each: "source": {${example}}`,
    );
  }
  const source = await openSource(path, classes ?? null);
  return { sources: new Map([[inputs[0].name, { path, source }]]), warnings: [] };
}

/** By name; what is left over by shape, if there is only one way. */
async function several(
  paths: Readonly<Record<string, string>>,
  classes: ClassFolders | undefined,
  inputs: readonly ValueInfo[],
): Promise<Matched> {
  const keys = Object.keys(paths);
  if (keys.length !== inputs.length) {
    const known = new Set(inputs.map(({ name }) => name));
    const missing = inputs.filter(({ name }) => !keys.includes(name));
    const what =
      missing.length > 0
        ? `no source for ${namesOf(missing)}`
        : `sources for ${quoted(keys.filter((key) => !known.has(key)))}`;
    throw new ExpectedError(
      `"source" has ${what}, and the model has ${inputs.length === 1 ? "one input" : `${inputs.length} inputs`} (${namesOf(inputs)}); ` +
        `name one source for each`,
    );
  }
  const opened = new Map<string, OpenedInput>();
  for (const [key, path] of Object.entries(paths)) {
    opened.set(key, { path, source: await openSource(path, await classesFor(path, classes, keys.length)) });
  }
  const sources = new Map([...opened].filter(([key]) => inputs.some(({ name }) => name === key)));
  const warnings: string[] = [];
  const rest = keys.filter((key) => !sources.has(key));
  const free = inputs.filter(({ name }) => !sources.has(name));
  for (const key of rest) {
    const one = opened.get(key)!;
    const fitting = free.filter((input) => fitsInput(one.source, input));
    const rivals = rest.filter((other) => fitting.some((input) => fitsInput(opened.get(other)!.source, input)));
    if (fitting.length !== 1 || rivals.length !== 1) {
      throw new ExpectedError(
        `"source" names "${key}", and the model's inputs are ${namesOf(inputs)}; use their names, since shapes do not tell ` +
          `which input ${one.path} is for`,
      );
    }
    sources.set(fitting[0].name, one);
    warnings.push(`The source "${key}" is fed to the model's input "${fitting[0].name}", by its shape; use that name.`);
  }
  return { sources, warnings };
}

/** Among several sources, `classes` is meant for the one with class folders. */
async function classesFor(
  path: string,
  classes: ClassFolders | undefined,
  sources: number,
): Promise<ClassFolders | null> {
  if (classes === undefined || sources === 1) return classes ?? null;
  const source = await openSource(path);
  return source.content === "images" ? classes : null;
}

function fitsInput(source: SampleSource, input: ValueInfo): boolean {
  if (source.content === "array") return canArrange(source.samples, undefined, input);
  return input.shape === null || input.shape.length === 4;
}

/** The input that `preprocess` is for: the one that it names, the only one, or the only one of floating point. */
function preprocessedInput(preprocess: Preprocess, inputs: readonly ValueInfo[]): string | null {
  const { input: wanted, ...settings } = preprocess;
  if (wanted !== undefined) {
    if (inputs.some(({ name }) => name === wanted)) return wanted;
    const are = inputs.length === 1 ? "the model's input is" : "the model's inputs are";
    throw new ExpectedError(`preprocess.input is "${wanted}", but ${are} ${namesOf(inputs)}`);
  }
  if (inputs.length === 1) return inputs[0].name;
  const floating = inputs.filter(({ elementType }) => isFloatType(elementType));
  if (floating.length === 1) return floating[0].name;
  if (Object.keys(settings).length === 0) return null;
  if (floating.length === 0) {
    throw new ExpectedError(
      `"preprocess" is for floating-point inputs, and the model has none (${namesOf(inputs)}); remove it`,
    );
  }
  throw new ExpectedError(
    `the model has ${floating.length} floating-point inputs (${namesOf(floating)}); name the one that "preprocess" is for ` +
      `in preprocess.input`,
  );
}

function namesOf(inputs: readonly ValueInfo[]): string {
  return quoted(inputs.map(({ name }) => name));
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
