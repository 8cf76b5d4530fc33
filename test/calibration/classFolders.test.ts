import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkSameClasses, isSameSource } from "../../src/calibration/compare";
import { openDataset } from "../../src/calibration/dataset";
import { listFiles } from "../../src/calibration/classFolders";
import { IMAGES } from "../../src/calibration/imageFolder";
import { checkLabels, readLabels } from "../../src/calibration/labels";
import type { ValueInfo } from "../../src/onnx/schema";
import { writeImages } from "../fixtures/images";
import { writeNpy } from "../fixtures/npy";
import { messageOf, rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-classes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const input: ValueInfo = { name: "x", elementType: "float32", shape: ["n", 3, 2, 2] };

/** Empty files: listing does not decode. */
function touch(root: string, ...names: string[]): string {
  for (const name of names) {
    mkdirSync(join(at(root), name, ".."), { recursive: true });
    writeFileSync(join(at(root), name), "");
  }
  return at(root);
}

beforeAll(async () => {
  await writeImages(at("pets"), {
    "dog/1.png": [2, 2, "#010101"],
    "cat/2.png": [2, 2, "#020202"],
    "cat/deep/1.png": [2, 2, "#030303"],
    "Ox/1.png": [2, 2, "#040404"],
  });
});

describe("class folders", () => {
  test("are numbered alphabetically, by code point", async () => {
    const dataset = await openDataset({ source: at("pets") }, {}, [input]);
    expect(dataset).toMatchObject({ count: 4, classNames: ["Ox", "cat", "dog"], warnings: [] });
    expect([...dataset.labels!]).toEqual([0, 1, 1, 2]);
    expect(Array.from({ length: 4 }, (_, i) => dataset.batch(i, 1).get("x")!.data[0])).toEqual([4, 2, 3, 1]);
  });

  test("or as the config lists or numbers them", () => {
    const listed = listFiles(at("pets"), ["dog", "cat", "Ox"], IMAGES);
    expect([...listed.labels!.values]).toEqual([2, 1, 1, 0]);
    expect(listed.labels!.classNames).toEqual(["dog", "cat", "Ox"]);
    const mapped = listFiles(at("pets"), { dog: 207, cat: 281, Ox: 345 }, IMAGES);
    expect([...mapped.labels!.values]).toEqual([345, 281, 281, 207]);
    expect(mapped.labels!.classNames).toBeNull();
    expect(mapped.files).toEqual(listed.files);
  });

  test("a limit takes equally many of each", async () => {
    const dataset = await openDataset({ source: at("pets"), limit: 3 }, {}, [input]);
    expect([...dataset.labels!]).toEqual([0, 1, 2]);
  });

  test("labels of the config go before them", async () => {
    const labels = writeNpy(at("y.npy"), "uint8", [4], [5, 6, 7, 8]);
    const dataset = await openDataset({ source: at("pets"), labels }, {}, [input]);
    expect([...dataset.labels!]).toEqual([5, 6, 7, 8]);
    expect(dataset.classNames).toBeNull();
    expect([...(await readLabels(at("pets"), { path: "x", count: 4 }))]).toEqual([0, 1, 1, 2]);
    const plain = touch("plain", "a.png");
    expect(await rejection(readLabels(plain, { path: "x", count: 1 }))).toMatch(/plain is not a file of labels/);
  });

  test.skipIf(process.platform === "win32")("may be links", () => {
    mkdirSync(at("links"));
    symlinkSync(at("pets/cat"), at("links/cat"));
    symlinkSync(at("nowhere"), at("links/broken"));
    expect(listFiles(at("links"), null, IMAGES).files).toEqual(["cat/2.png", "cat/deep/1.png"]);
  });

  test("numbers as names: a warning where their order is not that of numbers", () => {
    const names = ["0", "1", "2", "10"].map((name) => `${name}/a.jpg`);
    expect(listFiles(touch("few", ...names.slice(0, 3)), null, IMAGES).warnings).toEqual([]);
    expect(listFiles(touch("more", ...names), null, IMAGES).warnings).toEqual([
      `${at("more")}: class folders are numbered alphabetically, as torchvision does: "10" is class 2 and "2" class 3. ` +
        `If the model counts them as numbers, list them in "classes".`,
    ]);
  });

  test("images of kinds that cannot be decoded are counted", () => {
    expect(listFiles(touch("kinds", "a/1.png", "a/2.bmp", "a/3.HEIC", "a/4.txt"), null, IMAGES).warnings).toEqual([
      `${at("kinds")}: 2 images are left out (a/2.bmp): only jpg, jpeg, png, webp, tif, tiff, gif can be decoded.`,
    ]);
  });
});

describe("refused", () => {
  const refuse = (classes: Parameters<typeof listFiles>[1], root = at("pets")) =>
    messageOf(() => listFiles(root, classes, IMAGES));

  test("missing and unknown folders", () => {
    expect(refuse(["cat", "dog", "Ox", "bird", "fish"])).toBe(
      `${at("pets")} has no folders "bird", "fish", which "classes" names; correct "classes" or the folders`,
    );
    expect(refuse({ cat: 0, dog: 1 })).toBe(
      `${at("pets")} has the folder "Ox", which "classes" does not name; correct "classes" or the folders`,
    );
    expect(refuse(["cat", "cow"])).toMatch(/has no folder "cow", which .*, and the folders "Ox", "dog", which/);
    expect(refuse(["cat", "dog", "cat"])).toBe(`${at("pets")}: "classes" lists "cat" twice; list every class once`);
  });

  test("empty ones, which would shift the numbers", () => {
    touch("gap", "a/1.png", "c/1.png");
    mkdirSync(at("gap/b"));
    expect(refuse(null, at("gap"))).toBe(
      `${at("gap")}: the class folder "b" is without images, which would shift the numbers of later classes; ` +
        `add images, remove it, or list the classes in the config as "classes": ["a", …]`,
    );
    expect([...listFiles(at("gap"), ["a", "b", "c"], IMAGES).labels!.values]).toEqual([0, 2]);
  });

  test("images beside class folders, and classes without class folders", () => {
    expect(refuse(null, touch("mixed", "a/1.png", "z.png"))).toBe(
      `${at("mixed")} holds both images (z.png) and folders of images (a/); ` +
        `put every image into its class folder, or the images alone into a folder`,
    );
    expect(refuse(["a"], touch("plain", "a.png"))).toMatch(/is a folder without any class folder with images/);
  });

  test("another number of them than the model has classes", () => {
    const origin = (numbering: "alphabetical" | "listed" | "mapped") => ({
      path: "/d",
      indices: Uint32Array.of(0, 1),
      folders: { count: 2, numbering },
    });
    const labels = Int32Array.of(0, 1);
    for (const numbering of ["alphabetical", "listed", "mapped"] as const) checkLabels(labels, 2, origin(numbering));
    checkLabels(labels, 1000, origin("mapped"));
    expect(messageOf(() => checkLabels(labels, 1000, origin("alphabetical")))).toBe(
      '/d has 2 class folders, and the model has 1000 classes; number the folders in the config: "classes": {"cat": 3, …}',
    );
    expect(messageOf(() => checkLabels(labels, 3, origin("listed")))).toMatch(
      /^"classes" lists 2 class folders of \/d, and the model has 3 classes; list all in the model's order, or number/,
    );
  });

  test("others in the validation data than in the calibration data", async () => {
    await writeImages(at("val"), {
      "dog/1.png": [2, 2, "#010101"],
      "emu/1.png": [2, 2, "#020202"],
      "cat/1.png": [2, 2, "#000"],
    });
    const open = (source: string, classes?: string[]) =>
      openDataset({ source, ...(classes ? { classes } : {}) }, {}, [input]);
    const pets = await open(at("pets"));
    const val = await open(at("val"));
    expect(messageOf(() => checkSameClasses(pets, val))).toBe(
      `calibration and validation data have different class folders: only ${at("pets")} has "Ox"; only ${at("val")} has ` +
        `"emu"; make them the same, or number the folders of both in the config: "classes": {"Ox": 0, …}`,
    );
    checkSameClasses(pets, pets);
    const turned = await open(at("pets"), ["dog", "cat", "Ox"]);
    expect(messageOf(() => checkSameClasses(pets, turned))).toContain('class 0 is "Ox" in one and "dog" in the other');
    expect(await isSameSource(pets, turned)).toBe(true);
    expect(await isSameSource(pets, val)).toBe(false);
  });
});
