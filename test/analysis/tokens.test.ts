import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { analyze, type AnalyzeOptions } from "../../src/analyze";
import type { ResolvedConfig } from "../../src/config";
import type { ModelReport } from "../../src/report";
import { openData, openSubject } from "../../src/analysis/prepare";
import { scoreOriginal } from "../../src/analysis/scoring";
import { Evaluator } from "../../src/lowrank/evaluator";
import { editedModelBytes } from "../../src/onnx/edit";
import { disturbed } from "../lowrank/evaluated";
import { runModel } from "../fixtures/data";
import { languageModel, sequences, VOCABULARY } from "../fixtures/modelOutputs";

const folder = mkdtempSync(path.join(tmpdir(), "ranklens-tokens-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Lists of tokens, each of one of the lengths, one after the other. */
function lists(samples: number, lengths: readonly number[]): number[][] {
  const tokens = Array.from(sequences(samples), Number);
  let start = 0;
  return Array.from({ length: samples }, (_, i) => {
    const length = lengths[i % lengths.length];
    return tokens.slice(start, (start += length));
  });
}

let written = 0;
function place(
  bytes: Uint8Array,
  calibration: readonly number[][],
  validation: readonly number[][],
): { model: string; config: ResolvedConfig } {
  const at = (name: string, content: string | Uint8Array): string => {
    const file = path.join(folder, `${written++}${name}`);
    writeFileSync(file, content);
    return file;
  };
  const data = (values: readonly number[][]) => ({ source: at("ids.json", JSON.stringify(values)) });
  const config = { tolerance: 2, calibration: data(calibration), validation: data(validation) };
  return { model: at("model.onnx", bytes), config };
}

async function reportOf(
  bytes: Uint8Array,
  calibration: readonly number[][],
  validation: readonly number[][],
  more: Partial<AnalyzeOptions> = {},
): Promise<ModelReport> {
  const { model, config } = place(bytes, calibration, validation);
  return analyze(model, { config, ...more });
}

/** Scores of one sample, without any padding: [positions, vocabulary]. */
async function scoresOf(bytes: Uint8Array, sample: readonly number[]): Promise<Float32Array> {
  const dims = [1, sample.length];
  const input_ids = { type: "int64" as const, dims, data: BigInt64Array.from(sample, BigInt) };
  return (await runModel(bytes, { input_ids })).get("logits")!.data as Float32Array;
}

/** Share of next tokens that are right, and the perplexity, sample by sample without any padding. */
async function byHand(
  bytes: Uint8Array,
  samples: readonly number[][],
): Promise<{ answers: number; right: number; perplexity: number }> {
  let [answers, right, surprise] = [0, 0, 0];
  for (const sample of samples) {
    const scores = await scoresOf(bytes, sample);
    for (let i = 0; i + 1 < sample.length; i++) {
      const of = [...scores.subarray(i * VOCABULARY, (i + 1) * VOCABULARY)];
      const next = sample[i + 1];
      answers++;
      right += Number(of.indexOf(Math.max(...of)) === next);
      surprise += Math.log(of.reduce((sum, one) => sum + Math.exp(one), 0)) - of[next];
    }
  }
  return { answers, right: right / answers, perplexity: Math.exp(surprise / answers) };
}

async function expectByHand({ accuracy }: ModelReport, bytes: Uint8Array, samples: readonly number[][]): Promise<void> {
  const { answers, right, perplexity } = await byHand(bytes, samples);
  expect(accuracy).toMatchObject({ metric: "next-token", answers });
  expect(accuracy.original).toBeCloseTo(right, 10);
  expect(accuracy.perplexity!.original).toBeCloseTo(perplexity, 4);
}

describe("tokens of a length that is free", () => {
  const bytes = languageModel(true, { free: true });

  it.each([
    ["longer", 6, 9],
    ["shorter", 9, 6],
  ])("are scored where the validation data is %s than the calibration data", async (_, ofCalibration, own) => {
    const validation = lists(20, [own]);
    const report = await reportOf(bytes, lists(20, [ofCalibration]), validation);
    expect(report.accuracy.output!.shape).toEqual(["N", own, VOCABULARY]);
    await expectByHand(report, bytes, validation);
  });

  it("count where they were not filled up, which a model needs no mask for", async () => {
    const validation = lists(30, [9, 4, 7, 2]);
    await expectByHand(await reportOf(bytes, lists(20, [9, 3]), validation), bytes, validation);
    const named = await reportOf(bytes, lists(20, [9]), validation, { metric: "position-agreement" });
    expect(named.accuracy.answers).toBe(validation.flat().length);
  });
});

describe("whether a position sees the tokens behind it", () => {
  const bytes = languageModel(true, { free: true });

  it("is tried on the first sample with two tokens", async () => {
    const validation = lists(20, [1, 1, 9, 4]);
    await expectByHand(await reportOf(bytes, lists(20, [9]), validation), bytes, validation);
  });

  it("is not known where no sample has two, which is said", async () => {
    const { accuracy } = await reportOf(languageModel(true), lists(20, [9]), lists(20, [1]));
    expect(accuracy).toMatchObject({ metric: "position-agreement", answers: 20, original: 1 });
    expect(accuracy.output!.why).toMatch(/no sample has two tokens/);
  });
});

describe("the error of an output with a value for each position", () => {
  it("is of the positions that were not filled up, in full and where batches are scored one by one", async () => {
    const bytes = languageModel(true, { free: true });
    const validation = lists(30, [9, 4, 7, 2]);
    const { model, config } = place(bytes, lists(20, [9, 3]), validation);
    const subject = openSubject(model);
    try {
      // As of a large network, which is run in batches of a few samples.
      const opened = await openData(subject, { ...config, metric: "output-error" });
      const scoring = (await scoreOriginal(
        subject,
        { ...opened, macsPerSample: 2 ** 40 },
        undefined,
        () => undefined,
      ))!;
      const [layer] = subject.layers;
      const noisy = disturbed(subject, layer, 1);
      const edited = editedModelBytes(subject.model, {
        addInitializers: [{ name: layer.weightName, dims: layer.weight.dims, data: noisy }],
      });
      let [error, norm] = [0, 0];
      const sums = new Float64Array(9 * VOCABULARY);
      const counts = new Float64Array(9 * VOCABULARY);
      for (const sample of validation) {
        const [a, b] = [await scoresOf(bytes, sample), await scoresOf(edited, sample)];
        a.forEach((value, i) => {
          error += (value - b[i]) ** 2;
          norm += value ** 2;
          sums[i] += value;
          counts[i]++;
        });
      }
      const whole = await scoring.measure({ model: edited, what: "whole", folder: null }, () => undefined);
      expect(whole.value).toBeCloseTo(error / norm, 6);
      const ofMean = sums.reduce((total, sum, i) => total + sum ** 2 / counts[i], 0);
      expect(scoring.errorOfMean).toBeCloseTo(1 - ofMean / norm, 6);
      const evaluator = new Evaluator({ ...scoring.evaluator("exact"), cacheBytes: 2 ** 20, onWork: () => undefined });
      await evaluator.start(layer);
      expect(await evaluator.result(noisy)).toBeCloseTo(error / norm, 6);
      await evaluator.close();
    } finally {
      subject.model.close();
    }
  });
});
