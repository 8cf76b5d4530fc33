import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/calibration/dataset";
import { describeSource } from "../../src/calibration/describe";
import { createImageDecoder, type ImageDecoder } from "../../src/calibration/imageDecoder";
import type { Preprocess } from "../../src/config";
import type { Shape, ValueInfo } from "../../src/onnx/schema";
import { writeImages } from "../fixtures/images";
import { rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-images-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const input = (shape: Shape): ValueInfo => ({ name: "x", elementType: "float32", shape });
const rgb = input(["n", 3, 4, 4]);

async function pixelsOf(source: string, preprocess: Preprocess, model: ValueInfo = rgb): Promise<number[]> {
  const dataset = await openDataset({ source }, preprocess, [model]);
  return Array.from(dataset.batch(0, dataset.count).get("x")!.data as Float32Array);
}

/** An RGBA image: the left half red, the right half blue; the lower half is transparent. */
const half = (height: number, width: number): Buffer =>
  Buffer.from(
    Array.from({ length: height * width }, (_, pixel) => {
      const left = pixel % width < width / 2;
      return [left ? 200 : 10, 20, left ? 30 : 220, pixel < (height * width) / 2 ? 255 : 0];
    }).flat(),
  );
const halfImage = (height = 4, width = 4) => sharp(half(height, width), { raw: { height, width, channels: 4 } });
const RED = [200, 20, 30];
const BLUE = [10, 20, 220];

describe("decoding", () => {
  let decoder: ImageDecoder;
  beforeAll(async () => {
    decoder = await createImageDecoder();
  });
  const corners = async (name: string): Promise<number[][]> => {
    const { data, width, channels } = await decoder.decode(at(name));
    return [[...data.subarray(0, channels)], [...data.subarray((width - 1) * channels, width * channels)]];
  };

  test.each(["png", "webp", "tiff", "gif", "jpeg"] as const)("%s", async (format) => {
    await halfImage(16, 16)
      .toFormat(format, format === "webp" ? { lossless: true } : { quality: 100 })
      .toFile(at(`a.${format}`));
    const found = await corners(`a.${format}`);
    const tolerance = format === "jpeg" ? 12 : 0;
    [RED, BLUE].forEach((colour, corner) =>
      colour.forEach((value, channel) =>
        expect(Math.abs(found[corner][channel] - value)).toBeLessThanOrEqual(tolerance),
      ),
    );
    expect(await decoder.size(at(`a.${format}`))).toEqual({ height: 16, width: 16 });
  });

  test("grey, 16 bits, CMYK and a palette become 8 bits", async () => {
    const grey = { raw: { height: 1, width: 2, channels: 1 } } as const;
    await sharp(Buffer.from([7, 240]), grey)
      .toColourspace("b-w")
      .toFile(at("grey.png"));
    await sharp(Uint16Array.of(7 * 257, 240 * 257), grey)
      .toColourspace("grey16")
      .toFile(at("grey16.png"));
    for (const name of ["grey.png", "grey16.png"]) {
      const { data, channels } = await decoder.decode(at(name));
      expect(Array.from({ length: 2 * channels }, (_, i) => data[i])).toEqual(
        channels === 1 ? [7, 240] : [7, 7, 7, 240, 240, 240],
      );
    }
    const wide = Uint16Array.of(1000, 40000, 65535, 257, 514, 771);
    await sharp(wide, { raw: { height: 1, width: 2, channels: 3 } })
      .toColourspace("rgb16")
      .png()
      .toFile(at("16.png"));
    const deep = await decoder.decode(at("16.png"));
    [1000 / 257, 40000 / 257, 255, 1, 2, 3].forEach((value, i) =>
      expect(Math.abs(deep.data[i] - value)).toBeLessThanOrEqual(1),
    );
    await halfImage(16, 16).removeAlpha().toColourspace("cmyk").jpeg({ quality: 100 }).toFile(at("cmyk.jpg"));
    expect(await decoder.decode(at("cmyk.jpg"))).toMatchObject({ channels: 3, width: 16, height: 16 });
    await halfImage().removeAlpha().png({ palette: true }).toFile(at("palette.png"));
    expect(await corners("palette.png")).toEqual([RED, BLUE]);
  });

  test("an image is turned as its EXIF orientation says", async () => {
    // 6: the first row of pixels is the right-hand side.
    await halfImage(8, 16).removeAlpha().withMetadata({ orientation: 6 }).png().toFile(at("turned.png"));
    const { width, height, data } = await decoder.decode(at("turned.png"));
    expect([height, width]).toEqual([16, 8]);
    expect([...data.subarray(0, 3)]).toEqual(RED);
    expect([...data.subarray(15 * 8 * 3, 15 * 8 * 3 + 3)]).toEqual(BLUE);
    expect(await decoder.size(at("turned.png"))).toEqual({ height: 16, width: 8 });
  });

  test("what is no image, or another format, is refused", async () => {
    writeFileSync(at("bad.png"), "no image");
    await expect(decoder.decode(at("bad.png"))).rejects.toThrow(/unsupported image format/);
    writeFileSync(at("vector.png"), '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>');
    await expect(decoder.decode(at("vector.png"))).rejects.toThrow(/it is of the format svg/);
    const whole = await halfImage(64, 64).jpeg().toBuffer();
    writeFileSync(at("cut.jpg"), whole.subarray(0, whole.length / 2));
    await expect(decoder.decode(at("cut.jpg"))).rejects.toThrow();
  });

  test("without sharp, what to do is said", async () => {
    expect(await rejection(createImageDecoder(() => Promise.reject(new Error("Could not load\nmore"))))).toMatch(
      /^Images cannot be decoded: .* could not be loaded for \S+ \(Could not load\); install it with .*, or save the images as \.npy\.$/,
    );
  });
});

describe("a folder of images", () => {
  test("in the order of their names; hidden and other files do not count", async () => {
    const source = await writeImages(at("plain"), {
      "b.png": [4, 4, "#010203"],
      "a.JPEG": [4, 4, "#646464"],
      "c.tif": [4, 4, "#0b0b0b"],
    });
    writeFileSync(join(source, ".hidden.png"), "x");
    writeFileSync(join(source, "README.md"), "x");
    mkdirSync(join(source, "empty"));
    const dataset = await openDataset({ source }, {}, [rgb]);
    expect(dataset).toMatchObject({ count: 3, labels: null, labelOrigin: null, warnings: [], sampleBytes: 192 });
    const { data, dims } = dataset.batch(0, 3).get("x")!;
    expect(dims).toEqual([3, 3, 4, 4]);
    expect([0, 48, 64, 80, 96, 112, 128].map((i) => data[i])).toEqual([100, 1, 2, 3, 11, 11, 11]);
    expect(await describeSource(source)).toEqual({
      path: source,
      content: "images",
      kind: "image folder",
      isTable: false,
      isImages: true,
      count: 3,
      sampleShape: [4, 4, 3],
      dtype: "uint8",
      layout: "NHWC",
      hasLabels: false,
      classNames: null,
      warnings: [],
    });
  });

  test("channels: BGR, grey, and last where the model wants them so", async () => {
    const source = await writeImages(at("colour"), { "a.png": [2, 2, "#c80a32"] });
    expect((await pixelsOf(source, { channels: "BGR" }, input(["n", 3, 2, 2]))).slice(0, 5)).toEqual([
      50, 50, 50, 50, 10,
    ]);
    expect((await pixelsOf(source, { mean: [200, 10, 50] }, input(["n", 2, 2, 3]))).slice(0, 4)).toEqual([0, 0, 0, 0]);
    const luminance = Math.round(0.299 * 200 + 0.587 * 10 + 0.114 * 50);
    for (const shape of [
      ["n", 1, 2, 2],
      ["n", 2, 2, 1],
      ["n", 2, 2],
      ["n", 4],
    ] as const) {
      expect(await pixelsOf(source, {}, input(shape))).toEqual(new Array<number>(4).fill(luminance));
    }
  });

  test("resize and crop give one size", async () => {
    const source = await writeImages(at("sizes"), { "a.png": [8, 12, "#102030"], "b.png": [20, 10, "#405060"] });
    expect(await pixelsOf(source, { resize: 5, crop: 4 })).toHaveLength(96);
    expect(await pixelsOf(source, { resize: [4, 4] })).toHaveLength(96);
    expect(await pixelsOf(source, { crop: [6, 8] }, input(["n", 3, "h", "w"]))).toHaveLength(2 * 3 * 48);
    expect((await describeSource(source)).sampleShape).toBeNull();
    expect(await rejection(openDataset({ source }, {}, [rgb]))).toBe(
      `${source}: images differ in size: a.png is 8×12 and b.png is 20×10 (height×width); ` +
        `set preprocess.crop, and preprocess.resize before it, to give all the same size`,
    );
    expect(await rejection(openDataset({ source }, { crop: 9 }, [rgb]))).toBe(
      `${join(source, "a.png")} is 8×12, and preprocess.crop needs 9×9 (height×width); set preprocess.resize`,
    );
    expect(await rejection(openDataset({ source }, { resize: 3, crop: 4 }, [rgb]))).toMatch(
      /a\.png is 3×4 after preprocess\.resize, and preprocess\.crop needs 4×4 \(height×width\); make preprocess\.resize larger/,
    );
    expect(await rejection(openDataset({ source }, { resize: [5, 5] }, [rgb]))).toBe(
      `the model's input "x" takes [N,3,4,4]; sizes gives [N,3,5,5] (its [N,5,5,3] transposed); ` +
        `set preprocess.crop to [4, 4], and preprocess.resize before it`,
    );
  });

  test("unreadable ones are left out with a warning, up to 1%", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 99 }, (_, i) => [`${String(i).padStart(3, "0")}.png`, [4, 4, "#0000ff"] as const]),
    );
    const source = await writeImages(at("many"), many);
    writeFileSync(join(source, "050a.png"), "no image");
    const first = await openDataset({ source }, {}, [rgb]);
    expect(first.count).toBe(99);
    expect(Array.from(first.batch(49, 3).get("x")!.data as Float32Array).filter((v) => v === 255)).toHaveLength(48);
    expect(first.warnings).toEqual([
      expect.stringMatching(/many: 1 of 100 images cannot be read and is left out \(050a\.png: .*\)\.$/),
    ]);
    const hash = (await first.sha256()).source;
    expect((await (await openDataset({ source }, {}, [rgb])).sha256()).source).toBe(hash);
    writeFileSync(join(source, "051a.png"), "no image");
    expect(await rejection(openDataset({ source }, {}, [rgb]))).toMatch(
      /many: more than 1% of 101 images cannot be read \(2 so far; 05\da\.png: .*\); repair or remove them$/,
    );
    writeFileSync(join(source, "051a.png"), await halfImage().png().toBuffer());
    const second = await openDataset({ source, limit: 20 }, {}, [rgb]);
    expect(second.count).toBe(20);
    expect((await second.sha256()).source).not.toBe(hash);
  });

  test("progress is told, and an abort is heard", async () => {
    const told: number[] = [];
    const onProgress = (done: number, total: number): number => told.push(done / total);
    await openDataset({ source: at("plain") }, {}, [rgb], { onProgress });
    expect(told.sort()).toEqual([1 / 3, 2 / 3, 1]);
    const reason = new Error("stop");
    const stopped = openDataset({ source: at("plain") }, {}, [rgb], { signal: AbortSignal.abort(reason) });
    await expect(stopped).rejects.toBe(reason);
  });

  test("without any image", async () => {
    mkdirSync(join(at("none"), "sub"), { recursive: true });
    writeFileSync(join(at("none"), "notes.txt"), "x");
    writeFileSync(join(at("none"), "old.bmp"), "x");
    expect(await rejection(openDataset({ source: at("none") }, {}, [rgb]))).toBe(
      `${at("none")} is a folder without any image; images are files named .jpg, .jpeg, .png, .webp, .tif, .tiff, .gif`,
    );
  });
});
