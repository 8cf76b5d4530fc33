import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cutIntoBatches, fixedBatchSize } from "../../src/calibration/batches";
import { openDataset } from "../../src/calibration/dataset";
import { NONE_FILLED } from "../../src/calibration/fill";
import type { Preprocess } from "../../src/config";
import type { ValueInfo } from "../../src/onnx/schema";
import { writeImages } from "../fixtures/images";
import { writeNpy } from "../fixtures/npy";
import { messageOf, rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-inputs-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

const tokens: ValueInfo = { name: "ids", elementType: "int64", shape: ["n", 3] };
const mask: ValueInfo = { name: "mask", elementType: "int64", shape: ["n", 3] };
const image: ValueInfo = { name: "pixels", elementType: "float32", shape: ["n", 2] };

const ids = writeNpy(at("ids.npy"), "int64", [3, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8]);
const ones = writeNpy(at("mask.npy"), "bool", [3, 3], [1, 1, 1, 1, 1, 0, 1, 0, 0]);
const pixels = writeNpy(at("pixels.npy"), "uint8", [3, 2], [10, 20, 30, 40, 50, 60]);

const open = (source: string | Record<string, string>, inputs: readonly ValueInfo[], preprocess: Preprocess = {}) =>
  openDataset({ source }, preprocess, inputs);

describe("several inputs", () => {
  test("are fed by name; preprocessing is for the one of floating point", async () => {
    const dataset = await open({ pixels, mask: ones, ids }, [tokens, mask, image], { scale: 0.5 });
    expect(dataset).toMatchObject({ inputs: ["ids", "mask", "pixels"], sampleBytes: 24 + 24 + 8, warnings: [] });
    const { values, rows, samples } = cutIntoBatches(dataset, [tokens, mask, image], 2).batch(1);
    expect({ rows, samples }).toEqual({ rows: 1, samples: 1 });
    expect([...values.keys()]).toEqual(["ids", "mask", "pixels"]);
    expect(values.get("ids")).toEqual({ type: "int64", dims: [1, 3], data: BigInt64Array.of(6n, 7n, 8n) });
    expect(values.get("mask")!.data).toEqual(BigInt64Array.of(1n, 0n, 0n));
    expect(values.get("pixels")!.data).toEqual(Float32Array.of(25, 30));
  });

  test("a fixed batch size fills up all of them", async () => {
    const fixed = [tokens, image].map((input): ValueInfo => ({ ...input, shape: [2, input.shape![1]] }));
    const batches = cutIntoBatches(await open({ ids, pixels }, fixed), fixed, 100);
    expect(batches).toMatchObject({ size: 2, count: 2, padded: true });
    const { values, rows, samples } = batches.batch(1);
    expect({ rows, samples }).toEqual({ rows: 2, samples: 1 });
    expect(values.get("ids")!.data).toEqual(BigInt64Array.of(6n, 7n, 8n, 6n, 7n, 8n));
    expect(values.get("pixels")).toMatchObject({ dims: [2, 2], data: Float32Array.of(50, 60, 50, 60) });
    expect(batches.smallest().rows).toBe(2);
    const dataset = { inputs: ["ids", "pixels"], filled: NONE_FILLED };
    expect(messageOf(() => fixedBatchSize([fixed[0], { ...image, shape: [4, 2] }], dataset))).toBe(
      'The model\'s inputs "ids" and "pixels" take batches of 2 and 4 samples; ' +
        "RankLens feeds the same number of samples to every input.",
    );
  });

  test("other names are matched by shape, where that leaves no choice", async () => {
    const dataset = await open({ ids, image: pixels }, [tokens, image]);
    expect(dataset.warnings).toEqual([
      `The source "image" is fed to the model's input "pixels", by its shape; use that name.`,
    ]);
    expect(dataset.batch(0, 1).get("pixels")!.data).toEqual(Float32Array.of(10, 20));
    const ambiguous = open({ a: ids, b: ones }, [tokens, mask]);
    expect(await rejection(ambiguous)).toBe(
      `"source" names "a", and the model's inputs are "ids", "mask"; use their names, since shapes do not tell which ` +
        `input ${ids} is for`,
    );
    // One left over has no rival.
    expect((await open({ ids, m: ones }, [tokens, mask])).warnings).toHaveLength(1);
  });

  test("a limit and images that cannot be read concern every input alike", async () => {
    const images = await writeImages(at("images"), {
      "a.png": [1, 1, "#010101"],
      "b.png": [1, 1, "#020202"],
      "c.png": [1, 1, "#030303"],
    });
    const seen: ValueInfo = { name: "seen", elementType: "float32", shape: ["n", 3, 1, 1] };
    const dataset = await openDataset({ source: { seen: images, ids }, limit: 2 }, {}, [tokens, seen]);
    const values = dataset.batch(0, 2);
    const first = [0, 3].map((i) => Number(values.get("ids")!.data[i]) / 3 + 1);
    expect([0, 3].map((i) => values.get("seen")!.data[i])).toEqual(first);
  });

  test("the hash is that of their hashes", async () => {
    const hash = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
    const lines = `${hash(readFileSync(ids))}  ids\n${hash(readFileSync(pixels))}  pixels\n`;
    expect((await (await open({ pixels, ids }, [tokens, image])).sha256()).source).toBe(hash(lines));
    expect((await (await open({ ids }, [tokens])).sha256()).source).toBe(hash(`${hash(readFileSync(ids))}  ids\n`));
  });
});

describe("refused", () => {
  let short: string;
  beforeAll(() => {
    short = writeNpy(at("short.npy"), "uint8", [2, 2], [1, 2, 3, 4]);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      "one source for several",
      () => open(ids, [tokens, image]),
      `the model has 2 inputs ("ids", "pixels"), and the config names one source; name one for each: ` +
        `"source": {"ids": "…", "pixels": "…"}, or a value for one without samples: "inputs": {"pixels": 0}`,
    ],
    [
      "too few",
      () => open({ ids }, [tokens, image]),
      `"source" has no source for "pixels", and the model has 2 inputs ("ids", "pixels"); name one source for each, or a ` +
        `value: "inputs": {"pixels": 0}`,
    ],
    [
      "too many",
      () => open({ ids, extra: pixels }, [tokens]),
      `"source" has sources for "extra", and the model has one input ("ids"); name one source for each`,
    ],
    [
      "unknown preprocess.input",
      () => open({ ids, pixels }, [tokens, image], { input: "x" }),
      `preprocess.input is "x", but the model's inputs are "ids", "pixels"`,
    ],
    [
      "preprocessing for nobody",
      () => open({ ids, mask: ones }, [tokens, mask], { scale: 2 }),
      `"preprocess" is for floating-point inputs, and the model has none ("ids", "mask"); remove it`,
    ],
  ])("%s", async (_, run, message) => {
    expect(await rejection(run())).toBe(message);
  });

  test("preprocessing that could be for two", async () => {
    const two = [image, { ...image, name: "other" }];
    const run = (preprocess: Preprocess) => open({ pixels, other: pixels }, two, preprocess);
    expect(await rejection(run({ scale: 2 }))).toBe(
      `the model has 2 floating-point inputs ("pixels", "other"); name the one that "preprocess" is for in preprocess.input`,
    );
    const values = (await run({ scale: 2, input: "other" })).batch(0, 1);
    expect([values.get("pixels")!.data[0], values.get("other")!.data[0]]).toEqual([10, 20]);
  });

  test("different numbers of samples", async () => {
    expect(await rejection(open({ ids, pixels: short }, [tokens, image]))).toBe(
      `${short} has 2 samples, and ${ids} has 3; every input needs the same samples in the same order`,
    );
  });
});
