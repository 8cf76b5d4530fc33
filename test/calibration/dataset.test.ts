import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/calibration/dataset";
import { checkLabels } from "../../src/calibration/labels";
import { chooseSubset } from "../../src/calibration/subset";
import type { ValueInfo } from "../../src/onnx/schema";
import { messageOf, rejection } from "./messageOf";
import { writeNpy } from "../fixtures/npy";

const folder = mkdtempSync(join(tmpdir(), "ranklens-dataset-"));
afterAll(() => rmSync(folder, { recursive: true }));

// 12 samples of 2 values, 10·index and 10·index + 1, in 3 classes.
const source = writeNpy(
  join(folder, "x.npy"),
  "uint8",
  [12, 2],
  Array.from({ length: 24 }, (_, index) => 10 * Math.floor(index / 2) + (index % 2)),
);
const labels = writeNpy(
  join(folder, "y.npy"),
  "int64",
  [12],
  Array.from({ length: 12 }, (_, index) => index % 3),
);
const input: ValueInfo = { name: "x", elementType: "float32", shape: ["n", 2] };

describe("dataset", () => {
  test("everything, in batches", async () => {
    const dataset = await openDataset({ source, labels }, { scale: 2, mean: 1 }, [input]);
    expect(dataset).toMatchObject({ count: 12, inputs: ["x"], sources: [source], sampleBytes: 8, warnings: [] });
    expect([...(dataset.labels ?? [])]).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
    expect(dataset.batch(3, 2).get("x")).toEqual({
      type: "float32",
      data: Float32Array.of(59, 61, 79, 81),
      dims: [2, 2],
    });
    expect(dataset.batch(12, 0).get("x")).toEqual({ type: "float32", data: new Float32Array(0), dims: [0, 2] });
    expect(dataset.batch(0, 1).get("x")!.data.buffer).not.toBe(dataset.batch(0, 1).get("x")!.data.buffer);
    expect(() => dataset.batch(11, 2)).toThrow(RangeError);
  });

  test("without labels", async () => {
    const dataset = await openDataset({ source }, {}, [{ ...input, elementType: "int64" }]);
    expect(dataset.labels).toBeNull();
    expect(dataset.labelOrigin).toBeNull();
    expect(dataset.sampleBytes).toBe(16);
    expect(dataset.batch(1, 1).get("x")!.data).toEqual(BigInt64Array.of(10n, 11n));
  });

  test("a seed takes other samples, and 0 those of no seed", async () => {
    const many = writeNpy(join(folder, "many.npy"), "uint8", [200, 1], new Array<number>(200).fill(1));
    const one: ValueInfo = { name: "x", elementType: "float32", shape: ["n", 1] };
    const chosen = async (more: object): Promise<string> => {
      const zeros = writeNpy(join(folder, "zeros.npy"), "int64", [200], new Array<number>(200).fill(0));
      const dataset = await openDataset({ source: many, labels: zeros, limit: 20, ...more }, {}, [one]);
      return dataset.labelOrigin!.indices.join();
    };
    const usual = await chosen({});
    expect(usual).toBe(chooseSubset(200, 20, new Int32Array(200)).join());
    expect(await chosen({ seed: 0 })).toBe(usual);
    const others = await Promise.all([1, 2, 4294967295].map((seed) => chosen({ seed })));
    expect(new Set([usual, ...others]).size).toBe(4);
    expect(await chosen({ seed: 2 })).toBe(others[1]);
  });

  test("a limit takes the same samples as labels", async () => {
    const dataset = await openDataset({ source, labels, limit: 6 }, {}, [input]);
    const { data, dims } = dataset.batch(0, 6).get("x")!;
    const indices = Array.from(dataset.labelOrigin?.indices ?? []);
    expect(dims).toEqual([6, 2]);
    expect(data).toEqual(Float32Array.from(indices.flatMap((index) => [10 * index, 10 * index + 1])));
    expect(Array.from(dataset.labels ?? [])).toEqual(indices.map((index) => index % 3));
    expect(Array.from(dataset.labels ?? []).sort()).toEqual([0, 0, 1, 1, 2, 2]);
    // Batches are parts of the same order.
    expect(dataset.batch(2, 3).get("x")!.data).toEqual(data.slice(4, 10));
  });

  test("messages name the sample of the file, not of the subset", async () => {
    const values = Float32Array.from({ length: 12 }, (_, index) => (index === 11 ? NaN : index));
    const bad = writeNpy(join(folder, "nan.npy"), "float32", [12, 1], values);
    const dataset = await openDataset({ source: bad }, {}, [{ ...input, shape: null }]);
    expect(messageOf(() => dataset.batch(10, 2))).toBe(
      `${bad}: sample 11 has the value NaN; remove the sample or replace the value`,
    );
    expect(dataset.batch(0, 11).get("x")!.dims).toEqual([11, 1]);
    const limited = await openDataset({ source, labels, limit: 3 }, {}, [input]);
    const at = limited.labels?.indexOf(2) ?? -1;
    expect(messageOf(() => checkLabels(limited.labels!, 2, limited.labelOrigin!))).toContain(
      `${labels}: label ${limited.labelOrigin!.indices[at]} is 2`,
    );
  });

  test("hashes of the files", async () => {
    const hash = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
    expect(await (await openDataset({ source, labels }, {}, [input])).sha256()).toEqual({
      source: hash(source),
      labels: hash(labels),
    });
    expect(await (await openDataset({ source }, {}, [input])).sha256()).toEqual({ source: hash(source), labels: null });
    const gone = writeNpy(join(folder, "gone.npy"), "uint8", [1, 2], [1, 2]);
    const dataset = await openDataset({ source: gone }, {}, [input]);
    rmSync(gone);
    expect(await rejection(dataset.sha256())).toBe(`${gone}: no such file; correct its path in the config file`);
  });

  test("what does not fit is refused at once", async () => {
    const missing = join(folder, "missing.npy");
    expect(await rejection(openDataset({ source: missing }, {}, [input]))).toMatch(/missing\.npy: no such file/);
    expect(await rejection(openDataset({ source, labels: missing }, {}, [input]))).toMatch(
      /missing\.npy: no such file/,
    );
    expect(await rejection(openDataset({ source: folder }, {}, [input]))).toMatch(/is a folder without any image/);
    expect(await rejection(openDataset({ source }, {}, [{ ...input, shape: [null, 3] }]))).toBe(
      `the model's input "x" takes [N,3]; x.npy gives [N,2]; save the samples in the shape that the model takes`,
    );
    const short = writeNpy(join(folder, "short.npy"), "int64", [11], new Array<number>(11).fill(0));
    expect(await rejection(openDataset({ source, labels: short }, {}, [input]))).toBe(
      `${short} has 11 labels, and ${source} has 12 samples; there must be one label per sample`,
    );
  });
});

