import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkLabels, readLabels } from "../../src/calibration/labels";
import type { SampleType } from "../../src/calibration/source";
import { messageOf, rejection } from "./messageOf";
import { writeNpy } from "../fixtures/npy";

const folder = mkdtempSync(join(tmpdir(), "ranklens-labels-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "y.npy");

function read(
  dtype: SampleType,
  shape: readonly number[],
  data: readonly (number | bigint)[],
  count = 3,
): Promise<Int32Array> {
  return readLabels(writeNpy(file, dtype, shape, data), { path: "/data/x.npy", count });
}

describe("labels", () => {
  test.each(["uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "float32", "float64"] as const)(
    "%s, as (N) and as (N, 1)",
    async (dtype) => {
      expect(await read(dtype, [3], [2, 0, 1])).toEqual(Int32Array.of(2, 0, 1));
      expect(await read(dtype, [3, 1], [2, 0, 1])).toEqual(Int32Array.of(2, 0, 1));
    },
  );

  test("booleans are two classes", async () => {
    expect(await read("bool", [3], [1, 0, 1])).toEqual(Int32Array.of(1, 0, 1));
  });

  test("another count than the samples'", async () => {
    expect(await rejection(read("int64", [3], [0, 1, 2], 4))).toBe(
      `${file} has 3 labels, and /data/x.npy has 4 samples; there must be one label per sample`,
    );
  });

  test("values that are no class numbers", async () => {
    expect(await rejection(read("int64", [3], [0, -1, 2]))).toBe(
      `${file}: label 1 is -1; labels count from 0, so leave samples without a class out of the data`,
    );
    expect(await rejection(read("float32", [3], [0, 1, 2.5]))).toBe(
      `${file}: label 2 is 2.5; labels must be whole numbers`,
    );
    expect(await rejection(read("float64", [3], [NaN, 1, 2]))).toBe(
      `${file}: label 0 is NaN; labels must be whole numbers`,
    );
    expect(await rejection(read("int64", [3], [0, 2n ** 60n + 1n, 2]))).toBe(
      `${file}: label 1 is 1152921504606846977; the largest possible is 2147483647`,
    );
  });

  test("shapes that are no labels", async () => {
    expect(await rejection(read("float32", [3, 2], [0, 1, 1, 0, 0, 1]))).toBe(
      `${file} has the shape (3, 2), and labels need one class number per sample; if it is one-hot, save np.argmax(labels, axis=1)`,
    );
    expect(await rejection(read("uint8", [3, 1, 1], [0, 1, 1]))).toBe(
      `${file} has the shape (3, 1, 1), and labels need one class number per sample`,
    );
  });

  test("files that are no arrays", async () => {
    const text = join(folder, "labels.txt");
    writeFileSync(text, "0\n1\n");
    expect(await rejection(readLabels(text, { path: "x", count: 2 }))).toMatch(
      /labels\.txt is not a file of labels but a text file: labels need/,
    );
    expect(await rejection(readLabels(join(folder, "none.npy"), { path: "x", count: 2 }))).toMatch(/no such file/);
  });

  test("labels that the model has no output for", () => {
    checkLabels(Int32Array.of(0, 9), 10);
    expect(messageOf(() => checkLabels(Int32Array.of(0, 10, 11), 10))).toBe(
      "label 1 is 10, and the model has 10 classes: labels from 0 to 9 are possible; is it the right model for these labels?",
    );
    const origin = { path: "/data/y.npy", indices: Uint32Array.of(5, 70), folders: null };
    expect(messageOf(() => checkLabels(Int32Array.of(0, 10), 10, origin))).toMatch(/^\/data\/y\.npy: label 70 is 10, /);
  });
});
