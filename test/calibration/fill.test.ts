import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { cutIntoBatches } from "../../src/calibration/batches";
import { openDataset } from "../../src/calibration/dataset";
import { fillInputs } from "../../src/calibration/fill";
import { roleOf } from "../../src/calibration/inputRoles";
import type { Constant } from "../../src/config";
import type { Dimension, ElementType, ValueInfo } from "../../src/onnx/schema";
import { writeNpy } from "../fixtures/npy";
import { messageOf, rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-fill-"));
afterAll(() => rmSync(folder, { recursive: true }));

const value = (name: string, elementType: ElementType, ...shape: Dimension[]): ValueInfo => ({
  name,
  elementType,
  shape,
});
const ids = value("input_ids", "int64", "batch", "sequence");

/** What is fed beside `rows` samples of five tokens. */
function filled(inputs: readonly ValueInfo[], rows = 2, constants: Readonly<Record<string, Constant>> = {}) {
  const plan = fillInputs(inputs, [{ input: ids, sampleDims: [5] }], { constants, sampleRate: undefined });
  const values = [...plan.tensors(rows)].map(([name, { dims, data }]) => [
    name,
    { dims, data: Array.from(data, Number) },
  ]);
  return { ...plan, values: Object.fromEntries(values) as Record<string, { dims: number[]; data: number[] }> };
}

describe("roles", () => {
  test.each<[string, ElementType, ReturnType<typeof roleOf>]>([
    ["input_ids", "int64", "ids"],
    ["serving_default_input_ids:0", "int32", "ids"],
    ["decoder_input_ids", "int64", "ids"],
    ["tokens", "int64", "ids"],
    ["attention_mask", "int64", "mask"],
    ["input_mask", "int64", "mask"],
    ["attention_mask", "float32", "mask"],
    ["token_type_ids", "int64", "types"],
    ["segment_ids", "int64", "types"],
    ["position_ids", "int64", "positions"],
    ["past_key_values.0.key", "float32", "past"],
    ["past_3", "float32", "past"],
    ["past_key_values.0.encoder.key", "float32", "past"],
    ["state", "float32", "state"],
    ["h", "float32", "state"],
    ["c0", "float32", "state"],
    ["hx", "float32", "state"],
    ["lstm_h_in", "float32", "state"],
    ["use_cache_branch", "bool", "cacheSwitch"],
    // What is data, although it sounds like something else.
    ["encoder_hidden_states", "float32", null],
    ["hidden_states", "float32", null],
    ["x", "float32", null],
    ["channels", "float32", null],
    ["images", "uint8", null],
    ["ids", "float32", null],
    ["masked_image", "float32", null],
  ])("%s %s: %s", (name, type, role) => {
    expect(roleOf(value(name, type, "n", "m"))).toBe(role);
  });

  test("a sampling rate is a single number", () => {
    expect(roleOf(value("sr", "int64"))).toBe("rate");
    expect(roleOf(value("sr", "float32", "n", "c", "h", "w"))).toBeNull();
  });
});

describe("inputs without a source", () => {
  test("by their roles, with sizes from the data", () => {
    const { values, notes, fixedBatch } = filled([
      value("attention_mask", "int64", "batch", "past_sequence_length + sequence"),
      value("token_type_ids", "int64", "batch", "sequence"),
      value("position_ids", "int64", "batch", "sequence"),
      value("past_key_values.0.key", "float32", "batch", 4, "past_sequence_length", 8),
      value("past_0", "float32", 2, "batch", 4, "seq_len", 8),
      value("state", "float32", 2, null, 3),
      value("sr", "int64"),
      value("use_cache_branch", "bool", 1),
    ]);
    expect(values).toMatchObject({
      attention_mask: { dims: [2, 5], data: new Array(10).fill(1) },
      token_type_ids: { dims: [2, 5], data: new Array(10).fill(0) },
      position_ids: { dims: [2, 5], data: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4] },
      "past_key_values.0.key": { dims: [2, 4, 0, 8], data: [] },
      past_0: { dims: [2, 2, 4, 0, 8], data: [] },
      state: { dims: [2, 2, 3], data: new Array(12).fill(0) },
      sr: { dims: [], data: [16000] },
      use_cache_branch: { dims: [1], data: [0] },
    });
    expect(fixedBatch).toBeNull();
    expect(notes).toEqual([
      'Inputs that no source names are filled: "past_key_values.0.key", "past_0" with zeros (no past); "state" with zeros (an ' +
        'initial state); "attention_mask" with ones; "token_type_ids" with zeros; "position_ids" with positions from 0; ' +
        '"use_cache_branch" with false; "sr" with 16000 Hz, a guess. Other values go under "inputs" in the config.',
    ]);
  });

  test("a past of fixed length holds nothing: the mask leaves it out", () => {
    const { values } = filled([
      value("attention_mask", "int64", "batch", "total_sequence_length"),
      value("past_key", "float32", "batch", 4, 3, 8),
    ]);
    expect(values.attention_mask).toEqual({ dims: [2, 8], data: [0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1] });
    expect(values.past_key.dims).toEqual([2, 4, 3, 8]);
  });

  test("property: a state follows the batch wherever it is counted", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 }), fc.integer({ min: 1, max: 9 }), (axis, rows) => {
        const shape = [2, 3, 4].map((dim, at): Dimension => (at === axis ? "batch" : dim));
        const { values } = filled([value("state", "float32", ...shape)], rows);
        expect(values.state.dims).toEqual(shape.map((dim) => (dim === "batch" ? rows : dim)));
      }),
    );
  });

  test("values of the config go before roles, and fill or repeat", () => {
    const { values, notes } = filled(
      [
        value("sr", "int64"),
        value("scale", "float32", "batch", 2),
        value("layers", "float32", 2, "batch", 2),
        value("flag", "bool", 1),
      ],
      3,
      { sr: 8000, scale: [0.5, 2], layers: [[1, 2], [3, 4]], flag: true }, // prettier-ignore
    );
    expect(values).toEqual({
      sr: { dims: [], data: [8000] },
      scale: { dims: [3, 2], data: [0.5, 2, 0.5, 2, 0.5, 2] },
      layers: { dims: [2, 3, 2], data: [1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4] },
      flag: { dims: [1], data: [1] },
    });
    expect(notes).toEqual([]);
  });

  test.each<[string, ValueInfo, Constant, string]>([
    [
      "another shape",
      value("w", "float32", "batch", 2),
      [1, 2, 3],
      `"inputs" gives "w" lists of [3], and the model takes [2] for each sample; correct the config`,
    ],
    [
      "another shape of all",
      value("w", "float32", 2),
      [[1, 2]],
      `"inputs" gives "w" lists of [1, 2], and the model takes [2]; correct the config`,
    ],
    [
      "ragged lists",
      value("w", "float32", 2, 2),
      [[1, 2], [3]],
      `"inputs" gives "w" lists of different lengths; correct the config`,
    ],
    [
      "a fraction",
      value("w", "int64"),
      1.5,
      `"inputs" gives "w" the value 1.5, and the model takes int64; correct the config`,
    ],
    [
      "too large",
      value("w", "uint8", 1),
      300,
      `"inputs" gives "w" the value 300, and the model takes uint8; correct the config`,
    ],
    [
      "too large for float32",
      value("w", "float32", 1),
      1e39,
      `"inputs" gives "w" the value 1e+39, and the model takes float32; correct the config`,
    ],
  ])("%s is refused", (_, input, constant, message) => {
    expect(messageOf(() => filled([input], 2, { w: constant }))).toBe(message);
  });

  test("a size that nothing tells, and a type that cannot be fed", () => {
    expect(messageOf(() => filled([value("state", "float32", 2, "batch", "width")]))).toBe(
      'no source feeds the model\'s input "state", and nothing tells how long the axis "width" of it is; name a source for ' +
        'it, or its value in the config: "inputs": {"state": …}',
    );
    expect(messageOf(() => filled([value("past_0", "bfloat16", "batch", 2, "p", 4)]))).toContain(
      `the model's input "past_0" takes bfloat16, and no source feeds it; RankLens can fill float32`,
    );
    expect(messageOf(() => filled([value("state", "float32", 2 ** 20, "batch", 2 ** 20)]))).toContain(
      "at most 268435456 are",
    );
  });
});

