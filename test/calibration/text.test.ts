import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/calibration/dataset";
import type { Preprocess } from "../../src/config";
import type { Shape, ValueInfo } from "../../src/onnx/schema";
import { wordPiece, writeTokenizer } from "../fixtures/tokenizer";
import { rejection } from "./messageOf";

const folder = mkdtempSync(join(tmpdir(), "ranklens-text-"));
afterAll(() => rmSync(folder, { recursive: true }));
const models = join(folder, "models");
mkdirSync(models);
writeTokenizer(join(models, "tokenizer.json"));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const whole = (name: string, shape: Shape = ["n", "s"]): ValueInfo => ({ name, elementType: "int64", shape });
const bert = ["input_ids", "attention_mask", "token_type_ids", "position_ids"].map((name) => whole(name));
const open = (source: string, inputs: readonly ValueInfo[] = bert, preprocess: Preprocess = {}) =>
  openDataset({ source }, preprocess, inputs, { modelFolder: models });

/** The rows of an input. */
async function rows(opened: ReturnType<typeof open>, input = "input_ids"): Promise<number[][]> {
  const dataset = await opened;
  const { count, filled } = dataset;
  const { dims, data } = new Map([...dataset.batch(0, count), ...filled.tensors(count)]).get(input)!;
  const [, width] = dims;
  return Array.from({ length: count }, (_, row) => Array.from(data.slice(row * width, (row + 1) * width), Number));
}

const lines = write("lines.txt", "The cat sat\n\n  \nunable cats\r\nthe\n");

describe("text, a sample per line", () => {
  test("becomes ids, mask, types and positions", async () => {
    expect(await rows(open(lines))).toEqual([
      [2, 4, 5, 6, 3, 0],
      [2, 7, 8, 5, 9, 3],
      [2, 4, 3, 0, 0, 0],
    ]);
    expect(await rows(open(lines), "attention_mask")).toEqual([
      [1, 1, 1, 1, 1, 0],
      [1, 1, 1, 1, 1, 1],
      [1, 1, 1, 0, 0, 0],
    ]);
    expect(await rows(open(lines), "token_type_ids")).toEqual(new Array(3).fill([0, 0, 0, 0, 0, 0]));
    expect(await rows(open(lines), "position_ids")).toEqual(new Array(3).fill([0, 1, 2, 3, 4, 5]));
    const { warnings, tokenText } = await open(lines);
    expect(warnings).toEqual([
      `Inputs that no source names are filled: "token_type_ids" with zeros. Other values go under "inputs" in the config.`,
    ]);
    expect([4, 8, 99].map((id) => tokenText!(id))).toEqual(["the", "##able", null]);
  });

  test("much that is filled up is said", async () => {
    const path = write("uneven.txt", "the\nthe cat sat the cat sat the\n");
    expect((await open(path)).warnings[0]).toBe(
      `${path}: 33% of all positions are filled up to 9 tokens, and layers are measured on them too: use samples of similar ` +
        `length, or a smaller preprocess.maxLength.`,
    );
  });

  test("is cut and filled up to the model's length, with its frame", async () => {
    const four = bert.map((input) => ({ ...input, shape: ["n", 4] }));
    expect(await rows(open(lines, four))).toEqual([
      [2, 4, 5, 3],
      [2, 7, 8, 3],
      [2, 4, 3, 0],
    ]);
    expect((await open(lines, four)).warnings[0]).toBe(`${lines}: 2 of 3 samples are cut to 4 tokens.`);
    expect(await rows(open(lines, four, { maxLength: 3 }))).toEqual([
      [2, 4, 3, 0],
      [2, 7, 3, 0],
      [2, 4, 3, 0],
    ]);
    expect(await rejection(open(lines, four, { maxLength: 5 }))).toBe(
      `preprocess.maxLength is 5, and the model's input "input_ids" takes sequences of 4; set it to 4 or less`,
    );
  });

  test("the tokenizer says how long and on which side", async () => {
    const own = wordPiece({
      truncation: { max_length: 4, direction: "Right" },
      padding: { pad_id: 1, direction: "Left" },
    });
    const tokenizer = writeTokenizer(join(folder, "own.json"), own);
    expect(await rows(open(lines, bert, { tokenizer }))).toEqual([
      [2, 4, 5, 3],
      [2, 7, 8, 3],
      [1, 2, 4, 3],
    ]);
    expect((await rows(open(lines, bert, { tokenizer }), "position_ids"))[2]).toEqual([0, 0, 1, 2]);
    const other = await (await open(lines, bert, { tokenizer })).sha256();
    expect(other.source).not.toBe((await (await open(lines)).sha256()).source);
  });

  test("without a tokenizer it is refused, and says where it was looked for", async () => {
    expect(await rejection(openDataset({ source: lines }, {}, bert, { modelFolder: "/models" }))).toBe(
      `${lines} is text, and no tokenizer.json turns it into token ids: there is none in /models nor in ${folder}; put it ` +
        `there, or name it in preprocess.tokenizer`,
    );
    expect(await rejection(open(lines, bert, { tokenizer: join(folder, "none.json") }))).toBe(
      `${join(folder, "none.json")}: no such file, and preprocess.tokenizer names it; correct the path in the config file`,
    );
    const odd = write("odd.json", "{}");
    expect(await rejection(open(lines, bert, { tokenizer: odd }))).toMatch(/odd\.json is not a tokenizer: model: /);
    const unknown = writeTokenizer(join(folder, "unknown.json"), wordPiece({ model: { type: "Alien" } }));
    expect(await rejection(open(lines, bert, { tokenizer: unknown }))).toMatch(
      /unknown\.json cannot be used: .*; save token ids as \.json or \.npy instead$/,
    );
  });

  test("is for whole numbers", async () => {
    const pixels: ValueInfo = { name: "pixels", elementType: "float32", shape: ["n", 3] };
    expect(await rejection(open(lines, [pixels]))).toBe(
      `${lines} is a text file, and the model's input "pixels" takes float32; token ids need an input of int64 or int32`,
    );
    expect(await rejection(open(write("blank.txt", "\n \n")))).toBe(
      `${join(folder, "blank.txt")} has no text: all of its lines are blank`,
    );
  });
});

