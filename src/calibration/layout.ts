import { basename } from "node:path";
import type { Preprocess } from "../config";
import { ExpectedError } from "../errors";
import type { Dimension, ValueInfo } from "../onnx/schema";
import type { SampleArray } from "./source";

export type Layout = NonNullable<Preprocess["layout"]>;

/** What decides how samples are arranged. */
export type SampleForm = Pick<SampleArray, "path" | "sampleShape" | "layout">;

/** Which axis of a sample counts the channels. */
export type ChannelAxis = "first" | "last";

/** How the values of one sample are arranged in the source, and where they go in the model's input. */
export interface Arrangement {
  readonly source: ChannelAxis;
  /** Differs from {@link source} where samples are transposed. */
  readonly result: ChannelAxis;
  /** 1 where a sample is a single number. */
  readonly channels: number;
  /** Values per channel: ∏sampleShape / channels. */
  readonly channelSize: number;
  /** Dimensions of one sample as the model takes it. */
  readonly sampleDims: readonly number[];
}

export const LAYOUTS: readonly Layout[] = ["NHWC", "NCHW"];

/** Axes of one image: height, width and channels. */
const IMAGE_AXES = 3;

/**
 * Decides whether samples are transposed for the model. A declared `layout` describes the source and applies to images
 * (batches of 4 axes) only; the model is taken to want NCHW, as ONNX's operators do, unless its own dimensions say
 * that its channels come last. Without a layout nothing is moved, and channels are the last axis. A source that fixes its
 * own layout (images) does not ask the config, and images of one channel may also enter as [N,height,width] or [N,values].
 * @throws ExpectedError if the result does not fit the model's input.
 */
export function arrange(samples: SampleForm, layout: Layout | undefined, input: ValueInfo): Arrangement {
  const arrangement = arrangeSamples(samples, layout, input);
  if (!fits(arrangement.sampleDims, input)) throw mismatch(samples, layout, input, arrangement);
  return arrangement;
}

/** Whether {@link arrange} would find a way. */
export function canArrange(samples: SampleForm, layout: Layout | undefined, input: ValueInfo): boolean {
  return fits(arrangeSamples(samples, layout, input).sampleDims, input);
}

/** The channels that images are decoded to for an input of the model: its own, if that is 1 or 3; else 3. */
export function imageChannels({ shape }: ValueInfo): 1 | 3 {
  if (shape === null) return 3;
  if (shape.length !== IMAGE_AXES + 1) return 1;
  const channels = [shape[1], shape[IMAGE_AXES]].find((dim) => dim === 1 || dim === 3);
  return channels === 1 ? 1 : 3;
}

function arrangeSamples(samples: SampleForm, layout: Layout | undefined, input: ValueInfo): Arrangement {
  const arrangement = arrangeAs(samples.sampleShape, samples.layout ?? layout, input);
  if (samples.layout === null || arrangement.channels !== 1 || input.shape === null) return arrangement;
  if (input.shape.length === 2) return { ...arrangement, sampleDims: [arrangement.channelSize] };
  const sides = samples.layout === "NHWC" ? samples.sampleShape.slice(0, 2) : samples.sampleShape.slice(1);
  return input.shape.length === 3 ? { ...arrangement, sampleDims: sides } : arrangement;
}

function arrangeAs(shape: readonly number[], layout: Layout | undefined, input: ValueInfo): Arrangement {
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (layout === undefined || shape.length !== IMAGE_AXES) {
    const channels = shape.at(-1) ?? 1;
    return { source: "last", result: "last", channels, channelSize: size / channels, sampleDims: shape };
  }
  const source: ChannelAxis = layout === "NHWC" ? "last" : "first";
  const [a, b, c] = shape;
  const [channels, height, width] = source === "last" ? [c, a, b] : [a, b, c];
  const result: ChannelAxis = takesChannelsLast(input, channels) ? "last" : "first";
  const sampleDims = result === "last" ? [height, width, channels] : [channels, height, width];
  return { source, result, channels, channelSize: size / channels, sampleDims };
}

function takesChannelsLast({ shape }: Pick<ValueInfo, "shape">, channels: number): boolean {
  return shape?.length === IMAGE_AXES + 1 && shape[IMAGE_AXES] === channels && shape[1] !== channels;
}

/** Whether a batch of such samples fits; the batch axis is the caller's. */
function fits(sampleDims: readonly number[], { shape }: ValueInfo): boolean {
  if (shape === null) return true;
  const sizeFits = (dim: Dimension, index: number): boolean => typeof dim !== "number" || dim === sampleDims[index];
  return shape.length === sampleDims.length + 1 && shape.slice(1).every(sizeFits);
}

function mismatch(
  samples: SampleForm,
  layout: Layout | undefined,
  input: ValueInfo,
  { sampleDims, source, result }: Arrangement,
): ExpectedError {
  const own = showBatch(samples.sampleShape);
  const readAs = samples.layout === null ? `, read as ${layout ?? ""},` : "";
  const given = source === result ? own : `${showBatch(sampleDims)} (its ${own}${readAs} transposed)`;
  const wanted = input.shape === null || input.shape.length === 0 ? "a single number" : showBatch(input.shape.slice(1));
  return new ExpectedError(
    `the model's input "${input.name}" takes ${wanted}; ${basename(samples.path)} gives ${given}` +
      (samples.layout === null ? hint(samples.sampleShape, layout, input) : imageHint(samples, input)),
  );
}

/** What to do about a mismatch, where something simple helps. */
function hint(shape: readonly number[], layout: Layout | undefined, input: ValueInfo): string {
  if (fits([1, ...shape], input)) return "; add an axis of length 1 to the data: array[:, np.newaxis]";
  if (fits([...shape, 1], input)) return "; add an axis of length 1 to the data: array[..., np.newaxis]";
  const other =
    shape.length === IMAGE_AXES &&
    LAYOUTS.find((it) => it !== layout && fits(arrangeAs(shape, it, input).sampleDims, input));
  if (other) return `; set preprocess.layout to "${other}", the order of the axes in the source`;
  const wanted = input.shape?.slice(1) ?? [];
  const size = (dims: readonly Dimension[]): number => dims.reduce<number>((product, dim) => product * Number(dim), 1);
  // A free size is NaN here, which equals nothing.
  if (wanted.length > 0 && size(wanted) === size(shape) && layout === undefined) {
    return `; if the values are in that order, use array.reshape(-1, ${wanted.join(", ")})`;
  }
  return "; save the samples in the shape that the model takes";
}

/** Decoded images can be cut to what the model wants. */
function imageHint({ layout, sampleShape }: SampleForm, { shape }: ValueInfo): string {
  if (layout !== "NHWC" || shape?.length !== IMAGE_AXES + 1) return "";
  const sides = takesChannelsLast({ shape }, sampleShape[2]) ? shape.slice(1, 3) : shape.slice(2);
  if (sides.every((side, axis) => typeof side !== "number" || side === sampleShape[axis])) return "";
  return `; set preprocess.crop to [${sides.map((side) => side ?? "?").join(", ")}], and preprocess.resize before it`;
}

/** `[3, "height", null]` → `[N,3,height,?]`. */
export function showBatch(dims: readonly Dimension[]): string {
  return `[${["N", ...dims.map((dim) => dim ?? "?")].join(",")}]`;
}
