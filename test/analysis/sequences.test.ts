import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyze } from "../../src/analyze";
import { reportText } from "../../src/cli/reportText";
import { compress } from "../../src/compress";
import { findEmbeddings } from "../../src/layers/embeddings";
import { modelReportSchema } from "../../src/report";
import { usedRows } from "../../src/runtime/lookups";
import { batchesOf, openBytes, weight } from "../fixtures/data";
import { workspace, type Workspace } from "../fixtures/dataFiles";
import { modelBytes, node, untyped, value, type TestNode } from "../fixtures/model";
import { CLASSES } from "../fixtures/modelNetworks";

const [STEPS, WORDS, WIDTH, H] = [5, 12, 8, 6];

/** Numbers → words of a table → an LSTM in both directions, of which the last states are read → classes. */
function classifier(): Uint8Array {
  const lstm = { opType: "LSTM", name: "lstm", inputs: ["s", "w", "r"], outputs: ["", "last"] };
  return modelBytes({
    nodes: [
      node("Abs", ["x"], "a"),
      node("Mul", ["a", "three"], "b"),
      node("Min", ["b", "most"], "c"),
      node("Cast", ["c"], "ids", { to: 7 }),
      node("Gather", ["table", "ids"], "e"),
      node("Transpose", ["e"], "s", { perm: [1, 0, 2] }),
      { ...lstm, attributes: { direction: "bidirectional", hidden_size: H } },
      node("Transpose", ["last"], "t", { perm: [1, 0, 2] }),
      node("Einsum", ["t", "head"], "y", { equation: "ndh,dhc->nc" }),
    ],
    initializers: [
      { name: "three", dims: [], data: Float32Array.of(3) },
      { name: "most", dims: [], data: Float32Array.of(WORDS - 1) },
      weight("table", [WORDS, WIDTH], 1),
      weight("w", [2, 4 * H, WIDTH], 2),
      weight("r", [2, 4 * H, H], 3),
      weight("head", [2, H, CLASSES], 4),
    ],
    inputs: [value("x", ["n", STEPS])],
    outputs: [untyped("y")],
  });
}

describe("a network of an embedding, an LSTM and an Einsum", () => {
  let space: Workspace;
  beforeAll(async () => (space = await workspace(classifier(), [STEPS])));
  afterAll(() => space.remove());

  it("is analysed, the rank of its recurrent weights too, which stay in one piece", async () => {
    const report = await analyze(space.model, { config: space.config });
    expect(modelReportSchema.parse(report)).toEqual(report);
    expect(report.layers.map(({ name, groups, rows, columns }) => [name, groups, rows, columns])).toEqual([
      ["w", 1, 2 * 4 * H, WIDTH],
      ["r", 2, 4 * H, H],
      ["head", 1, CLASSES, 2 * H],
    ]);
    const [w, r, head] = report.layers;
    expect([w.macs.before, r.macs.before, head.macs.before]).toEqual([
      STEPS * 8 * H * WIDTH,
      STEPS * 8 * H * H,
      2 * H * CLASSES,
    ]);
    expect(r.utilizedRank).toBeGreaterThan(0);
    expect(r.outcome).toMatchObject({ kind: "kept", reason: expect.stringMatching(/^recurrent weights are analysed only/) as string }); // prettier-ignore
    expect(report.accuracy.projected).not.toBeNull();
  });

  it("becomes smaller, and is run", async () => {
    const output = path.join(space.folder, "small.onnx");
    const { compressed, layers } = await compress(space.model, { config: space.config, energy: 0.8, output });
    expect(layers.find(({ name }) => name === "w")?.outcome.kind).toBe("decomposed");
    expect(compressed?.accuracy.after).not.toBeNull();
  });

  it("has its table counted, by the rows that the calibration data looks up", async () => {
    const report = await analyze(space.model, { config: space.config, energy: 0.9 });
    const looked = (values: ArrayLike<number>): number =>
      new Set(Array.from(values, (x) => Math.floor(Math.min(Math.fround(Math.abs(x) * 3), WORDS - 1)))).size;
    const used = looked(space.calibration.data as Float32Array);
    expect(used).toBeLessThan(WORDS);
    expect(report.embeddings).toEqual([{ name: "table", rows: WORDS, columns: WIDTH, usedRows: used }]);
    expect(report.skipped.map(({ reason }) => reason)).toEqual(["an embedding table is looked up, not multiplied"]);
    expect(reportText(report)).toContain(`table of 12×8: ${used} of 12 rows are used by the calibration data`);
  });
});

describe("embedding tables", () => {
  const tables = (nodes: TestNode[]) =>
    openBytes(
      modelBytes({
        nodes,
        initializers: [
          weight("table", [6, 2], 1),
          { name: "offset", dims: [], data: BigInt64Array.of(2n) },
          { name: "fixed", dims: [1], data: BigInt64Array.of(1n) },
        ],
        inputs: [value("x", ["n", 2], "int64")],
        outputs: [untyped("y")],
      }),
    );
  const x = { type: "int64" as const, dims: [3, 2], data: BigInt64Array.from([0n, -1n, 0n, 1n, 1n, 0n]) };

  it("are counted over all Gathers that read them, and batches, with rows that are counted from the end", async () => {
    const opened = tables([
      node("Gather", ["table", "x"], "a"),
      node("Add", ["x", "offset"], "later"),
      node("Gather", ["table", "later"], "b"),
      node("Add", ["a", "b"], "y"),
    ]);
    const found = findEmbeddings(opened.index);
    expect(found).toEqual([{ name: "table", rows: 6, columns: 2, indices: ["x", "later"] }]);
    for (const size of [3, 1]) {
      // 0, −1 = 5, 1; and each two further: 2, 1, 3.
      expect(await usedRows(opened, found, batchesOf(x, size), undefined)).toEqual([5]);
    }
  });

  it.each<[string, TestNode[]]>([
    ["at places that are the same for all data", [node("Gather", ["table", "fixed"], "b"), node("Gather", ["b", "x"], "y")]], // prettier-ignore
    ["along the columns", [node("Gather", ["table", "x"], "y", { axis: 1 })]],
    ["of the data itself", [node("Gather", ["x", "fixed"], "y")]],
  ])("are none where a Gather is %s", (_, nodes) => {
    expect(findEmbeddings(tables(nodes).index)).toEqual([]);
  });
});
