// The bundled example's images as a user has images: JPEG files in a folder for every class.
import { mkdirSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { npy } from "../src/calibration/npy";
import type { SampleArray } from "../src/calibration/source";

const NAMES = [
  "circle",
  "square",
  "triangle",
  "cross",
  "star",
  "ring",
  "crescent",
  "spiral",
  "stripes",
  "checkerboard",
];

async function read(name: string): Promise<SampleArray> {
  const source = await npy.open(path.join("examples", "shapes", name), null);
  if (source.content !== "array") throw new Error(`${name} is no array`);
  return source.samples;
}

/** Writes `folder`/train and `folder`/val. */
export async function writeJpegFolders(folder: string): Promise<void> {
  for (const [name, set] of [
    ["train", "calibration"],
    ["val", "validation"],
  ]) {
    const images = await read(`${set}_images.npy`);
    const labels = (await read(`${set}_labels.npy`)).read(0, images.count);
    const [height, width] = images.sampleShape;
    for (let i = 0; i < images.count; i++) {
      const label = Number(labels[i]);
      const classFolder = path.join(folder, name, `${label}-${NAMES[label]}`);
      mkdirSync(classFolder, { recursive: true });
      const pixels = images.read(i, 1) as Uint8Array;
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .jpeg({ quality: 95 })
        .toFile(path.join(classFolder, `${i}.jpg`));
    }
  }
}
