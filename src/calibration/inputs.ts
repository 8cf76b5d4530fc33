import type { Constant, DataConfig, Preprocess } from "../config";
import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import { feedOf, type Feed } from "./feed";
import { openSource } from "./index";
import { idInputs, isFilled, isInteger, isSameSide, roleOf } from "./inputRoles";
import { canArrange } from "./layout";
import { splitMember } from "./member";
import { checkSettings, namesOf, pointwiseSettings, quoted } from "./settings";
import type { ClassFolders, SampleSource } from "./source";

/** Settings of a config that decide how inputs are fed. */
export interface InputSettings {
  readonly preprocess: Preprocess;
  /** Values of inputs, by their names. */
  readonly constants: Readonly<Record<string, Constant>>;
  /** Where a tokenizer may lie, beside the text's own folder. */
  readonly modelFolder: string | null;
}

export interface OpenedInputs {
  /** The first is that of the model's first input with a source. */
  readonly feeds: readonly Feed[];
  /** The inputs that have no source, in the model's order. */
  readonly unfed: readonly ValueInfo[];
  /** The preprocessing of the values of an input: none for the others of several. */
  readonly settingsOf: (input: ValueInfo) => Preprocess;
  readonly warnings: readonly string[];
}

/**
 * Opens the sources of the model's inputs.
 * @throws ExpectedError if an input has neither a source nor a value nor a role that says it, a source has no input, or
 * their numbers of samples differ.
 */
export async function openInputs(
  data: DataConfig,
  inputs: readonly ValueInfo[],
  settings: InputSettings,
): Promise<OpenedInputs> {
  const { preprocess, constants, modelFolder } = settings;
  checkConstants(data, constants, inputs);
  const open = inputs.filter(({ name }) => !Object.hasOwn(constants, name));
  const { source: named } = data;
  const matched = typeof named === "string" ? await single(data, named, open) : await several(data, named, open);
  const sources = withCompanions(matched.sources, open);
  const first = (input: ValueInfo): number => inputs.indexOf(input);
  const sorted = [...sources].sort((a, b) => first(a.inputs[0]) - first(b.inputs[0]));
  const feeds: Feed[] = [];
  for (const { path, source, inputs: own } of sorted) {
    feeds.push(await feedOf(path, source, own, { preprocess, modelFolder }));
  }
  const fed = new Set(feeds.flatMap((feed) => feed.inputs));
  const unfed = inputs.filter((input) => !fed.has(input));
  const settingsOf = pointwiseSettings(preprocess, inputs, [...fed]);
  checkSettings(feeds, preprocess, settingsOf, unfed);
  const other = feeds.find(({ count }) => count !== feeds[0].count);
  if (other === undefined) return { feeds, unfed, settingsOf, warnings: matched.warnings };
  throw new ExpectedError(
    `${other.path} has ${other.count} samples, and ${feeds[0].path} has ${feeds[0].count}; ` +
      `every input needs the same samples in the same order`,
  );
}

function checkConstants(
  { source }: DataConfig,
  constants: InputSettings["constants"],
  inputs: readonly ValueInfo[],
): void {
  for (const name of Object.keys(constants)) {
    if (!inputs.some((input) => input.name === name)) {
      const are = inputs.length === 1 ? "the model's input is" : "the model's inputs are";
      throw new ExpectedError(`"inputs" names "${name}", but ${are} ${namesOf(inputs)}`);
    }
    if (typeof source === "object" && Object.hasOwn(source, name)) {
      throw new ExpectedError(`both "source" and "inputs" name "${name}"; remove one of them`);
    }
  }
}

interface OpenedSource {
  readonly path: string;
  readonly source: SampleSource;
  /** The first one is the one that the source is for. */
  readonly inputs: readonly ValueInfo[];
}

interface Matched {
  readonly sources: readonly OpenedSource[];
  readonly warnings: readonly string[];
}

async function single(data: DataConfig, path: string, inputs: readonly ValueInfo[]): Promise<Matched> {
  const source = await openOne(data, path, data.classes ?? null);
  const isTokens = source.content === "text" || source.content === "tokens";
  const needy = inputs.filter((input) => !isFilled(input));
  const ids = isTokens ? idInputs(inputs) : [];
  const targets = ids.length > 0 ? ids : needy.length > 0 ? needy : inputs;
  const rest = needy.filter((input) => !targets.includes(input));
  // An encoder and a decoder may take the same tokens.
  if (rest.length === 0 && (targets.length === 1 || ids.length > 0)) {
    return { sources: [{ path, source, inputs: targets }], warnings: [] };
  }
  if (targets.length === 0) {
    throw new ExpectedError(`"inputs" gives every input of the model a value: none is left for ${path}`);
  }
  const example = needy.map(({ name }) => `"${name}": "…"`).join(", ");
  const [without] = rest.length > 0 ? rest : needy.slice(1);
  throw new ExpectedError(
    `the model has ${inputs.length} inputs (${namesOf(inputs)}), and the config names one source; name one for each: ` +
      `"source": {${example}}, or a value for one without samples: "inputs": {"${(without ?? inputs[1]).name}": 0}`,
  );
}

