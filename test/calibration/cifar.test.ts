import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openSource } from "../../src/calibration";
import { openDataset } from "../../src/calibration/dataset";
import { checkLabels } from "../../src/calibration/labels";
import { describeSource } from "../../src/calibration/describe";
import type { ValueInfo } from "../../src/onnx/schema";
import { cifarRecords } from "../fixtures/imageFiles";
import { messageOf, rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-cifar-"));
afterAll(() => rmSync(folder, { recursive: true }));
const input: ValueInfo = { name: "x", elementType: "float32", shape: ["n", 3, 32, 32] };

function write(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

describe("CIFAR files", () => {
  test("one file of CIFAR-10, with its labels", async () => {
    const source = write("test_batch.bin", cifarRecords([[3], [9], [0]]));
    const dataset = await openDataset({ source }, {}, [input]);
    expect(dataset).toMatchObject({ count: 3, labels: Int32Array.of(3, 9, 0), classNames: null });
    const { data, dims } = dataset.batch(1, 1).get("x")!;
    expect(dims).toEqual([1, 3, 32, 32]);
    expect([data[0], data[1023], data[1024], data[3071]]).toEqual([1, 1, 101, 201]);
    expect(messageOf(() => checkLabels(dataset.labels!, 9, dataset.labelOrigin!))).toContain(`${source}: label 1 is 9`);
  });

  test("channels last where the model wants them so", async () => {
    const source = join(folder, "test_batch.bin");
    const dataset = await openDataset({ source }, { layout: "NHWC" }, [{ ...input, shape: ["n", 32, 32, 3] }]);
    expect([...(dataset.batch(2, 1).get("x")!.data as Float32Array).slice(0, 4)]).toEqual([2, 102, 202, 2]);
  });

  test("a folder stands for its training batches, in order", async () => {
    const batches = join(folder, "cifar-10-batches-bin");
    mkdirSync(batches);
    writeFileSync(join(batches, "data_batch_10.bin"), cifarRecords([[7]], 5));
    writeFileSync(join(batches, "data_batch_2.bin"), cifarRecords([[4], [5], [6]], 2));
    writeFileSync(join(batches, "data_batch_1.bin"), cifarRecords([[1], [2]]));
    writeFileSync(join(batches, "test_batch.bin"), cifarRecords([[9]]));
    const names = ["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
    writeFileSync(join(batches, "batches.meta.txt"), `${names.join("\n")}\n\n`);
    const dataset = await openDataset({ source: batches }, {}, [input]);
    expect([...dataset.labels!]).toEqual([1, 2, 4, 5, 6, 7]);
    const { data } = dataset.batch(1, 5).get("x")!;
    expect(Array.from({ length: 5 }, (_, at) => data[at * 3072])).toEqual([1, 2, 3, 4, 5]);
    expect(await describeSource(batches)).toMatchObject({ kind: "CIFAR-10 binary", count: 6, classNames: names });
    expect((await dataset.sha256()).source).toMatch(/^[0-9a-f]{64}$/);
    writeFileSync(join(batches, "data_batch_2.bin"), Buffer.alloc(3074));
    expect(await rejection(openSource(batches))).toBe(
      `${join(batches, "data_batch_2.bin")} has 3074 bytes, which is no multiple of 3073 (a CIFAR-10 record); copy it again`,
    );
  });

  test("CIFAR-100: the fine label", async () => {
    const dataset = await openDataset(
      {
        source: write(
          "train.bin",
          cifarRecords([
            [19, 99],
            [0, 42],
          ]),
        ),
      },
      {},
      [input],
    );
    expect([...dataset.labels!]).toEqual([99, 42]);
    expect(dataset.batch(0, 2).get("x")!.data[3072]).toBe(1);
  });

  test("a size that fits both is decided by the labels", async () => {
    // 3074 records of CIFAR-10 have as many bytes as 3073 of CIFAR-100.
    const source = write("both.bin", cifarRecords(Array.from({ length: 3074 }, (_, at) => [at % 10])));
    expect(await openSource(source)).toMatchObject({ kind: "CIFAR-10 binary", samples: { count: 3074 } });
    const hundred = write("both.bin", cifarRecords(Array.from({ length: 3073 }, (_, at) => [at % 20, at % 100])));
    expect(await openSource(hundred)).toMatchObject({ kind: "CIFAR-100 binary", samples: { count: 3073 } });
  });
});

test("refused", async () => {
  expect(await rejection(openSource(write("a.bin", Buffer.alloc(0))))).toMatch(/a\.bin is empty: it has 0 bytes/);
  expect(await rejection(openSource(write("a.bin", Buffer.alloc(5000))))).toMatch(
    /a\.bin has 5000 bytes, which is no multiple of 3073 \(a CIFAR-10 record\) or 3074 \(CIFAR-100\)/,
  );
  expect(await rejection(openSource(write("a.bin", cifarRecords([[3], [12]]))))).toMatch(
    /a\.bin: record 1 has the label 12, and CIFAR-10 has labels from 0 to 9/,
  );
  const source = join(folder, "test_batch.bin");
  expect(await rejection(openDataset({ source, classes: ["a"] }, {}, [input]))).toBe(
    `"classes" is for a folder of images or recordings with one folder per class, and ${source} is none`,
  );
  expect(await rejection(openDataset({ source }, { resize: 64 }, [input]))).toBe(
    `preprocess.resize is for image files, and ${source} is a CIFAR-10 binary; remove it`,
  );
});
