import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { proposeConfig } from "../../src/propose";
import { modelBytes, node, value } from "../fixtures/model";
import { writeTokenizer } from "../fixtures/tokenizer";
import { writeWav } from "../fixtures/wav";
import { about, newDataFolder } from "./dataFolder";

const { at, modelOf, propose, remove } = newDataFolder();
afterAll(remove);

/** A model with inputs of whole numbers. */
function tokenModel(...names: string[]): string {
  const file = at(`${names.join("-")}.onnx`);
  const inputs = names.map((name) => value(name, ["n", "s"], "int64"));
  writeFileSync(
    file,
    modelBytes({ nodes: [node("Sum", names, "y")], inputs, outputs: [value("y", ["n", "s"], "int64")] }),
  );
  return file;
}
const bert = tokenModel("input_ids", "attention_mask", "token_type_ids");

describe("text and token ids", () => {
  test("of a folder, in which files of the tokenizer are no samples", async () => {
    mkdirSync(at("texts"));
    writeTokenizer(at("texts/tokenizer.json"));
    writeFileSync(at("texts/README.txt"), "what it is\n");
    writeFileSync(at("texts/train.jsonl"), '{"text": "the cat", "label": 1}\n'.repeat(3));
    writeFileSync(at("texts/val.txt"), "the cat\ncat sat\n");
    const proposal = await propose(bert, "texts");
    expect(proposal.config).toEqual({
      calibration: { source: "texts/train.jsonl" },
      validation: { source: "texts/val.txt" },
      tolerance: 0.1,
    });
    expect(about(proposal, "calibration")).toBe("train.jsonl: JSON Lines file, 3 samples; by its name");
    expect(about(proposal, "tokens")).toContain("by the tokenizer.json beside the model or the text");
    expect(about(proposal, "not used")).toBe("");
  });

  test("lists of ids, and an attention mask where there is one", async () => {
    writeFileSync(at("tokens.json"), "[[1, 2], [3, 4]]");
    expect((await propose(bert, "tokens.json")).config.calibration).toEqual({ source: "tokens.json" });
    mkdirSync(at("both"));
    writeFileSync(at("both/input_ids.json"), "[[1, 2], [3, 4]]");
    writeFileSync(at("both/attention_mask.json"), "[[1, 1], [1, 0]]");
    expect((await propose(bert, "both")).config.calibration).toEqual({
      source: { input_ids: "both/input_ids.json", attention_mask: "both/attention_mask.json" },
    });
  });
});

describe("tables", () => {
  const features = modelOf({ features: ["n", 2] });

  test("a column called like labels is taken for them", async () => {
    writeFileSync(at("train.csv"), "a,Target,b\n0.5,1,-3\n0.25,0,7\n");
    const { config, ...proposal } = await propose(features, "train.csv");
    expect(config).toMatchObject({ calibration: { source: "train.csv", labels: "train.csv#Target" } });
    expect(about(proposal, "labels")).toBe("train.csv#Target (class numbers up to 1)");
  });

  test("rows of pixels take the shape of images, and the usual range", async () => {
    const image = modelOf({ image: ["n", 1, 2, 2] });
    writeFileSync(at("pixels.csv"), "label,p0,p1,p2,p3\n3,0,255,17,4\n1,9,8,7,6\n");
    const { config } = await propose(image, "pixels.csv");
    expect(config).toMatchObject({ calibration: { source: "pixels.csv", labels: "pixels.csv#label" } });
    expect(config.preprocess).toMatchObject({ scale: 1 / 255 });
  });
});

describe("recordings", () => {
  test("a folder is one source, cut into windows", async () => {
    mkdirSync(at("speech"));
    for (const name of ["a.wav", "b.wav"]) writeWav(at("speech", name), new Float32Array(100), { rate: 8000 });
    const { config, ...proposal } = await propose(modelOf({ sound: ["n", "t"] }), "speech");
    expect(config).toMatchObject({
      calibration: { source: "speech", limit: 2000 },
      preprocess: { sampleRate: 16000, samples: 16000 },
    });
    expect(about(proposal, "calibration")).toContain("speech: folder of recordings, 2 recordings");
    expect(about(proposal, "sound")).toContain("resampled to 16000 Hz");
    const fixed = await propose(modelOf({ sound: ["n", 1, 64] }), "speech");
    expect(fixed.config.preprocess).toEqual({ sampleRate: 16000 });
    expect(about(fixed, "windows")).toBe('64 samples, as the input "sound" takes');
    const streamed = await propose(modelOf({ sound: ["n", "t"], state: [2, "n", 4] }), "speech");
    expect(streamed.config.preprocess).toEqual({ sampleRate: 16000, samples: 512 });
  });
});

test("an input with an output of its shape, for which there is no data, is taken for a state", async () => {
  const file = at("recurrent.onnx");
  const bytes = modelBytes({
    nodes: [node("Identity", ["x"], "y"), node("Identity", ["carried"], "next")],
    inputs: [value("x", [1, 3]), value("carried", [1, 2, 5])],
    outputs: [value("y", [1, 3]), value("next", [1, 2, 5])],
  });
  writeFileSync(file, bytes);
  writeFileSync(at("x.csv"), "1,2,3\n");
  const proposal = await proposeConfig({ model: file, data: [at("x.csv")] });
  expect(proposal.config).toMatchObject({ calibration: { source: at("x.csv") }, inputs: { carried: 0 } });
  expect(about(proposal, "other inputs")).toBe(
    '"carried" with zeros: the model has an output of the same shape, so it is taken for a state',
  );
});