describe("JSON Lines", () => {
  test("texts in a usual field or a named one, with labels", async () => {
    const plain = write("plain.jsonl", '"the cat"\n"cats"\n');
    expect(await rows(open(plain))).toEqual([
      [2, 4, 5, 3],
      [2, 5, 9, 3],
    ]);
    const fields = write(
      "fields.jsonl",
      '{"label": 1, "sentence": "the cat", "title": "sat"}\n{"label": 0, "sentence": "cat", "title": "the"}\n',
    );
    const dataset = await open(fields);
    expect([...dataset.labels!]).toEqual([1, 0]);
    expect(await rows(open(fields))).toEqual([
      [2, 4, 5, 3],
      [2, 5, 3, 0],
    ]);
    expect(await rows(open(`${fields}#title`))).toEqual([
      [2, 6, 3],
      [2, 4, 3],
    ]);
    const named = await openDataset({ source: plain, labels: `${fields}#label` }, {}, bert, { modelFolder: models });
    expect([...named.labels!]).toEqual([1, 0]);
  });

  test.each([
    ["not JSON", "{\n", ":1: not valid JSON; write a text or an object on every line"],
    ["no text", '{"text": "a"}\n{"text": 3}', ':2: the field "text" is no text; write {"text": "…"} on every line'],
    ["no field", '{"text": "a"}\n\n{}', ':3: the line has no field "text"; every line needs it'],
    [
      "unknown fields",
      '{"body": "a"}',
      ":1: the line has the fields body, and none is called text, content, sentence; name the one with the text",
    ],
    ["a number", "3", ":1: the line has no fields, and none is called text, content, sentence"],
  ])("%s", async (name, content, message) => {
    const path = write("bad.jsonl", content);
    expect(await rejection(open(path)), name).toContain(`${path}${message}`);
  });

  test("labels that are no class numbers are left out, and said", async () => {
    const path = write("words.jsonl", '{"text": "the", "label": "good"}\n{"text": "cat", "label": 1}\n');
    const { labels, warnings } = await open(path);
    expect(labels).toBeNull();
    expect(warnings[0]).toBe(
      `${path}: the field "label" is not used, since labels are class numbers from 0 on every line, and on line 1 it is "good".`,
    );
  });
});

describe("lists of token ids", () => {
  test("of different lengths are filled up, with their mask", async () => {
    const path = write("ids.json", "[[5, 6, 7], [8]]");
    expect(await rows(openDataset({ source: path }, {}, bert))).toEqual([
      [5, 6, 7],
      [8, 0, 0],
    ]);
    expect(await rows(openDataset({ source: path }, {}, bert), "attention_mask")).toEqual([
      [1, 1, 1],
      [1, 0, 0],
    ]);
    expect(await rows(openDataset({ source: path }, {}, [whole("x")]), "x")).toEqual([
      [5, 6, 7],
      [8, 0, 0],
    ]);
    const both = openDataset({ source: { input_ids: path, token_type_ids: path } }, {}, bert);
    expect(await rows(both, "token_type_ids")).toEqual([
      [5, 6, 7],
      [8, 0, 0],
    ]);
  });

  test.each([
    ["{}", " holds no list; write a list with a list of whole numbers for each sample: [[12, 7], [5, 9]]"],
    ["[]", " is empty: it holds no samples"],
    ["[1, 2]", ": sample 0 is no list; write a list"],
    ["[[1], []]", ": sample 1 is empty; leave it out"],
    ["[[1], [2, 1.5]]", ": sample 1 has 1.5 at place 1, and token ids are whole numbers from 0 to 2147483647"],
    ["[[-1]]", ": sample 0 has -1 at place 0"],
    ["[[[1]]]", ": sample 0 has a list at place 0"],
    ["[[1", " is not valid JSON; write a list"],
  ])("%s", async (content, message) => {
    const path = write("bad.json", content);
    expect(await rejection(open(path))).toContain(`${path}${message}`);
  });

  test("settings of other kinds of sources are refused", async () => {
    const path = write("ids.json", "[[5, 6, 7], [8]]");
    expect(await rejection(open(path, bert, { samples: 16 }))).toBe(
      `preprocess.samples is for recordings, and ${path} is a list of token ids; remove it`,
    );
  });
});
