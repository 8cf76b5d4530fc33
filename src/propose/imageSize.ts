import { imageChannels, showBatch } from "../calibration/layout";
import type { Preprocess } from "../config";
import type { Dimension, ValueInfo } from "../onnx/schema";

/** The part of a resized image that torchvision's evaluation takes: 224 of 256. */
const CROPPED = 224 / 256;
/** The side of ImageNet networks, for those that take any. */
const USUAL_SIDE = 224;

export interface ImageSize {
  readonly settings: Pick<Preprocess, "resize" | "crop">;
  readonly text: string;
}

/**
 * How images get the size that a model's input takes.
 * @param shape of one image, [height, width, channels]; null where they differ.
 */
export function imageSize(shape: readonly number[] | null, input: ValueInfo): ImageSize {
  const [high, wide] = sidesOf(input);
  const size = shape === null ? "images differ in size" : `images are ${shape[0]}×${shape[1]}`;
  const takes = `the input "${input.name}" takes ${showBatch(input.shape?.slice(1) ?? [])}`;
  const fixed = typeof high === "number" || typeof wide === "number";
  if (shape !== null && [high, wide].every((side, axis) => typeof side !== "number" || side === shape[axis])) {
    return { settings: {}, text: `${size}${fixed ? `, as ${takes}` : `; ${takes}, so they stay as they are`}` };
  }
  const known = [high, wide].filter((side) => typeof side === "number");
  const [height, width] = [high, wide].map((side) => (typeof side === "number" ? side : (known[0] ?? USUAL_SIDE)));
  if (height !== width) {
    return { settings: { resize: [height, width] }, text: `${size}, and ${takes}: resized to ${height}×${width}` };
  }
  const resize = Math.round(height / CROPPED);
  return {
    settings: { resize, crop: height },
    text:
      `${size}, and ${takes}: the shorter side resized to ${resize}, the centre ${height}×${height} cropped ` +
      `(256 and 224 of ImageNet, in proportion)${fixed ? "" : "; 224 is assumed, since the model takes any size"}`,
  };
}

/** Height and width that an input takes; unknown where it does not take images of 3 axes. */
function sidesOf(input: ValueInfo): readonly [Dimension, Dimension] {
  const { shape } = input;
  if (shape?.length === 3) return [shape[1], shape[2]];
  // One channel, flattened.
  if (shape?.length === 2 && typeof shape[1] === "number" && Number.isInteger(Math.sqrt(shape[1]))) {
    return [Math.sqrt(shape[1]), Math.sqrt(shape[1])];
  }
  if (shape?.length !== 4) return [null, null];
  return shape[3] === imageChannels(input) && shape[1] !== shape[3] ? [shape[1], shape[2]] : [shape[2], shape[3]];
}
