import { describe, expect, it } from "vitest";
import { gramBatchSize } from "../../src/analysis/calibrate";
import { findLayers } from "../../src/layers";
import type { Layer } from "../../src/layers/layer";
import { openBytes, weight } from "../fixtures/data";
import { modelBytes, node, untyped, value } from "../fixtures/model";

/** The batch size for MatMuls of the given widths, each applied at the given places per sample. */
function sizeOf(...sizes: readonly (readonly [columns: number, places: number])[]): number {
  const { index } = openBytes(
    modelBytes({
      nodes: sizes.map((_, i) => node("MatMul", [`x${i}`, `w${i}`], `y${i}`)),
      initializers: sizes.map(([columns], i) => weight(`w${i}`, [columns, 2], i)),
      inputs: sizes.map(([columns], i) => value(`x${i}`, ["n", "places", columns])),
      outputs: sizes.map((_, i) => untyped(`y${i}`)),
    }),
  );
  const { layers } = findLayers(index);
  const positions = new Map<Layer, number>(layers.map((layer, i) => [layer, sizes[i][1]]));
  return gramBatchSize(layers, positions);
}

describe("the calibration batch", () => {
  it("has as many samples as make some thousand rows of features", () => {
    expect(sizeOf([64, 1])).toBe(4096);
    expect(sizeOf([64, 1024])).toBe(4);
    expect(sizeOf([64, 1000])).toBe(5);
  });

  it("goes by the layers whose matrices are large", () => {
    expect(sizeOf([8, 10000], [512, 64])).toBeGreaterThan(50);
    expect(sizeOf([8, 10000], [512, 64])).toBeLessThanOrEqual(64);
  });

  it("keeps the features of any layer within 256 MiB, and is never empty", () => {
    expect(sizeOf([64, 2 ** 18], [2048, 64])).toBe(4);
    expect(sizeOf([256, 2 ** 19])).toBe(1);
  });
});
