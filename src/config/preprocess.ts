import * as z from "zod";
import { allow, pathText } from "./keys";

/** Sides of images in pixels: larger ones are no model's input, and would only exhaust memory. */
const MAX_SIDE = 16384;

const SIDE = `a whole number of pixels from 1 to ${MAX_SIDE}`;
const SIDES = `${SIDE}, or [height, width]`;

/** One number, or height and width. */
function sides(title: string, description: string) {
  const side = z.int(allow(SIDE)).min(1, allow(SIDE)).max(MAX_SIDE, allow(SIDE));
  return z.union([side, z.tuple([side, side], allow(SIDES))], allow(SIDES)).meta({ title, description });
}

/** Preprocessing is done in float32, so a setting must have a float32 value (1e39 has none; 1e-50 rounds to 0). */
function float32(allowed: string) {
  return z.number(allow(allowed)).refine((value) => Number.isFinite(Math.fround(value)), allow(allowed));
}

/** One number for all channels, or a list of numbers, one per channel. */
function perChannel(number: z.ZodType<number>, allowed: string, meta: z.GlobalMeta) {
  return z.union([number, z.array(number).min(1, allow(allowed))], allow(allowed)).meta(meta);
}

const MEAN = "a number within float32 range, or a list of such numbers, one per channel";
const STD = "a number within float32 range other than 0, or a list of such numbers, one per channel";

/** Tokens of a sample: far beyond any model's context that is analysed on one machine. */
const MAX_TOKENS = 2 ** 20;
const TOKENS = `a whole number of tokens from 1 to ${MAX_TOKENS}`;
/** Sampling rates of recordings, in Hz. */
const MAX_RATE = 768_000;
const MIN_RATE = 1000;
const RATE = `a whole number of samples per second from ${MIN_RATE} to ${MAX_RATE}`;
/** Samples of a window: an hour at 48 kHz. */
const MAX_WINDOW = 3600 * 48_000;
const WINDOW = `a whole number of samples from 1 to ${MAX_WINDOW}`;

/** How samples become model input: `preprocess`. */
export const preprocessSchema = z
  .strictObject(
    {
      input: z
        .string(allow("the name of a model input"))
        .min(1, allow("the name of a model input"))
        .meta({
          title: "Model input",
          description:
            "The model input that is preprocessed. Needed only where the model has several floating-point inputs.",
        })
        .exactOptional(),
      layout: z
        .enum(["NHWC", "NCHW"], allow('"NHWC" or "NCHW"'))
        .meta({
          title: "Layout of the source",
          description:
            "The order of the axes in an array of images: NHWC (sample, height, width, channel) or NCHW (sample, channel, height, width). RankLens reorders them where the model wants the other one. Image files, MNIST and CIFAR files need no layout.",
        })
        .exactOptional(),
      resize: sides(
        "Resize image files",
        "Resizes every image first, bilinear as in Pillow and torchvision: one number for the shorter side, or [height, width].",
      ).exactOptional(),
      crop: sides(
        "Crop image files",
        "Takes the centre of every image, after resizing: one number for a square, or [height, width].",
      ).exactOptional(),
      channels: z
        .enum(["RGB", "BGR"], allow('"RGB" or "BGR"'))
        .meta({
          title: "Order of the colours",
          description: "The order in which the model takes the colours of image files; mean and std follow it.",
          default: "RGB",
        })
        .exactOptional(),
      scale: float32("a number within float32 range")
        .meta({
          title: "Scale",
          description:
            "Every value is multiplied by this number first. For pixels from 0 to 255, 0.00392156862745098 (1/255) gives 0 to 1.",
          default: 1,
        })
        .exactOptional(),
      mean: perChannel(float32(MEAN), MEAN, {
        title: "Mean",
        description: "Subtracted after scaling: one number, or a list with one number per channel.",
        default: 0,
      }).exactOptional(),
      std: perChannel(
        float32(STD)
          .refine((value) => Math.fround(value) !== 0, allow(STD))
          .meta({ not: { const: 0 } }),
        STD,
        {
          title: "Standard deviation",
          description:
            "Divides after subtracting the mean: one number other than 0, or a list with one number per channel.",
          default: 1,
        },
      ).exactOptional(),
      tokenizer: pathText(
        "Tokenizer",
        "The tokenizer.json that turns text into token ids, or its folder. Without it one beside the model or beside the text is used. A relative path starts at the folder of this config file.",
      ).exactOptional(),
      maxLength: z
        .int(allow(TOKENS))
        .min(1, allow(TOKENS))
        .max(MAX_TOKENS, allow(TOKENS))
        .meta({
          title: "Longest sequence",
          description:
            "Longer texts and lists of token ids are cut to this many tokens. Without it: what the model's input takes, or the tokenizer says, or 512.",
        })
        .exactOptional(),
      sampleRate: z
        .int(allow(RATE))
        .min(MIN_RATE, allow(RATE))
        .max(MAX_RATE, allow(RATE))
        .meta({
          title: "Sampling rate",
          description: "Sound is resampled to this many samples per second.",
          default: 16000,
        })
        .exactOptional(),
      samples: z
        .int(allow(WINDOW))
        .min(1, allow(WINDOW))
        .max(MAX_WINDOW, allow(WINDOW))
        .meta({
          title: "Samples of a window",
          description:
            "Sound is cut into windows of this many samples, at the sampling rate above. Without it: what the model's input takes, or whole files.",
        })
        .exactOptional(),
    },
    allow('an object such as {"layout": "NHWC"}'),
  )
  .meta({
    title: "Preprocessing",
    description:
      "How samples become the model's input: (value × scale − mean) / std, in the layout that the model wants.",
  });
