import fc from "fast-check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, describe, expect, test } from "vitest";
import { openSource } from "../../src/calibration";
import { readLabels } from "../../src/calibration/labels";
import { splitMember } from "../../src/calibration/member";
import { readUnpacked } from "../../src/calibration/unpack";
import { npyBytes } from "../fixtures/npy";
import { zipBytes, type ZipEntry } from "../fixtures/zip";
import { rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-npz-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "data.npz");

const x: ZipEntry = { name: "x.npy", data: npyBytes("float32", [4, 3], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) };
const y: ZipEntry = { name: "y.npy", data: npyBytes("int64", [4], [0, 1, 2, 1]) };

function write(...entries: ZipEntry[]): string {
  writeFileSync(file, zipBytes(entries));
  return file;
}

async function samplesOf(path: string) {
  const source = await openSource(path);
  if (source.content !== "array") throw new Error(source.kind);
  return source.samples;
}

const refuse = (path: string) => rejection(openSource(path));

describe("archives", () => {
  test.each([false, true])("one array, deflated: %s", async (deflate) => {
    const samples = await samplesOf(write({ ...x, deflate }));
    expect(samples).toMatchObject({ path: `${file}#x`, dtype: "float32", count: 4, sampleShape: [3], layout: null });
    expect(samples.read(1, 2)).toEqual(Float32Array.of(3, 4, 5, 6, 7, 8));
    expect(() => samples.read(3, 2)).toThrow(RangeError);
  });

  test("the array that is named; other entries do not count", async () => {
    write({ name: "README.txt", data: Buffer.from("hello") }, x, { ...y, deflate: true });
    expect((await samplesOf(`${file}#x`)).count).toBe(4);
    expect(await readLabels(`${file}#y`, { path: "x", count: 4 })).toEqual(Int32Array.of(0, 1, 2, 1));
    write({ name: "README.txt", data: Buffer.from("hello") }, x);
    expect((await samplesOf(file)).sampleShape).toEqual([3]);
  });

  test("paths", () => {
    expect(splitMember("/d/a.npz#x")).toEqual({ file: "/d/a.npz", member: "x" });
    expect(splitMember("/d/a.NPZ#x y#z")).toEqual({ file: "/d/a.NPZ", member: "x y#z" });
    for (const path of ["/d/a.npz", "/d/a.npy#x", "/d/a.npz#b/c.npy", "/d/#1/a.npz"]) {
      expect(splitMember(path)).toEqual({ file: path, member: null });
    }
  });
});

describe("refused", () => {
  test("no array, several, unknown, twice", async () => {
    expect(await refuse(write({ name: "a.txt", data: Buffer.from("a") }))).toBe(
      `${file} holds no arrays; write it with np.savez`,
    );
    expect(await refuse(write(x, y))).toBe(`${file} holds 2 arrays (x, y); choose one: "${file}#x"`);
    expect(await refuse(`${file}#z`)).toBe(`${file} holds no array "z"; it has x, y`);
    write(x, x);
    expect(await refuse(`${file}#x`)).toBe(`${file} holds 2 arrays with the name "x"; write it again`);
    expect(await refuse(`${join(folder, "none.npz")}#x`)).toMatch(/none\.npz: no such file; correct its path/);
  });

  test("encrypted, or compressed in another way", async () => {
    expect(await refuse(write({ ...x, flags: 1, claimedSize: x.data.length - 12 }))).toBe(
      `${file}#x is encrypted; save the array without a password`,
    );
    expect(await refuse(write({ ...x, method: 12 }))).toBe(
      `${file}#x is compressed by method 12; stored and deflated arrays are supported, as np.savez writes`,
    );
  });

  test("sizes that cannot be, before memory is taken", async () => {
    expect(await refuse(write({ ...x, deflate: true, claimedSize: 0xfffffff0 }))).toMatch(
      /data\.npz#x claims to unpack from \d+ to 4294967280 bytes, which is impossible; write it again/,
    );
    expect(await rejection(readUnpacked(Readable.from([]), "a.npz#x", 2 ** 33, 2 ** 32))).toBe(
      "a.npz#x is 8589934592 bytes unpacked, and at most 4294967296 are unpacked into memory; save it uncompressed (np.save)",
    );
    const zeros = { name: "z.npy", data: npyBytes("uint8", [1e6], new Uint8Array(1e6)), deflate: true };
    expect(await refuse(write({ ...zeros, claimedSize: 1000 }))).toMatch(/data\.npz#z .*; write or copy it again/);
    expect(await refuse(write({ ...x, deflate: true, claimedSize: 300 }))).toMatch(
      /data\.npz#x .*; write or copy it again/,
    );
    const stream = Readable.from([Buffer.alloc(5)]);
    expect(await rejection(readUnpacked(stream, "a", 4, 4))).toBe(
      "a should unpack to 4 bytes, and has more; write or copy it again",
    );
  });

  test("no archive, cut off, damaged", async () => {
    writeFileSync(file, "not a zip file at all, but long enough to be one");
    expect(await refuse(file)).toMatch(/is not a readable NumPy archive: .*; write or copy it again/);
    const bytes = zipBytes([{ ...x, deflate: true }]);
    writeFileSync(file, bytes.subarray(0, 100));
    expect(await refuse(file)).toMatch(/is not a readable NumPy archive/);
    bytes.fill(0xff, 40, 60);
    writeFileSync(file, bytes);
    expect(await refuse(file)).toMatch(/data\.npz#x cannot be unpacked: .*; write or copy it again/);
    expect(await refuse(write({ name: "bad.npy", data: Buffer.from("no array") }))).toBe(
      `${file}#bad is not a NumPy .npy file; write one with np.save`,
    );
  });

  test.each([false, true])("values that are not those that were written, deflated: %s", async (deflate) => {
    const bytes = zipBytes([{ ...x, deflate }]);
    // The last value of the array, or the checksum where changed bytes could not even be unpacked.
    if (deflate) bytes.set(zipBytes([{ ...x, deflate, checksum: 0xbeef }]));
    else bytes[bytes.indexOf("PK\x01\x02", "latin1") - 2] ^= 1;
    writeFileSync(file, bytes);
    expect(await refuse(file)).toMatch(
      /data\.npz#x is damaged: its checksum is [0-9a-f]{8}, and the archive says [0-9a-f]{8}; write or copy it again$/,
    );
  });

  test("property: damage is an ExpectedError, or harmless", async () => {
    const good = zipBytes([x, { ...y, deflate: true }]);
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.constantFrom("#x", "#y", ""),
        async (list, member) => {
          const bad = Buffer.from(good);
          for (const [at, value] of list) bad[at] = value;
          writeFileSync(file, bad);
          try {
            const samples = await samplesOf(file + member);
            samples.read(0, samples.count);
          } catch (error) {
            expect(error).toMatchObject({ expected: true });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