describe("a data set with such inputs", () => {
  const tokens = join(folder, "ids.json");
  writeFileSync(tokens, "[[1, 2], [3], [4, 5], [6, 7], [8, 9]]");
  const sound = writeNpy(join(folder, "sound.npy"), "float32", [5, 4], new Array<number>(20).fill(0.5));
  const state = value("state", "float32", 2, 2, 3);

  test("batches have them with the rows that are fed", async () => {
    const inputs = [ids, value("state", "float32", 2, "batch", 3)];
    const batches = cutIntoBatches(await openDataset({ source: tokens }, {}, inputs), inputs, 3);
    expect([...batches.inputs]).toEqual(["input_ids", "state"]);
    expect([0, 1].map((batch) => batches.batch(batch).values.get("state")!.dims)).toEqual([[2, 3, 3], [2, 2, 3]]); // prettier-ignore
    expect(batches.padded).toBe(false);
  });

  test("a state of fixed batch size fixes it for all", async () => {
    const inputs = [value("x", "float32", "n", 4), state];
    const batches = cutIntoBatches(await openDataset({ source: sound }, {}, inputs), inputs, 100);
    expect(batches).toMatchObject({ size: 2, count: 3, padded: true });
    const { values, samples, rows } = batches.batch(2);
    expect({ samples, rows }).toEqual({ samples: 1, rows: 2 });
    expect([values.get("x")!.dims, values.get("state")!.dims]).toEqual([[2, 4], [2, 2, 3]]); // prettier-ignore
  });

  test("an input without a role needs a value or a source", async () => {
    const inputs = [value("x", "float32", "n", 4), value("y", "float32", 1, 2)];
    expect(await rejection(openDataset({ source: { x: sound } }, {}, inputs))).toBe(
      `"source" has no source for "y", and the model has 2 inputs ("x", "y"); name one source for each, or a value: "inputs": {"y": 0}`,
    );
    const dataset = await openDataset({ source: sound }, {}, inputs, { constants: { y: 3 } });
    expect(dataset.filled.tensors(2).get("y")).toEqual({ type: "float32", dims: [1, 2], data: Float32Array.of(3, 3) });
    const other = await openDataset({ source: sound }, {}, inputs, { constants: { y: 4 } });
    expect((await other.sha256()).source).not.toBe((await dataset.sha256()).source);
    expect(await rejection(openDataset({ source: sound }, {}, inputs, { constants: { z: 3 } }))).toBe(
      `"inputs" names "z", but the model's inputs are "x", "y"`,
    );
    const both = openDataset({ source: { x: sound, y: sound } }, {}, inputs, { constants: { y: 3 } });
    expect(await rejection(both)).toBe(`both "source" and "inputs" name "y"; remove one of them`);
  });

  test("one symbol is one size", async () => {
    const inputs = [ids, value("labels_ids", "int64", "batch", "sequence")];
    const short = writeNpy(join(folder, "short.npy"), "int64", [5, 3], new Array<number>(15).fill(1));
    expect(await rejection(openDataset({ source: { input_ids: tokens, labels_ids: short } }, {}, inputs))).toBe(
      `the model's inputs "input_ids" and "labels_ids" share the size "sequence", and the data gives 2 and 3; make them the same`,
    );
  });

  test("the sampling rate of the config is that of the input too", async () => {
    const inputs = [value("x", "float32", "n", 4), value("sr", "int64")];
    const { filled: rate } = await openDataset({ source: sound }, { sampleRate: 8000 }, inputs);
    expect(rate.tensors(1).get("sr")!.data).toEqual(BigInt64Array.of(8000n));
    expect(rate.notes).toEqual([
      'Inputs that no source names are filled: "sr" with 8000 Hz. Other values go under "inputs" in the config.',
    ]);
  });
});