/** By name; what is left over by shape, if there is only one way. */
async function several(
  data: DataConfig,
  paths: Readonly<Record<string, string>>,
  inputs: readonly ValueInfo[],
): Promise<Matched> {
  const keys = Object.keys(paths);
  const rest = keys.filter((key) => !inputs.some(({ name }) => name === key));
  const unnamed = inputs.filter(({ name }) => !keys.includes(name));
  const needy = unnamed.filter((input) => !isFilled(input));
  const free = [needy, unnamed].find(({ length }) => length === rest.length);
  if (free === undefined) throw wrongKeys(rest, needy, inputs);
  const opened = new Map<string, SampleSource>();
  for (const [key, path] of Object.entries(paths)) {
    opened.set(key, await openOne(data, path, await classesFor(path, data.classes, keys.length)));
  }
  const sources = inputs.flatMap((input): OpenedSource[] => {
    const source = opened.get(input.name);
    return source === undefined ? [] : [{ path: paths[input.name], source, inputs: [input] }];
  });
  const warnings: string[] = [];
  const taken = new Set<ValueInfo>();
  for (const key of rest) {
    const source = opened.get(key)!;
    const left = free.filter((input) => !taken.has(input));
    const fitting = left.filter((input) => fitsInput(source, input));
    const rivals = rest.filter((other) => fitting.some((input) => fitsInput(opened.get(other)!, input)));
    if (fitting.length !== 1 || rivals.length !== 1) {
      throw new ExpectedError(
        `"source" names "${key}", and the model's inputs are ${namesOf(inputs)}; use their names, since shapes do not tell ` +
          `which input ${paths[key]} is for`,
      );
    }
    const [input] = fitting;
    taken.add(input);
    sources.push({ path: paths[key], source, inputs: [input] });
    warnings.push(`The source "${key}" is fed to the model's input "${input.name}", by its shape; use that name.`);
  }
  return { sources, warnings };
}

function wrongKeys(
  unknown: readonly string[],
  needy: readonly ValueInfo[],
  inputs: readonly ValueInfo[],
): ExpectedError {
  const what = needy.length > 0 ? `no source for ${namesOf(needy)}` : `sources for ${quoted(unknown)}`;
  const value = needy.length > 0 ? `, or a value: "inputs": {"${needy[0].name}": 0}` : "";
  return new ExpectedError(
    `"source" has ${what}, and the model has ${inputs.length === 1 ? "one input" : `${inputs.length} inputs`} ` +
      `(${namesOf(inputs)}); name one source for each${value}`,
  );
}

/** A column of labels that stands in the same table is no sample. */
async function openOne({ labels }: DataConfig, path: string, classes: ClassFolders | null): Promise<SampleSource> {
  const source = await openSource(path, classes);
  const { file, member } = splitMember(labels ?? "");
  if (source.content !== "array" || source.withoutColumn === undefined || file !== path || member === null) {
    return source;
  }
  return source.withoutColumn(member);
}

/** Among several sources, `classes` is meant for the one with class folders. */
async function classesFor(
  path: string,
  classes: ClassFolders | undefined,
  sources: number,
): Promise<ClassFolders | null> {
  if (classes === undefined || sources === 1) return classes ?? null;
  const { content } = await openSource(path);
  return content === "images" || content === "sound" ? classes : null;
}

function fitsInput(source: SampleSource, input: ValueInfo): boolean {
  if (source.content === "array") return canArrange(source.samples, undefined, input);
  if (source.content === "text" || source.content === "tokens") return isInteger(input.elementType);
  return input.shape === null || (source.content === "sound" ? input.shape.length <= 3 : input.shape.length === 4);
}

/** Text brings its mask and positions along, for inputs that no source is named for. */
function withCompanions(sources: readonly OpenedSource[], inputs: readonly ValueInfo[]): OpenedSource[] {
  const texts = sources.filter(({ source: { content } }) => content === "text" || content === "tokens");
  const named = new Set(sources.flatMap((one) => one.inputs));
  const companions = inputs.filter((input) => !named.has(input) && isCompanion(input));
  return sources.map((one) => {
    const own = companions.filter((input) => texts.find((text) => goesWith(text, input)) === one);
    return own.length === 0 ? one : { ...one, inputs: [...one.inputs, ...own] };
  });
}

/** An input of whole numbers, one for each token. */
function isCompanion(input: ValueInfo): boolean {
  const role = roleOf(input);
  return (role === "mask" || role === "positions") && (input.shape === null || input.shape.length === 2);
}

function goesWith({ inputs }: OpenedSource, input: ValueInfo): boolean {
  return inputs.some((own) => isSameSide(own, input) && own !== input && roleOf(own) !== "types");
}
