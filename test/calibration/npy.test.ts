import fc from "fast-check";
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openSource, sourceKinds } from "../../src/calibration";
import { fileBytes } from "../../src/calibration/fileBytes";
import { openNpyBytes } from "../../src/calibration/npy";
import { npy } from "../../src/calibration/npy";
import { SAMPLE_TYPES, type SampleType } from "../../src/calibration/source";
import { messageOf, rejection } from "./messageOf";
import { npyHeader, writeNpy, writeRawNpy } from "../fixtures/npy";

const folder = mkdtempSync(join(tmpdir(), "ranklens-npy-"));
const openFile = (path: string) => openNpyBytes(path, fileBytes(path));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "a.npy");

const TYPES = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "int64", "float32", "float64"] as const;

describe("reading", () => {
  test.each(TYPES)("%s", (dtype: SampleType) => {
    writeNpy(file, dtype, [3, 2], [0, 1, 1, 0, 1, 1]);
    const array = openFile(file);
    expect(array).toMatchObject({ path: file, dtype, sampleShape: [2], count: 3 });
    const values = array.read(1, 2);
    expect(values.constructor).toBe(SAMPLE_TYPES[dtype].view(new ArrayBuffer(0)).constructor);
    expect(Array.from<number | bigint>(values).map(Number)).toEqual([1, 0, 1, 1]);
  });

  test("extreme values", () => {
    const limits = [-(2n ** 63n), 2n ** 63n - 1n];
    expect([...openFile(writeNpy(file, "int64", [2], limits)).read(0, 2)]).toEqual(limits);
    const floats = [NaN, -0, Infinity, 5e-324, Number.MAX_VALUE];
    expect([...openFile(writeNpy(file, "float64", [5], floats)).read(0, 5)]).toEqual(floats);
  });

  test("property: any range of samples of any shape", () => {
    const shape = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shape, fc.nat(), fc.nat(), (dims, a, b) => {
        const values = Float32Array.from({ length: dims.reduce((x, y) => x * y) }, (_, index) => index / 7);
        const array = openFile(writeNpy(file, "float32", dims, values));
        const start = a % dims[0];
        const count = b % (dims[0] - start + 1);
        const size = values.length / dims[0];
        expect(array.sampleShape).toEqual(dims.slice(1));
        expect(array.read(start, count)).toEqual(values.slice(start * size, (start + count) * size));
      }),
    );
  });

  test("formats 2.0 and 3.0, other spellings of the header, trailing bytes", () => {
    const body = new Uint8Array([1, 2, 3, 4, 99]);
    const header = npyHeader("|u1", [2, 2]);
    for (const version of [
      [1, 0],
      [2, 0],
      [3, 0],
    ] as const) {
      expect([...openFile(writeRawNpy(file, header, body, { version })).read(0, 2)]).toEqual([1, 2, 3, 4]);
    }
    const spellings = [
      `{"shape":(2L,2L),"fortran_order":False,"descr":"<u1"}`,
      `{'descr': '>u1', 'fortran_order': False, 'shape': (2, 2)}`,
      `{'descr': '=u1', 'fortran_order': False, 'shape': (4,)}`,
      `{'descr': '|u1', 'fortran_order': True, 'shape': (4,)}`,
    ];
    for (const spelling of spellings) {
      const array = openFile(writeRawNpy(file, spelling, body));
      expect([...array.read(0, array.count)]).toEqual([1, 2, 3, 4]);
    }
  });

  test("past 4 GB, without reading the rest", () => {
    const count = 5_000_000;
    const dataBytes = count * 1000;
    writeRawNpy(file, npyHeader("|u1", [count, 1000]), new Uint8Array(0));
    const start = readFileSync(file).length;
    const descriptor = openSync(file, "r+");
    ftruncateSync(descriptor, start + dataBytes); // a hole: takes no room on the disk
    writeSync(descriptor, new Uint8Array([7, 8, 9]), 0, 3, start + dataBytes - 1000);
    closeSync(descriptor);
    const last = openFile(file).read(count - 1, 1);
    expect(last.length).toBe(1000);
    expect([...last.subarray(0, 4)]).toEqual([7, 8, 9, 0]);
    rmSync(file);
  });

  test("ranges outside the array are a programming error", () => {
    const array = openFile(writeNpy(file, "uint8", [2], [1, 2]));
    expect(() => array.read(1, 2)).toThrow(RangeError);
    expect(() => array.read(-1, 1)).toThrow(RangeError);
  });
});

