import os from "node:os";
import { join } from "node:path";
import { ExpectedError } from "../errors";
import { filesWithin, listFiles, type FileSort } from "./classFolders";
import { hashFile, hashOfHashes } from "./fileBytes";
import { createImageDecoder, type ImageDecoder } from "./imageDecoder";
import { cropCentre, resizeShorter, resizeTo, swapRedAndBlue, toGrey, toRgb, type Pixels } from "./pixels";
import type { ClassFolders, DecodedImages, ImageSource, LoadOptions, SourceKind, WantedImages } from "./source";

/** Pixels are kept in memory for all evaluations: 8 GiB are 57,000 images of 224×224, and half of the memory is for others. */
const MOST_PIXEL_BYTES = Math.min(8 * 2 ** 30, os.totalmem() / 2);
/** The share of unreadable images that is passed over with a warning: a few damaged downloads are normal, more is a mistake. */
const MOST_UNREADABLE = 0.01;
/** Images whose headers tell the shape of a folder's samples: spread over it, since every class has its own camera. */
const HEADERS = 16;

export const IMAGES: FileSort = {
  noun: "image",
  extensions: [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif"],
  others: [".bmp", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".ppm", ".pgm"],
};

/** A folder of images, or of class folders with images. */
export const imageFolder: SourceKind = {
  name: "folder of images, with or without class folders (JPEG, PNG, WebP, TIFF, GIF)",
  recognises: (_, isFolder) => isFolder,
  files: (path) => filesWithin(path, IMAGES),
  open: (path, classes) => Promise.resolve(openImageFolder(path, classes)),
};

function openImageFolder(path: string, classes: ClassFolders | null): ImageSource {
  const { files, labels, warnings } = listFiles(path, classes, IMAGES);
  return {
    content: "images",
    kind: labels === null ? "image folder" : "image folder with class folders",
    path,
    count: files.length,
    labels,
    warnings,
    decode: (indices, wanted, options) => decodeImages(path, files, indices, wanted, options),
    sampleShape: () => commonShape(path, spread(files, HEADERS)),
    async sha256(indices) {
      const used = new Set(indices);
      const hashes: { name: string; hash: string }[] = [];
      for (const [index, name] of files.entries()) {
        hashes.push({ name, hash: used.has(index) ? await hashFile(join(path, name)) : "-" });
      }
      return hashOfHashes(hashes);
    },
  };
}

/** At most `count` of the items, at equal distances. */
function spread<T>(items: readonly T[], count: number): readonly T[] {
  const step = Math.max(1, items.length / count);
  return Array.from({ length: Math.min(count, items.length) }, (_, index) => items[Math.floor(index * step)]);
}

async function commonShape(path: string, files: readonly string[]): Promise<readonly number[] | null> {
  const decoder = await createImageDecoder();
  const sizes = await Promise.all(files.map((name) => decoder.size(join(path, name)).catch(() => null)));
  const [first, ...rest] = sizes.filter((size) => size !== null);
  if (!first || rest.some(({ height, width }) => height !== first.height || width !== first.width)) return null;
  return [first.height, first.width, 3];
}

async function decodeImages(
  folder: string,
  files: readonly string[],
  indices: Uint32Array,
  wanted: WantedImages,
  { signal, onProgress }: LoadOptions,
): Promise<DecodedImages> {
  const decoder = await createImageDecoder();
  const pixels = new Map<number, Uint8Array>();
  const unreadable: string[] = [];
  let first: { name: string; image: Pixels } | undefined;
  const decodeOne = async (index: number): Promise<void> => {
    const name = files[index];
    const image = await decodeOrNull(decoder, join(folder, name), (reason) => unreadable.push(`${name}: ${reason}`));
    if (image === null) {
      if (unreadable.length > MOST_UNREADABLE * indices.length) {
        throw tooManyUnreadable(folder, indices.length, unreadable);
      }
    } else {
      const prepared = prepare(image, wanted, join(folder, name));
      first ??= { name, image: prepared };
      checkSize(folder, first, { name, image: prepared }, indices.length);
      pixels.set(index, prepared.data);
    }
    onProgress?.(pixels.size + unreadable.length, indices.length);
  };
  await inParallel(indices, decodeOne, signal);
  const { height, width, channels } = first!.image;
  return {
    indices: indices.filter((index) => pixels.has(index)),
    warnings: unreadable.length === 0 ? [] : [leftOut(folder, indices.length, unreadable)],
    samples: {
      path: folder,
      dtype: "uint8",
      sampleShape: [height, width, channels],
      layout: "NHWC",
      count: files.length,
      read(start, count) {
        const size = height * width * channels;
        const data = new Uint8Array(count * size);
        for (let i = 0; i < count; i++) {
          const image = pixels.get(start + i);
          if (!image) throw new RangeError(`image ${start + i} of ${folder} was not decoded`);
          data.set(image, i * size);
        }
        return data;
      },
    },
  };
}

async function decodeOrNull(
  decoder: ImageDecoder,
  path: string,
  onFailure: (reason: string) => void,
): Promise<Pixels | null> {
  try {
    return await decoder.decode(path);
  } catch (error) {
    onFailure((error instanceof Error ? error.message : String(error)).split("\n")[0]);
    return null;
  }
}

/** Runs `work` on each item, as many at once as there are cores; the first item alone, since the others compare with it. */
async function inParallel(
  items: Uint32Array,
  work: (item: number) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let next = 0;
  let failed = false;
  const run = async (): Promise<void> => {
    while (next < items.length && !failed) {
      signal?.throwIfAborted();
      try {
        await work(items[next++]);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  signal?.throwIfAborted();
  await work(items[next++]);
  await Promise.all(Array.from({ length: os.availableParallelism() }, run));
}

/** Channels, then size, as the config asks. */
function prepare(image: Pixels, { channels, order, resize, crop }: WantedImages, path: string): Pixels {
  const coloured = channels === 1 ? toGrey(image) : toRgb(image);
  const ordered = channels === 3 && order === "BGR" ? swapRedAndBlue(coloured) : coloured;
  let sized = ordered;
  if (typeof resize === "number") sized = resizeShorter(ordered, resize);
  else if (resize !== null) sized = resizeTo(ordered, resize[0], resize[1]);
  if (crop === null) return sized;
  const [height, width] = crop;
  if (height <= sized.height && width <= sized.width) return cropCentre(sized, height, width);
  throw new ExpectedError(
    `${path} is ${showSize(sized)}${resize === null ? "" : " after preprocess.resize"}, and preprocess.crop needs ` +
      `${showSize({ height, width })} (height×width); ${resize === null ? "set preprocess.resize" : "make preprocess.resize larger"}`,
  );
}

function checkSize(
  folder: string,
  first: { name: string; image: Pixels },
  { name, image }: { name: string; image: Pixels },
  count: number,
): void {
  const bytes = image.data.length;
  if (bytes * count > MOST_PIXEL_BYTES) {
    throw new ExpectedError(
      `${folder}: ${count} images of ${showSize(image)} take ${count * bytes} bytes decoded, and at most ` +
        `${MOST_PIXEL_BYTES} are kept in memory; set "limit" to ${Math.floor(MOST_PIXEL_BYTES / bytes)} or less, or preprocess.resize`,
    );
  }
  if (image.height === first.image.height && image.width === first.image.width) return;
  throw new ExpectedError(
    `${folder}: images differ in size: ${first.name} is ${showSize(first.image)} and ${name} is ${showSize(image)} ` +
      `(height×width); set preprocess.crop, and preprocess.resize before it, to give all the same size`,
  );
}

function showSize({ height, width }: { readonly height: number; readonly width: number }): string {
  return `${height}×${width}`;
}

function tooManyUnreadable(folder: string, count: number, unreadable: readonly string[]): ExpectedError {
  return new ExpectedError(
    `${folder}: more than ${100 * MOST_UNREADABLE}% of ${count} images cannot be read (${unreadable.length} so far; ` +
      `${unreadable[0]}); repair or remove them`,
  );
}

function leftOut(folder: string, count: number, unreadable: readonly string[]): string {
  const are = unreadable.length === 1 ? "is" : "are";
  return `${folder}: ${unreadable.length} of ${count} images cannot be read and ${are} left out (${unreadable[0]}).`;
}
