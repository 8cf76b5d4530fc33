import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { openSource } from "../../src/calibration";
import { openDataset } from "../../src/calibration/dataset";
import type { Shape, ValueInfo } from "../../src/onnx/schema";
import { idxBytes } from "../fixtures/imageFiles";
import { rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-idx-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, bytes: Uint8Array): string {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

const pixels = Array.from({ length: 24 }, (_, at) => 10 * at);
const images = write("train-images-idx3-ubyte", idxBytes([4, 2, 3], pixels));
const labels = write("train-labels-idx1-ubyte", idxBytes([4], [3, 0, 3, 1]));
const input = (shape: Shape): ValueInfo => ({ name: "x", elementType: "float32", shape });

describe("MNIST files", () => {
  test.each<[Shape, number[]]>([
    [
      ["n", 1, 2, 3],
      [2, 1, 2, 3],
    ],
    [
      ["n", 2, 3, 1],
      [2, 2, 3, 1],
    ],
    [
      [null, 2, 3],
      [2, 2, 3],
    ],
    [
      ["n", 6],
      [2, 6],
    ],
  ])("for an input of %j", async (shape, dims) => {
    const dataset = await openDataset({ source: images, labels }, { scale: 0.5 }, [input(shape)]);
    expect([...dataset.labels!]).toEqual([3, 0, 3, 1]);
    const value = dataset.batch(1, 2).get("x")!;
    expect(value.dims).toEqual(dims);
    expect([...(value.data as Float32Array)]).toEqual(pixels.slice(6, 18).map((byte) => (byte % 256) / 2));
  });

  test("packed ones, and other names", async () => {
    const packed = write("t10k-images.idx3-ubyte.gz", gzipSync(idxBytes([4, 2, 3], pixels)));
    const packedLabels = write("y.idx.gz", gzipSync(idxBytes([4], [3, 0, 3, 1])));
    const plain = await openDataset({ source: images, labels, limit: 3 }, {}, [input(["n", 6])]);
    const dataset = await openDataset({ source: packed, labels: packedLabels, limit: 3 }, {}, [input(["n", 6])]);
    expect(dataset.batch(0, 3)).toEqual(plain.batch(0, 3));
    expect(dataset.labels).toEqual(plain.labels);
  });
});

test("refused", async () => {
  const refuse = (bytes: Uint8Array, name = "a-idx3-ubyte") => rejection(openSource(write(name, bytes)));
  const path = join(folder, "a-idx3-ubyte");
  expect(await refuse(Buffer.from("text"))).toBe(`${path} is not an idx file: its first bytes are 116 101 120 116`);
  expect(await refuse(Buffer.alloc(0))).toMatch(/is not an idx file/);
  expect(await refuse(idxBytes([1], [0, 0, 0, 0], 0x0d))).toBe(
    `${path} holds values of idx type 0x0d; only unsigned bytes (0x08) are supported; save it as .npy`,
  );
  expect(await refuse(idxBytes([4, 2, 3], pixels.slice(1)))).toBe(
    `${path} is cut off: its shape (4, 2, 3) needs 40 bytes, and it has 39; write or copy it again`,
  );
  expect(await refuse(idxBytes([4, 2, 3], pixels).subarray(0, 9))).toMatch(/is cut off/);
  expect(await refuse(idxBytes([4, 0, 3], []))).toBe(`${path} is empty: its shape is (4, 0, 3)`);
  expect(await refuse(Buffer.from("no gzip"), "b.idx.gz")).toMatch(/b\.idx\.gz cannot be unpacked: .*; write or copy/);
  expect(await rejection(openDataset({ source: images }, {}, [input(["n", 3, 2, 3])]))).toBe(
    `the model's input "x" takes [N,3,2,3]; train-images-idx3-ubyte gives [N,1,2,3]`,
  );
});
