import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openData, openSubject } from "../../src/analysis/prepare";
import { scoreOriginal, type Scoring } from "../../src/analysis/scoring";
import type { ResolvedConfig } from "../../src/config";
import { floats, weight } from "../fixtures/data";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { writeNpy } from "../fixtures/npy";
import { writeWav } from "../fixtures/wav";

const folder = mkdtempSync(path.join(tmpdir(), "ranklens-classes-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);

const SAMPLES = 20;

/** x [n, …sample] → one row per sample → two layers → [n, outputs]. */
function network(sample: readonly number[], outputs: number): string {
  const width = sample.reduce((product, dim) => product * dim, 1);
  const bytes = modelBytes({
    nodes: [
      node("Flatten", ["x"], "f"),
      node("MatMul", ["f", "w"], "a"),
      node("Relu", ["a"], "r"),
      node("MatMul", ["r", "v"], "y"),
    ],
    initializers: [weight("w", [width, 10], 31), weight("v", [10, outputs], 32)],
    inputs: [value("x", ["n", ...sample])],
    outputs: [untyped("y")],
  });
  writeFileSync(at("model.onnx"), bytes);
  return at("model.onnx");
}

function arrays(sample: readonly number[]): string {
  const shape = [SAMPLES, ...sample];
  const size = shape.reduce((product, dim) => product * dim, 1);
  return writeNpy(at("x.npy"), "float32", shape, floats(size, 3));
}

async function scored(model: string, source: string, more: Partial<ResolvedConfig> = {}): Promise<Scoring> {
  const subject = openSubject(model);
  try {
    const data = await openData(subject, { tolerance: 2, calibration: { source }, validation: { source }, ...more });
    return (await scoreOriginal(subject, data, undefined, () => undefined))!;
  } finally {
    subject.model.close();
  }
}

describe("one value for each of some things, without labels", () => {
  it.each([
    ["a table", [12], 12],
    ["a sequence", [3, 6], 6],
  ])("is no score of classes where %s comes back as large as it went in", async (_, sample, outputs) => {
    const { metric, output } = await scored(network(sample, outputs), arrays(sample));
    expect(metric).toBe("output-error");
    expect(output.why).toBe(
      `it has ${outputs} values for each sample, as many as the input "x", and there are no labels: not scores`,
    );
  });

  it.each([
    ["other sizes", [12], 7],
    ["images", [1, 4, 5], 5],
  ])("is one of classes: %s", async (_, sample, outputs) => {
    expect((await scored(network(sample, outputs), arrays(sample))).metric).toBe("agreement");
  });

  it("is one of classes where that is asked for, and where there are labels", async () => {
    const [model, source] = [network([12], 12), arrays([12])];
    expect((await scored(model, source, { metric: "agreement" })).metric).toBe("agreement");
    const labels = writeNpy(
      at("labels.npy"),
      "int64",
      [SAMPLES],
      Array.from({ length: SAMPLES }, (_, i) => BigInt(i % 12)),
    );
    expect((await scored(model, source, { validation: { source, labels } })).metric).toBe("top-1");
  });

  it("is no score of classes where the source is sound", async () => {
    const wav = writeWav(at("x.wav"), floats(16 * SAMPLES, 5, 0.1), { rate: 8000 });
    const preprocess = { sampleRate: 8000, samples: 16 };
    const { metric, output } = await scored(network([16], 5), wav, { preprocess });
    expect(metric).toBe("output-error");
    expect(output.why).toBe('there are no labels, and "x" is sound: values, not scores');
  });
});
