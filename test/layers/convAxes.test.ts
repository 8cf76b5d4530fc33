import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyze } from "../../src/analyze";
import { compress } from "../../src/compress";
import { modelReportSchema, type ModelReport } from "../../src/report";
import { createSession } from "../../src/runtime/session";
import { openModel } from "../../src/onnx/reader";
import { floats, runOutput, weight } from "../fixtures/data";
import { accuracy, workspace, type Workspace } from "../fixtures/dataFiles";
import { withProjectedWeights } from "../fixtures/dataGrams";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { CLASSES } from "../fixtures/modelNetworks";

/** A CNN over `size.length` spatial axes: strides, padding, dilation and groups, then a Gemm. */
function network(size: readonly number[]): Uint8Array {
  const every = <T>(entry: T): T[] => size.map(() => entry);
  return modelBytes({
    nodes: [
      node("Conv", ["x", "stem", "stem_b"], "a", { pads: [...every(1), ...every(1)] }),
      node("Relu", ["a"], "b"),
      node("Conv", ["b", "wide"], "c", { strides: every(2), dilations: every(2), pads: [...every(1), ...every(2)] }),
      node("Relu", ["c"], "d"),
      node("Conv", ["d", "grouped"], "e", { group: 2, auto_pad: "SAME_LOWER" }),
      node("Conv", ["e", "depthwise"], "dw", { group: 12 }),
      node("GlobalAveragePool", ["dw"], "g"),
      node("Flatten", ["g"], "h"),
      node("Gemm", ["h", "head"], "y", { transB: 1 }),
    ],
    initializers: [
      weight("stem", [8, 3, ...every(3)], 1),
      { name: "stem_b", dims: [8], data: floats(8, 2, 0.1) },
      weight("wide", [12, 8, ...every(2)], 3),
      weight("grouped", [12, 6, ...every(3)], 4),
      weight("depthwise", [12, 1, ...every(1)], 5),
      { ...weight("head", [CLASSES, 12], 6), data: floats(CLASSES * 12, 6, 3) },
    ],
    inputs: [value("x", ["n", 3, ...size])],
    outputs: [untyped("y")],
  });
}

describe.each([
  ["one axis", [17], [17, 9, 9, 1]],
  ["three axes", [5, 6, 4], [120, 3 * 4 * 3, 3 * 4 * 3, 1]],
])("convolutions over %s", (_, size, positions) => {
  const bytes = network(size);
  const names = ["stem", "wide", "grouped", "head"];
  let space: Workspace;
  let report: ModelReport;
  let output = "";
  beforeAll(async () => {
    space = await workspace(bytes, [3, ...size]);
    report = await analyze(space.model, { config: space.config });
    output = path.join(space.folder, "smaller.onnx");
  });
  afterAll(() => space.remove());

  it("are analysed, with multiplications at every place", () => {
    expect(modelReportSchema.parse(report)).toEqual(report);
    expect(report.layers.map(({ name }) => name)).toEqual(names);
    expect(report.skipped).toMatchObject([{ name: "node_dw", reason: expect.stringContaining("depthwise") as string }]);
    expect(report.layers.map(({ macs, parameters }) => macs.before! / parameters.before)).toEqual(positions);
    const taps = 3 ** size.length;
    expect(report.layers.map(({ groups, rows, columns }) => [groups, rows, columns])).toEqual([
      [1, 8, 3 * taps],
      [1, 12, 8 * 2 ** size.length],
      [2, 6, 6 * taps],
      [1, CLASSES, 12],
    ]);
    for (const { utilizedRank, search } of report.layers) {
      expect(utilizedRank).toBeGreaterThan(0);
      expect(search!.S.length).toBeGreaterThan(0);
    }
  });

  it("have the accuracy that an independent evaluation finds", async () => {
    const low = await analyze(space.model, { config: space.config, energy: 0.7 });
    const projected = await withProjectedWeights(bytes, space.calibration, low.layers);
    expect(low.accuracy.projected).toBe(accuracy(await runOutput(projected, space.validation, "y"), space.labels));
  });

  it("become two each, and compute what the report says", async () => {
    const { compressed, layers } = await compress(space.model, { config: space.config, output, energy: 0.7 });
    const decomposed = layers.filter(({ outcome }) => outcome.kind === "decomposed");
    expect(decomposed.map(({ name }) => name)).toEqual(expect.arrayContaining(["stem", "wide", "grouped"]));
    expect(compressed!.layersDecomposed).toBe(decomposed.length);
    const session = await createSession(output, output);
    const found = (await session.run(new Map([["x", space.validation]]))).get("y")!.data as Float32Array;
    await session.release();
    expect(accuracy(found, space.labels)).toBe(compressed!.accuracy.after);
    const written = openModel(output);
    const kernels = [...written.graph.initializers.values()].filter(({ name }) => name.includes("low_rank"));
    for (const { name, dims } of kernels.filter(({ name: it }) => !it.startsWith("head"))) {
      expect(dims).toHaveLength(size.length + 2);
      if (name.endsWith("_A")) expect(dims.slice(2)).toEqual(size.map(() => 1));
    }
    written.close();
  });
});
