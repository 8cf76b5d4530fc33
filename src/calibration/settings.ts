import type { Preprocess } from "../config";
import { ExpectedError } from "../errors";
import { isFloatType } from "../onnx/elements";
import type { ValueInfo } from "../onnx/schema";
import type { Feed } from "./feed";
import { roleOf } from "./inputRoles";
import type { SampleSource } from "./source";

/** Settings that only some kinds of sources know, and what messages call these. */
const KINDS: readonly {
  readonly keys: readonly (keyof Preprocess)[];
  readonly contents: readonly SampleSource["content"][];
  readonly what: string;
}[] = [
  { keys: ["resize", "crop", "channels"], contents: ["images"], what: "image files" },
  { keys: ["tokenizer", "maxLength"], contents: ["text", "tokens"], what: "text and token ids" },
  { keys: ["sampleRate", "samples"], contents: ["sound"], what: "recordings" },
];

/** Settings that say what becomes of a single input's samples. */
const OF_ONE_INPUT = ["layout", "resize", "crop", "channels", "scale", "mean", "std"] as const;

/** @throws ExpectedError for a setting that is not for the kind of source that it would concern. */
export function checkSettings(
  feeds: readonly Feed[],
  preprocess: Preprocess,
  settingsOf: (input: ValueInfo) => Preprocess,
  unfed: readonly ValueInfo[],
): void {
  for (const { keys, contents, what } of KINDS) {
    const isFor = ({ source }: Feed): boolean => contents.includes(source.content);
    const forOne = (OF_ONE_INPUT as readonly string[]).includes(keys[0]);
    const wrong = forOne
      ? feeds.find(
          (feed) =>
            !isFor(feed) && feed.inputs.some((input) => keys.some((key) => settingsOf(input)[key] !== undefined)),
        )
      : feeds.some(isFor)
        ? undefined
        : feeds[0];
    const key = wrong && keys.find((one) => preprocess[one] !== undefined);
    if (wrong === undefined || key === undefined) continue;
    // A sampling rate may be an input of its own.
    if (key === "sampleRate" && unfed.some((input) => roleOf(input) === "rate")) continue;
    throw new ExpectedError(`preprocess.${key} is for ${what}, and ${wrong.path} is a ${wrong.source.kind}; remove it`);
  }
}

/** The settings that concern the values of one input: those of the config, for the input that they are for. */
export function pointwiseSettings(
  preprocess: Preprocess,
  inputs: readonly ValueInfo[],
  fed: readonly ValueInfo[],
): (input: ValueInfo) => Preprocess {
  const settings: Preprocess = Object.fromEntries(
    OF_ONE_INPUT.flatMap((key) => (preprocess[key] === undefined ? [] : [[key, preprocess[key]]])),
  );
  const chosen = preprocessedInput(preprocess.input, settings, inputs, fed);
  return (input) => (input === chosen ? settings : {});
}

/** The input that the settings are for: the one that they name, the only one with samples, or the only one of floating point. */
function preprocessedInput(
  wanted: string | undefined,
  settings: Preprocess,
  inputs: readonly ValueInfo[],
  fed: readonly ValueInfo[],
): ValueInfo | null {
  if (wanted !== undefined) {
    const found = fed.find(({ name }) => name === wanted);
    if (found !== undefined) return found;
    if (inputs.some(({ name }) => name === wanted)) {
      throw new ExpectedError(`preprocess.input is "${wanted}", and no source feeds that input; name another`);
    }
    const are = inputs.length === 1 ? "the model's input is" : "the model's inputs are";
    throw new ExpectedError(`preprocess.input is "${wanted}", but ${are} ${namesOf(inputs)}`);
  }
  if (fed.length === 1) return fed[0];
  const floating = fed.filter(({ elementType }) => isFloatType(elementType));
  if (floating.length === 1) return floating[0];
  if (Object.keys(settings).length === 0) return null;
  if (floating.length === 0) {
    throw new ExpectedError(
      `"preprocess" is for floating-point inputs, and the model has none (${namesOf(fed)}); remove it`,
    );
  }
  throw new ExpectedError(
    `the model has ${floating.length} floating-point inputs (${namesOf(floating)}); name the one that "preprocess" is for ` +
      `in preprocess.input`,
  );
}

export function namesOf(inputs: readonly ValueInfo[]): string {
  return quoted(inputs.map(({ name }) => name));
}

export function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