describe("refusals", () => {
  const refused = (header: string, options: Parameters<typeof writeRawNpy>[3] = {}, body = new Uint8Array(64)) =>
    messageOf(() => openFile(writeRawNpy(file, header, body, options)));

  test("Fortran order", () => {
    expect(refused(npyHeader("<f4", [2, 2], true))).toBe(
      `${file} is stored in Fortran order, and samples must be in C order; write it again with np.save(path, np.ascontiguousarray(array))`,
    );
  });

  test("big-endian", () => {
    expect(refused(npyHeader(">f4", [2, 2]))).toBe(
      `${file} is big-endian (NumPy type ">f4"), and samples must be little-endian; convert it with array.astype("<f4")`,
    );
  });

  test("other types", () => {
    for (const descr of ["<f2", "<u8", "|O", "<U3", "<c8", ""]) {
      expect(refused(npyHeader(descr, [2]))).toBe(
        `${file} holds values of NumPy type "${descr}"; supported are bool, uint8, int8, uint16, int16, uint32, int32, int64, float32, float64; convert it with array.astype`,
      );
    }
    expect(refused("{'descr': [('shape', '<f4')], 'fortran_order': False, 'shape': (2,), }")).toMatch(/holds records/);
  });

  test("0-d and empty arrays", () => {
    expect(refused(npyHeader("<f4", []))).toBe(
      `${file} holds a single number (shape ()); samples need an axis of their own`,
    );
    expect(refused(npyHeader("<f4", [0, 3]))).toBe(`${file} is empty: its shape is (0, 3)`);
    expect(refused(npyHeader("<f4", [3, 0]))).toBe(`${file} is empty: its shape is (3, 0)`);
    expect(refused(npyHeader("<f4", [0]))).toBe(`${file} is empty: its shape is (0,)`);
  });

  test("cut off", () => {
    writeNpy(file, "float32", [4, 4], new Float32Array(16));
    const size = readFileSync(file).length;
    truncateSync(file, size - 1);
    expect(messageOf(() => openFile(file))).toBe(
      `${file} is cut off: its shape (4, 4) and type float32 need ${size} bytes, and it has ${size - 1}; write or copy it again`,
    );
    truncateSync(file, 20);
    expect(messageOf(() => openFile(file))).toBe(
      `${file} is cut off in its header: 128 bytes are needed, and it has 20; write or copy it again`,
    );
    truncateSync(file, 9);
    expect(messageOf(() => openFile(file))).toMatch(/is cut off in its header: \d+ bytes are needed, and it has 9/);
    truncateSync(file, 0);
    expect(messageOf(() => openFile(file))).toBe(`${file} is empty: it has 0 bytes`);
  });

  test("shortened or removed while in use", () => {
    const array = openFile(writeNpy(file, "uint8", [4, 4], new Uint8Array(16)));
    const size = readFileSync(file).length;
    truncateSync(file, size - 3);
    expect(messageOf(() => array.read(2, 2))).toBe(
      `${file} became shorter while it was in use: ${size} bytes were expected, and it has ${size - 3}; write or copy it again`,
    );
    rmSync(file);
    expect(messageOf(() => array.read(0, 1))).toBe(`${file}: no such file; correct its path in the config file`);
  });

  test("headers that are too long, of another version, or not NumPy's", () => {
    const header = npyHeader("|u1", [2]);
    expect(refused(header, { version: [2, 0], claimed: 0xffff_ffff })).toBe(
      `${file}: the header claims 4294967295 bytes, and at most 65535 are supported`,
    );
    expect(refused(header, { version: [4, 0] })).toBe(
      `${file}: .npy format 4.0 is unknown; 1.0, 2.0 and 3.0 are supported`,
    );
    expect(refused("{'descr': '|u1'}")).toMatch(/lacks descr, fortran_order or shape; write the file with np.save/);
    expect(refused(npyHeader("|u1", [9_999_999_999, 9_999_999_999]))).toMatch(
      /the shape \(.*\) is too large for an array/,
    );
    expect(refused(npyHeader("|u1", new Array<number>(65).fill(1)))).toMatch(/is too large for an array/);
    writeFileSync(file, "PK\x03\x04 a zip archive");
    expect(messageOf(() => openFile(file))).toBe(`${file} is not a NumPy .npy file; write one with np.save`);
  });

  test("property: damaged headers never fail in another way", () => {
    writeNpy(file, "int16", [3, 2], [1, 2, 3, 4, 5, 6]);
    const good = readFileSync(file);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        (changes) => {
          const bad = Buffer.from(good);
          for (const [at, value] of changes) bad[at] = value;
          writeFileSync(file, bad);
          try {
            const array = openFile(file);
            expect(array.read(0, array.count).length).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toMatchObject({ expected: true });
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("paths", () => {
  test("missing, folders, unknown kinds", async () => {
    const missing = join(folder, "missing.npy");
    expect(await rejection(openSource(missing))).toBe(`${missing}: no such file; correct its path in the config file`);
    expect(await rejection(openSource(folder))).toBe(
      `${folder} is a folder without any image; images are files named .jpg, .jpeg, .png, .webp, .tif, .tiff, .gif`,
    );
    const odd = join(folder, "folder.npy");
    mkdirSync(odd);
    expect(await rejection(openSource(odd))).toBe(`${odd} is not a file; name the file itself`);
    const text = join(folder, "data.parquet");
    writeFileSync(text, "1,2");
    expect(await rejection(openSource(text))).toBe(
      `${text} is of no supported kind; supported are: ${sourceKinds.map(({ name }) => name).join(", ")}`,
    );
    expect(await rejection(openSource(`${folder}/\0.npy`))).toMatch(/cannot be read/);
    expect(await rejection(openSource(join(text, "x.npy")))).toMatch(/no such file/);
  });

  test.skipIf(process.platform === "win32")("neither a file nor a folder", async () => {
    expect(await rejection(openSource("/dev/null"))).toBe("/dev/null is neither a file nor a folder");
  });

  test("the extension may be in capitals", () => {
    expect(npy.recognises("/x/A.NPY", false)).toBe(true);
    expect(npy.recognises("/x/a.npz", false)).toBe(false);
  });
});
