import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import type { Config } from "../../src/config";
import { modelReportSchema } from "../../src/report";
import { expectSuccess, newLab } from "../cli/lab";
import { said } from "../cli/initialised";
import { writeNpy } from "../fixtures/npy";
import { writeTokenizer } from "../fixtures/tokenizer";
import { writeWav } from "../fixtures/wav";

const zoo = fileURLToPath(new URL("../../../shared/zoo", import.meta.url));
if (!existsSync(zoo)) console.warn(`NOT TESTED: data for real models, as there is no folder ${zoo}.`);

describe.skipIf(!existsSync(zoo))("data for real models", () => {
  const lab = newLab();
  afterAll(() => lab.remove());
  const model = (name: string): string => path.join(zoo, name);

  /** Vocabulary of the toys of BERT and GPT-2. */
  const TOKENS = 20;
  const sequences = Array.from({ length: 40 }, (_, row) =>
    Array.from({ length: 3 + (row % 9) }, (__, at) => (7 * row + 3 * at) % TOKENS),
  );
  const tone = Float32Array.from({ length: 44_100 }, (_, i) => Math.sin(i * (0.02 + 4e-7 * i)) / 2);
  writeFileSync(lab.at("ids.json"), JSON.stringify(sequences));
  writeFileSync(lab.at("single.json"), JSON.stringify(sequences.map(([first]) => [first])));
  writeFileSync(lab.at("text.txt"), "the cat sat\nunable cats\n".repeat(20));
  writeTokenizer(lab.at("tokenizer.json"));
  writeWav(lab.at("tone.wav"), tone, { rate: 44_100 });
  writeNpy(lab.at("spectra.npy"), "float32", [40, 1, 257], tone.subarray(0, 40 * 257).map(Math.abs));
  writeFileSync(lab.at("pixels.csv"), Array.from({ length: 20 }, (_, row) => [row % 10, ...Array.from({ length: 784 }, (__, at) => (row * at) % 256)].join(",")).join("\n")); // prettier-ignore

  /** What init proposes for the data, and what analyze says with it. */
  async function initialised(
    name: string,
    data: string,
  ): Promise<{ config: Config; preview: string; warnings: string[] }> {
    const target = lab.at(`${path.basename(name, ".onnx")}-${data}.json`);
    const init = await lab.run("init", model(name), data, "--config", target);
    expectSuccess(init);
    const report = await analysed(name, target);
    return {
      config: JSON.parse(readFileSync(target, "utf8")) as Config,
      preview: said(init, "first sample"),
      ...report,
    };
  }

  async function analysed(name: string, config: string): Promise<{ warnings: string[] }> {
    const options = ["--energy", "0.99", "--no-cache", "--device", "cpu", "--report", "report.json", "--force"];
    expectSuccess(await lab.run("analyze", model(name), "--config", config, ...options));
    const { layers, warnings } = modelReportSchema.parse(JSON.parse(readFileSync(lab.at("report.json"), "utf8")));
    expect(layers.length).toBeGreaterThan(0);
    return { warnings };
  }

  it("token ids for a language model", async () => {
    const target = lab.at("llama.json");
    writeFileSync(target, JSON.stringify({ calibration: { source: model("aidreams_sampled_ids_16x128.json") } }));
    const { warnings } = await analysed("llama-aidreams260K-derived.onnx", target);
    expect(warnings).toEqual([]);
  });

  it.each([["ids.json"], ["text.txt"]])("%s for BERT", async (data) => {
    const { config, preview, warnings } = await initialised("bert-toy-optimized.onnx", data);
    expect(config.calibration).toEqual({ source: data });
    expect(preview).toMatch(data === "ids.json" ? /^"input_ids" \[N,11\]: 0 3 6 \(\[PAD\] \[SEP\] sat\), 3 of 11 are tokens$/ : /\(\[CLS\] the cat sat \[SEP\]\), 5 of 6 are tokens$/); // prettier-ignore
    expect(warnings.join()).toContain(`"token_type_ids" with zeros`);
  });

  it("token ids for BERT of fixed length", async () => {
    const { warnings } = await initialised("bert-squad-tf21-toy.onnx", "ids.json");
    expect(warnings.join()).toContain("samples are cut to 7 tokens");
  });

  it("token ids for GPT-2 with a past", async () => {
    const { warnings } = await initialised("gpt2-past-toy.onnx", "single.json");
    expect(warnings.join()).toContain(`"past_0", "past_1", "past_2" and 9 more with zeros (no past)`);
  });

  it("a recording for voice detection with a state and a sampling rate", async () => {
    const { config, warnings } = await initialised("silero-vad-16k-op15.onnx", "tone.wav");
    expect(config.preprocess).toEqual({ sampleRate: 16000, samples: 512 });
    expect(warnings.join()).toContain(`"state" with zeros (an initial state); "sr" with 16000 Hz.`);
  });

  it("spectra for a recurrent network that hands on its state", async () => {
    const { config } = await initialised("dtln-1.onnx", "spectra.npy");
    expect(config.inputs).toEqual({ input_3: 0 });
  });

  it("a table of pixels for MNIST, its labels named by hand", async () => {
    writeFileSync(
      lab.at("mnist.json"),
      JSON.stringify({ calibration: { source: "pixels.csv", labels: "pixels.csv#0" } }),
    );
    await analysed("mnist-8.onnx", lab.at("mnist.json"));
  });
});
