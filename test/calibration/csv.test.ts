import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/calibration/dataset";
import { openSource } from "../../src/calibration";
import type { Shape, ValueInfo } from "../../src/onnx/schema";
import { rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-csv-"));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const input = (...shape: NonNullable<Shape>): ValueInfo => ({
  name: "x",
  elementType: "float32",
  shape: ["n", ...shape],
});
const open = (source: string, shape: NonNullable<Shape>, labels?: string) =>
  openDataset({ source, ...(labels === undefined ? {} : { labels }) }, {}, [input(...shape)]);

const named = write("named.csv", "width,label,height\n1.5,2,-3e2\n4,0,5\n");

describe("tables", () => {
  test("a row is a sample; a column of labels is not fed", async () => {
    expect((await open(named, [3])).batch(0, 2).get("x")!.data).toEqual(Float32Array.of(1.5, 2, -300, 4, 0, 5));
    const dataset = await open(named, [2], `${named}#label`);
    expect([...dataset.labels!]).toEqual([2, 0]);
    expect(dataset.batch(0, 2).get("x")!.data).toEqual(Float32Array.of(1.5, -300, 4, 5));
    expect((await open(`${named}#height`, [1])).batch(1, 1).get("x")!.data).toEqual(Float32Array.of(5));
  });

  test("without names columns are counted from 0", async () => {
    const plain = write("plain.csv", "1,2,3\n4,5,6\n");
    const dataset = await open(plain, [2], `${plain}#0`);
    expect([...dataset.labels!]).toEqual([1, 4]);
    expect(dataset.batch(0, 2).get("x")!.data).toEqual(Float32Array.of(2, 3, 5, 6));
  });

  test("a row takes the shape of the input where it has as many numbers", async () => {
    const image = write("image.csv", "1,2,3,4\n5,6,7,8\n");
    expect((await open(image, [1, 2, 2])).batch(1, 1).get("x")).toEqual({
      ...{ type: "float32", dims: [1, 1, 2, 2], data: Float32Array.of(5, 6, 7, 8) },
    });
    expect(await rejection(open(image, [1, 3, 2]))).toContain(`takes [N,1,3,2]; image.csv gives [N,4]`);
  });

  test.each([
    ["semicolons", "a;b\r\n1.5;2\r\n"],
    ["tabs", "a\tb\n1.5\t2\n"],
    ["spaces, quotes, a byte order mark and blank lines", '\uFEFF"a" , "b"\n\n 1.5 ,"2"\n\n'],
  ])("%s", async (_, content) => {
    expect((await open(write("separated.csv", content), [2])).batch(0, 1).get("x")!.data).toEqual(
      Float32Array.of(1.5, 2),
    );
  });

  test("property: numbers are read as they were written", async () => {
    const rows = fc.integer({ min: 1, max: 5 }).chain((width) =>
      fc.array(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: width, maxLength: width }), {
        minLength: 1,
        maxLength: 8,
      }),
    );
    await fc.assert(
      fc.asyncProperty(rows, fc.boolean(), async (table, hasNames) => {
        const names = hasNames ? `${table[0].map((_, at) => `c${at}`).join(",")}\n` : "";
        const path = write("random.csv", names + table.map((row) => row.join(",")).join("\n"));
        const source = await openSource(path);
        if (source.content !== "array") throw new Error(source.content);
        expect(source.samples).toMatchObject({ count: table.length, sampleShape: [table[0].length] });
        // A file of text has no -0 of its own: String(-0) is "0".
        expect([...source.samples.read(0, table.length)].map(Number)).toEqual(table.flat().map((value) => value + 0));
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ["a text", "a,b\n1,2\n3,x y\n", ':3: the column "b" has the text "x y", and all cells must be numbers'],
    ["an empty cell", "a,b\n1,\n", ':2: the column "b" is empty, and all cells must be numbers'],
    ["rows of different lengths", "1,2\n3\n", " is not a table: "],
    ["an open quote", '1,"2\n', " is not a table: "],
    ["names alone", "a,b\n", " is empty: it has no row of numbers"],
    ["nothing", "", " is empty: it has no row of numbers"],
  ])("%s is refused", async (_, content, message) => {
    const path = write("bad.csv", content);
    expect(await rejection(open(path, [2]))).toContain(`${path}${message}`);
  });

  test("unknown columns, and labels that are no class numbers", async () => {
    expect(await rejection(open(`${named}#depth`, [1]))).toBe(
      `${named} has no column "depth"; it has width, label, height`,
    );
    expect(await rejection(open(named, [2], `${named}#width`))).toBe(
      `${named}#width: label 0 is 1.5; labels must be whole numbers`,
    );
    const one = write("one.csv", "label\n1\n");
    expect(await rejection(open(one, [1], `${one}#label`))).toBe(
      `${one} has the column of labels "label" and no other`,
    );
  });
});
