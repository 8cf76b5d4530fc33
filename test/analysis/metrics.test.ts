import { afterEach, describe, expect, it } from "vitest";
import { openData, openSubject, type Subject } from "../../src/analysis/prepare";
import { scoreOriginal, type Scoring } from "../../src/analysis/scoring";
import { analyze, type AnalyzeOptions } from "../../src/analyze";
import { compress } from "../../src/compress";
import { Evaluator } from "../../src/lowrank/evaluator";
import { editedModelBytes } from "../../src/onnx/edit";
import { modelReportSchema, type ModelReport } from "../../src/report";
import { floats, runModel } from "../fixtures/data";
import { FEATURES } from "../fixtures/modelNetworks";
import { languageModel, POSITIONS, sequences, valueModel, VOCABULARY, type Values } from "../fixtures/modelOutputs";
import { disturbed } from "../lowrank/evaluated";
import { attention, place, SAMPLES, type Place } from "./measured";

const places: Place[] = [];
afterEach(() => places.splice(0).forEach(({ remove }) => remove()));

function at(bytes: Uint8Array, data: Parameters<typeof place>[1]): Place {
  const here = place(bytes, data);
  places.push(here);
  return here;
}

async function reportOf(
  bytes: Uint8Array,
  data: Parameters<typeof place>[1],
  more: Partial<AnalyzeOptions> = {},
): Promise<ModelReport> {
  const { model, config } = at(bytes, data);
  const report = await analyze(model, { config, ...more });
  expect(modelReportSchema.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
  return report;
}

/** Logits of all sequences at once. */
async function logits(bytes: Uint8Array, masked = false): Promise<Float32Array> {
  const dims = [SAMPLES, POSITIONS];
  const input_ids = { type: "int64" as const, dims, data: sequences(SAMPLES) };
  const attention_mask = { type: "int64" as const, dims, data: attention() };
  const feeds = masked ? { input_ids, attention_mask } : { input_ids };
  return (await runModel(bytes, feeds)).get("logits")!.data as Float32Array;
}

/** Positions that are followed by a token, with what follows and the scores. */
function* asked(scores: Float32Array, masked: boolean): Generator<{ next: number; scores: number[] }> {
  const [ids, mask] = [sequences(SAMPLES), attention()];
  for (let i = 0; i < ids.length; i++) {
    if (i % POSITIONS === POSITIONS - 1 || (masked && (mask[i] === 0n || mask[i + 1] === 0n))) continue;
    yield { next: Number(ids[i + 1]), scores: [...scores.subarray(i * VOCABULARY, (i + 1) * VOCABULARY)] };
  }
}

describe("a language model", () => {
  it.each([false, true])("is measured by the next token, with its perplexity (mask: %s)", async (masked) => {
    const bytes = languageModel(true, { masked });
    const { accuracy } = await reportOf(bytes, masked ? "masked tokens" : "tokens");
    const all = [...asked(await logits(bytes, masked), masked)];
    const right = all.filter(({ next, scores }) => scores.indexOf(Math.max(...scores)) === next).length;
    const surprise = all.map(({ next, scores }) => {
      const likelihoods = scores.map((score) => Math.exp(score));
      return -Math.log(likelihoods[next] / likelihoods.reduce((sum, one) => sum + one, 0));
    });
    expect(accuracy).toMatchObject({ metric: "next-token", samples: SAMPLES, answers: all.length });
    expect(accuracy.output).toMatchObject({ name: "logits", shape: ["N", POSITIONS, VOCABULARY] });
    expect(accuracy.output!.why).toMatch(/no position sees the tokens behind it/);
    expect(accuracy.original).toBe(right / all.length);
    expect(accuracy.original).toBeGreaterThan(0.5);
    const perplexity = Math.exp(surprise.reduce((sum, one) => sum + one, 0) / all.length);
    expect(accuracy.perplexity!.original).toBeCloseTo(perplexity, 4);
    expect(accuracy.perplexity!.decomposed).toBeGreaterThan(1);
  });

  it("that sees what comes behind is measured by its own predictions, as is one that knows nothing", async () => {
    const both = (await reportOf(languageModel(false), "tokens")).accuracy;
    expect(both).toMatchObject({ metric: "position-agreement", original: 1, answers: SAMPLES * POSITIONS });
    expect(both.output!.why).toMatch(/positions see the tokens behind them/);
    expect(both.perplexity).toBeNull();
    const ignorant = (await reportOf(languageModel(true, { knows: -1 }), "tokens")).accuracy;
    expect(ignorant.metric).toBe("position-agreement");
    expect(ignorant.output!.why).toMatch(/its next token is right in \d+\.\d%, no more than one token everywhere/);
    const padded = (await reportOf(languageModel(false, { masked: true }), "masked tokens")).accuracy;
    expect(padded).toMatchObject({ metric: "position-agreement", original: 1 });
    expect(padded.answers).toBe([...attention()].filter((one) => one === 1n).length);
  });

  it("can be measured otherwise by name", async () => {
    const error = (await reportOf(languageModel(true), "tokens", { metric: "output-error" })).accuracy;
    expect(error).toMatchObject({ metric: "output-error", original: 0, answers: null });
    expect(error.output!.why).toBe("it was asked for");
    await expect(reportOf(languageModel(true), "tokens", { metric: "top-1" })).rejects.toThrow(
      /the metric "top-1" is not for the output "logits": it does not have one score per class/,
    );
    await expect(reportOf(languageModel(true), "tokens", { outputName: "scores" })).rejects.toThrow(
      /no floating-point output "scores" to measure; its outputs are "logits" \[1, 9, 12\] float32/,
    );
  });
});

describe("values that are no scores", () => {
  it.each<[Values, (number | "N")[]]>([
    ["one", ["N", 1]],
    ["several", ["N", 2, 3]],
    ["sigmoid", ["N", 6]],
    ["time first", [6, 1]],
    ["sequence", [6, 1]],
    ["varying", [2, expect.any(Number)]],
  ])("%s: the relative error of the output", async (values, shape) => {
    const report = await reportOf(valueModel(values), "features", { baseline: "previous" });
    const { metric, output, original, projected, decomposed } = report.accuracy;
    expect([metric, original, output!.shape]).toEqual(["output-error", 0, shape]);
    expect(projected).toBeGreaterThanOrEqual(0);
    expect(decomposed).toBeGreaterThanOrEqual(0);
    for (const { search, fragility } of report.layers) {
      expect(fragility).toBeNull();
      for (const [, error, passed] of search!.S) if (error !== null) expect(passed).toBe(error <= 0.02);
    }
  });

  it("of which there are none but zeros are refused", async () => {
    await expect(reportOf(valueModel("zeros"), "features")).rejects.toThrow(/only zeros in its output "y"/);
  });

  it("are written by compress in the same metric, from the report as well", async () => {
    const { model, config } = at(valueModel("several"), "features");
    const output = `${model}.small.onnx`;
    const written = await compress(model, { config: { ...config, tolerance: 40 }, output });
    expect(written.compressed!.accuracy.before).toBe(0);
    expect(written.compressed!.accuracy.after).toBe(written.accuracy.decomposed);
    expect(written.accuracy.decomposed).toBeGreaterThan(0);
  });

  it("are searched exactly where the fast search was asked for, which is said", async () => {
    const { settings, warnings } = await reportOf(valueModel("several"), "features", { search: "fast" });
    expect(settings.search).toBe("exact");
    expect(warnings.join("\n")).toMatch(/The fast search is made for one answer to each sample/);
  });
});

/** ‖Y − Y′‖²/‖Y‖² of the samples one by one, or of all at once. */
async function plainError(before: Uint8Array, after: Uint8Array, size: number): Promise<number> {
  const data = floats(SAMPLES * FEATURES, 3);
  let [error, norm] = [0, 0];
  for (let start = 0; start < SAMPLES; start += size) {
    const rows = Array.from({ length: size }, (_, i) => Math.min(start + i, SAMPLES - 1));
    const x = Float32Array.from(rows.flatMap((row) => [...data.subarray(row * FEATURES, (row + 1) * FEATURES)]));
    const feeds = { x: { type: "float32" as const, dims: [size, FEATURES], data: x } };
    const [a, b] = [await runModel(before, feeds), await runModel(after, feeds)].map((one) => one.get("y")!);
    const count = (a.data.length / size) * Math.min(size, SAMPLES - start);
    for (let i = 0; i < count; i++) {
      error += (Number(a.data[i]) - Number(b.data[i])) ** 2;
      norm += Number(a.data[i]) ** 2;
    }
  }
  return error / norm;
}

async function opened(
  { model, config }: Place,
  work: (subject: Subject, scoring: Scoring) => Promise<void>,
): Promise<void> {
  const subject = openSubject(model);
  try {
    // As of a large network, which is run in batches of a few samples.
    const data = { ...(await openData(subject, config)), macsPerSample: 2 ** 40 };
    await work(subject, (await scoreOriginal(subject, data, undefined, () => undefined))!);
  } finally {
    subject.model.close();
  }
}

describe("an evaluation that stops early", () => {
  const cases: [string, Uint8Array, Parameters<typeof place>[1], number][] = [
    ["next tokens", languageModel(true, { masked: true }), "masked tokens", 0],
    ["agreement at each token", languageModel(false, { masked: true }), "masked tokens", 0],
    ["an error", valueModel("several"), "features", 1],
    ["an error in fixed batches", valueModel("several", 8), "features", 8],
    ["an error of a shared axis", valueModel("time first"), "features", SAMPLES],
  ];
  it.each(cases)("has the verdict of a full one: %s", async (_, bytes, data, plainSize) => {
    await opened(at(bytes, data), async (subject, scoring) => {
      const evaluator = new Evaluator({
        ...scoring.evaluator("exact"),
        cacheBytes: 3000,
        onWork: () => undefined,
      });
      const { model, layers } = subject;
      const verdicts = new Set<string>();
      for (const layer of layers) {
        await evaluator.start(layer);
        for (const seed of [1, 2, 3, 4]) {
          const noisy = disturbed(subject, layer, seed);
          const result = await evaluator.result(noisy);
          const edited = editedModelBytes(model, {
            addInitializers: [{ name: layer.weightName, dims: layer.weight.dims, data: noisy }],
          });
          const whole = await scoring.measure({ model: edited, what: "whole", folder: null }, () => undefined);
          expect(result / (scoring.answers ?? 1)).toBeCloseTo(whole.value!, 6);
          if (plainSize > 0) expect(whole.value).toBeCloseTo(await plainError(bytes, edited, plainSize), 6);
          for (const tolerance of [0, 1, 5, 20, 50, 100 * result, 200]) {
            const { original, limit, passes } = scoring.criterion(tolerance);
            const judged = await evaluator.judge(noisy, limit(original));
            expect(judged.passed).toBe(passes(result, limit(original)));
            if (judged.result !== null) {
              expect(judged.result).toBe(result);
            } else if (judged.estimate !== undefined) {
              expect(passes(judged.estimate, limit(original))).toBe(judged.passed);
            }
            verdicts.add(`${judged.passed ? "passed" : "failed"}, ${judged.result === null ? "early" : "all run"}`);
          }
        }
      }
      await evaluator.close();
      const shared = plainSize === SAMPLES;
      for (const verdict of ["passed", "failed"]) {
        const early = verdicts.has(`${verdict}, early`);
        expect(early || verdicts.has(`${verdict}, all run`), verdict).toBe(true);
        // Errors only grow: what fails is known early, what passes never.
        if (verdict === "failed" && !shared) expect(early).toBe(true);
        if (plainSize > 0 && verdict === "passed") expect(early).toBe(false);
      }
    });
  });
});
