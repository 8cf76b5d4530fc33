import { describe, expect, test } from "vitest";
import type { Dataset } from "../../src/calibration/dataset";
import { NONE_FILLED } from "../../src/calibration/fill";
import type { ElementType, ValueInfo } from "../../src/onnx/schema";
import { withPreview } from "../../src/propose/preview";
import type { TensorData, TensorValues } from "../../src/runtime/session";
import { about } from "./dataFolder";

type Sample = readonly [name: string, type: ElementType, dims: readonly number[], data: TensorData];

/** What is shown of a first sample. */
function preview(samples: readonly Sample[], more: Partial<Dataset> = {}, what = "first sample"): string {
  const values: TensorValues = new Map(
    samples.map(([name, type, dims, data]) => [name, { type, dims: [1, ...dims], data }]),
  );
  const dataset: Dataset = {
    ...{ count: 1, available: 1, labels: null, labelOrigin: null, classNames: null, filled: NONE_FILLED },
    ...{
      inputs: samples.map(([name]) => name),
      contents: new Map(samples.map(([name]) => [name, "array" as const])),
      sources: [],
      sampleBytes: 0,
      decodedBytes: 0,
      warnings: [],
      tokenText: null,
    },
    batch: () => values,
    attended: () => new Map(),
    sha256: () => Promise.resolve({ source: "", labels: null }),
    ...more,
  };
  const inputs = samples.map(([name, elementType, dims]): ValueInfo => ({ name, elementType, shape: ["n", ...dims] }));
  const proposal = { config: {}, assumptions: [], questions: [] };
  return about(withPreview(proposal, dataset, inputs), what);
}

describe("what the model gets of the first sample", () => {
  test("of images the range of each channel, wherever it lies", () => {
    const planes = Float32Array.of(-2, 1, 0, 0, 0.123456, 3);
    expect(preview([["x", "float32", [3, 1, 2], planes]])).toBe(
      '"x" [N,3,1,2]: channels from -2 to 1, from 0 to 0, from 0.123 to 3',
    );
    // One channel first, or three last: the first axis decides.
    expect(preview([["x", "float32", [1, 2, 3], planes]])).toBe('"x" [N,1,2,3]: channels from -2 to 3');
    expect(preview([["x", "float32", [2, 1, 3], planes]])).toBe(
      '"x" [N,2,1,3]: channels from -2 to 0, from 0.123 to 1, from 0 to 3',
    );
  });

  test("of numbers the first ones and their range", () => {
    expect(preview([["x", "float32", [2], Float32Array.of(0.5, -1)]])).toBe('"x" [N,2]: 0.5, -1');
    expect(preview([["x", "float32", [9], Float32Array.from({ length: 9 }, (_, i) => i)]])).toBe(
      '"x" [N,9]: 0, 1, 2, 3, 4, 5, 6, 7, … (from 0 to 8)',
    );
  });

  test("of text the tokens that count, with what they stand for", () => {
    const ids: Sample = ["input_ids", "int64", [4], BigInt64Array.of(2n, 7n, 3n, 0n)];
    const mask: Sample = ["attention_mask", "int64", [4], BigInt64Array.of(1n, 1n, 1n, 0n)];
    expect(preview([ids])).toBe('"input_ids" [N,4]: 2 7 3 0');
    expect(preview([ids, mask], { tokenText: (id) => (id === 7 ? "cat" : null) })).toBe(
      '"input_ids" [N,4]: 2 7 3 (? cat ?), 3 of 4 are tokens',
    );
  });

  test("and the inputs without a source", () => {
    const filled = { ...NONE_FILLED, notes: ["Inputs that no source names are filled."] };
    expect(preview([["x", "float32", [1], Float32Array.of(1)]], { filled }, "other inputs")).toBe(filled.notes[0]);
  });
});
