import { readFile } from "node:fs/promises";
import type { default as Sharp } from "sharp";
import { ExpectedError } from "../errors";
import type { Pixels } from "./pixels";

/** Formats by sharp's names. Others that it knows (SVG, PDF) are programs more than images. */
const FORMATS: readonly string[] = ["jpeg", "png", "webp", "tiff", "gif"];
/** Larger than any camera's images, and some 200 MB decoded. */
const MOST_PIXELS = 2 ** 26;

type SharpFunction = typeof Sharp;

/** Decodes image files to 8 bits per channel. */
export interface ImageDecoder {
  /** The first frame, upright (EXIF), with 1 or 3 channels. Rejects where the file is no image, or damaged. */
  decode(path: string): Promise<Pixels>;
  /** Height and width, upright, by the header. Rejects likewise. */
  size(path: string): Promise<{ height: number; width: number }>;
}

/**
 * Loads sharp, which nothing but images needs.
 * @param load for tests.
 * @throws ExpectedError if its binary is missing or cannot be loaded.
 */
export async function createImageDecoder(
  load: () => Promise<{ default: SharpFunction }> = () => import("sharp"),
): Promise<ImageDecoder> {
  let sharp: SharpFunction;
  try {
    sharp = (await load()).default;
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split("\n")[0];
    throw new ExpectedError(
      `Images cannot be decoded: the package sharp could not be loaded for ${process.platform}-${process.arch} (${reason}); ` +
        `install it with "npm install --include=optional sharp", or save the images as .npy.`,
      { cause: error },
    );
  }
  // Images are decoded side by side already, and never twice.
  sharp.concurrency(1);
  sharp.cache(false);
  const open = async (path: string) => {
    // Pixel values as stored, not as a colour profile would show them: training code reads them so.
    const image = sharp(await readFile(path), { failOn: "error", limitInputPixels: MOST_PIXELS, ignoreIcc: true });
    const header = await image.metadata();
    if (FORMATS.includes(header.format)) return { image, header };
    throw new Error(`it is of the format ${header.format}`);
  };
  return {
    async decode(path) {
      const { image } = await open(path);
      const { data, info } = await image
        .autoOrient()
        .removeAlpha()
        .toColourspace("srgb")
        .raw({ depth: "uchar" })
        .toBuffer({ resolveWithObject: true });
      const { width, height, channels } = info;
      if (channels !== 1 && channels !== 3) throw new Error(`it has ${channels} channels`);
      return { width, height, channels, data };
    },
    async size(path) {
      const { width, height } = (await open(path)).header.autoOrient;
      return { width, height };
    },
  };
}