test("CIFAR-10 images are normalised as NumPy does", async (ctx) => {
  const cifar = fileURLToPath(new URL("../../../shared/reference/cifar10/", import.meta.url));
  if (!existsSync(join(cifar, "val_u8.npy"))) {
    const reason = `reference images are missing: ${cifar}`;
    console.warn(`SKIPPED: ${reason}`);
    ctx.skip(reason);
  }
  const mean = [0.485, 0.456, 0.406];
  const std = [0.229, 0.224, 0.225];
  const dataset = await openDataset(
    { source: join(cifar, "val_u8.npy"), labels: join(cifar, "val_y.npy"), limit: 500 },
    { layout: "NHWC", scale: 1 / 255, mean, std },
    [{ name: "x", elementType: "float32", shape: ["batch", 3, 32, 32] }],
  );
  expect(dataset).toMatchObject({ count: 500, sampleBytes: 12288 });
  const perClass = new Array<number>(10).fill(0);
  for (const label of dataset.labels!) perClass[label]++;
  expect(perClass).toEqual(new Array<number>(10).fill(50));
  const { data, dims } = dataset.batch(0, 500).get("x")!;
  expect(dims).toEqual([500, 3, 32, 32]);

  const HEADER_BYTES = 128;
  const bytes = readFileSync(join(cifar, "val_u8.npy")).subarray(HEADER_BYTES);
  const indices = dataset.labelOrigin!.indices;
  const f = Math.fround;
  let exact = true;
  let worst = 0;
  for (let at = 0; at < data.length; at++) {
    const pixel = at % 1024;
    const channel = Math.floor(at / 1024) % 3;
    const byte = bytes[(indices[Math.floor(at / 3072)] * 1024 + pixel) * 3 + channel];
    const normalised = (unit: number) => f(f(unit - f(mean[channel])) / f(std[channel]));
    exact &&= data[at] === normalised(f(byte * f(1 / 255)));
    worst = Math.max(worst, Math.abs(Number(data[at]) - normalised(f(byte / 255))));
  }
  expect(exact).toBe(true);
  // NumPy divides by 255 where the config file multiplies by 1/255. For values in [0.5, 1), rounding 1/255, the product
  // and the quotient makes 2^-23 at most, the two differences 2^-24; std divides that; the two results add 2^-22.
  expect(worst).toBeLessThanOrEqual((2 ** -23 + 2 ** -24) / Math.min(...std) + 2 ** -22);
});
