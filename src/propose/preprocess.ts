import type { SourceDescription } from "../calibration/describe";
import { rowShape } from "../calibration/feed";
import {
  arrange,
  canArrange,
  imageChannels,
  LAYOUTS,
  showBatch,
  type Layout,
  type SampleForm,
} from "../calibration/layout";
import type { Preprocess } from "../config";
import type { GraphIndex } from "../onnx/graphIndex";
import type { ValueInfo } from "../onnx/schema";
import type { Candidate } from "./candidates";
import { imageSize } from "./imageSize";
import { sequenceForm } from "./sequences";
import { normalisations } from "./normalisation";
import { findOwnNormalisation } from "./ownNormalisation";
import { shortPath, valuesText } from "./phrases";
import type { Assumption, Question } from "./proposal";
import { lookAtValues } from "./values";

/** Images of so many channels are images for sure. */
const USUAL_CHANNELS: readonly number[] = [1, 3, 4];

export interface ProposedPreprocess {
  readonly settings: Preprocess;
  readonly assumptions: readonly Assumption[];
  readonly question: Question | null;
}

/**
 * Preprocessing for the model's inputs. The config can describe it for one of them: the first that needs some. The others
 * take their samples as they are.
 */
export async function proposePreprocess(
  index: GraphIndex,
  sources: ReadonlyMap<ValueInfo, Candidate>,
): Promise<ProposedPreprocess> {
  const all: (ProposedPreprocess & { input: string })[] = [];
  for (const [input, source] of sources) {
    all.push({ input: input.name, ...(await forInput(index, input, source)) });
  }
  if (all.length === 1) return all[0];
  const assumptions = all.flatMap((one) =>
    one.assumptions.map(({ about, text }): Assumption => ({ about: ofInput(about, one.input), text })),
  );
  const [first, ...others] = all.filter(({ settings }) => Object.keys(settings).length > 0);
  if (first === undefined) return { settings: {}, assumptions, question: null };
  const left = others.map(({ input }): Assumption => ({
    about: ofInput("values", input),
    text: `as they are after all, since a config preprocesses one input; save them as the model takes them`,
  }));
  const named = (settings: Preprocess): Preprocess => ({ input: first.input, ...settings });
  const options = first.question?.options.map(({ label, preprocess }) => ({ label, preprocess: named(preprocess) }));
  return {
    settings: named(first.settings),
    assumptions: [...assumptions, ...left],
    question: options ? { about: ofInput("values", first.input), options } : null,
  };
}

function ofInput(about: string, input: string): string {
  return `${about} of "${input}"`;
}

async function forInput(
  index: GraphIndex,
  input: ValueInfo,
  { path, description: found }: Candidate,
): Promise<ProposedPreprocess> {
  const sequences = sequenceForm(found, input, index.dataInputs);
  if (sequences !== null) return sequences;
  const { isTable, sampleShape } = found;
  const description = isTable && sampleShape ? { ...found, sampleShape: rowShape(sampleShape, input) } : found;
  const form = formOf(path, description, input);
  const { choices, why } = normalisations({
    input,
    values: await lookAtValues(path, description),
    own: findOwnNormalisation(index, input.name),
    channels: form.channels,
    isImages: description.isImages,
  });
  const options = choices.map(({ label, settings }) => ({ label, preprocess: { ...form.settings, ...settings } }));
  const open = options.length > 1;
  return {
    settings: options[0].preprocess,
    assumptions: [...form.assumptions, { about: "values", text: valuesText(choices[0].label, why, open) }],
    question: open ? { about: "values", options } : null,
  };
}

/** How samples get the shape that an input takes. */
interface Form {
  readonly settings: Pick<Preprocess, "layout" | "resize" | "crop">;
  /** Null where the samples are no images. */
  readonly channels: number | null;
  readonly assumptions: readonly Assumption[];
}

function formOf(path: string, { isImages, sampleShape, layout: own }: SourceDescription, input: ValueInfo): Form {
  const takes = `the input "${input.name}" takes ${showBatch((input.shape ?? []).slice(1))}`;
  if (isImages) {
    const { settings, text } = imageSize(sampleShape, input);
    const channels = imageChannels(input);
    const colours = channels === 1 ? "grey, since" : "RGB, since";
    const assumptions = [
      { about: "size", text },
      { about: "channels", text: `${colours} ${takes}` },
    ];
    return { settings, channels, assumptions };
  }
  const samples = {
    path,
    sampleShape: sampleShape ?? [],
    layout: own,
  };
  const layout = own === null ? layoutOf(samples, input) : undefined;
  // Images that bring their own layout need none, and anything else is taken as it is.
  if (layout === undefined) {
    const channels = own === null ? null : arrange(samples, undefined, input).channels;
    return { settings: {}, channels, assumptions: [] };
  }
  const text = `${layout}, since ${shortPath(path)} has ${showBatch(samples.sampleShape)} and ${takes}`;
  const { channels } = arrange(samples, layout, input);
  return { settings: { layout }, channels, assumptions: [{ about: "layout", text }] };
}

/** How the axes of an array of images lie; undefined where it holds no images. */
function layoutOf(samples: SampleForm, input: ValueInfo): Layout | undefined {
  if (samples.sampleShape.length !== 3) return undefined;
  const fitting = LAYOUTS.filter((layout) => canArrange(samples, layout, input));
  if (fitting.length < 2) return fitting[0];
  // Both fit, where the model takes any size: channels are the axis that is as short as channels are.
  const [first, , last] = samples.sampleShape;
  return USUAL_CHANNELS.includes(last) && !USUAL_CHANNELS.includes(first) ? "NHWC" : "NCHW";
}
