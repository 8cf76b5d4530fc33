import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { modelReportSchema, type ModelReport } from "../../src/report";
import { openBytes } from "../fixtures/data";
import { answers, cnnLab, expectSuccess, predict, progressLines, sha256, VALIDATION, type CnnLab } from "./lab";
import { modelBytes, value } from "../fixtures/model";
import { cnnSpec, IMAGE, images, METADATA } from "./models";
import { graphFields, modelFields } from "./wireFields";

describe("ranklens compress", () => {
  let lab: CnnLab;
  let before: Record<string, string>;
  beforeEach(async () => {
    lab = await cnnLab();
    before = lab.files();
  });
  afterEach(() => {
    // The original and the data stay as they were, and no temporary file is left.
    expect(lab.files()).toMatchObject(before);
    expect(Object.keys(lab.files()).filter((name) => name.includes("tmp"))).toEqual([]);
    lab.remove();
  });

  const read = (name: string): Buffer => readFileSync(lab.at(name));
  const report = (name: string): ModelReport => modelReportSchema.parse(JSON.parse(read(name).toString()));
  async function succeed(...args: string[]): Promise<{ stdout: string; stderr: string }> {
    const outcome = await lab.run(...args);
    expectSuccess(outcome);
    return outcome;
  }
  /** What the progress names, once each. */
  const stages = (stderr: string): string[] => [...new Set(progressLines(stderr).map((line) => line.replace(/[:(].*/, "").trim()))]; // prettier-ignore
  /** Share of the labels that a written model gets right, by onnxruntime. */
  async function accuracy(name: string): Promise<number> {
    const found = answers(await predict(read(name), VALIDATION, images(VALIDATION, IMAGE, 2)));
    const expected = answers(await predict(read("model.onnx"), VALIDATION, images(VALIDATION, IMAGE, 2)));
    return found.filter((answer, i) => (answer === expected[i]) === (i % 10 !== 9)).length / VALIDATION;
  }

  it("analyses, writes a smaller model that onnxruntime runs, and proves what it says of it", async () => {
    const { stdout, stderr } = await succeed("compress", "model.onnx", "-o", "small.onnx", "-r", "report.json");
    const { compressed, accuracy: measured, layers } = report("report.json");
    const small = read("small.onnx");
    expect(compressed).toMatchObject({
      path: "small.onnx",
      sha256: sha256(small),
      layersDecomposed: layers.filter(({ outcome }) => outcome.kind === "decomposed").length,
      bytes: { before: read("model.onnx").length, after: small.length },
      accuracy: { before: 0.9, after: measured.decomposed },
    });
    expect(small.length).toBeLessThan(read("model.onnx").length);
    expect(await accuracy("small.onnx")).toBe(measured.decomposed);
    expect(stdout).toMatch(/^layer +op +m×d/);
    expect(stdout).toContain(`Written    ${lab.at("small.onnx")} (${compressed!.layersDecomposed} layers decomposed)`);
    expect(stdout).toMatch(/^Accuracy +90\.00% → \d\d\.\d\d%$/m);
    expect(stdout).toMatch(/^Latency +\d+\.\d\d → \d+\.\d\d ms for a batch of 1 \(ratio \d+\.\d\d, median of \d+ paired runs\)$/m); // prettier-ignore
    expect(progressLines(stdout)).toEqual([]);
    expect(stages(stderr)).toEqual(["Running the original", "Reading calibration data", "Searching ranks", "Running the smaller model", "Checking the written file", "Measuring latency"]); // prettier-ignore
  });

  it("writes the same bytes from a report as from the analysis itself, also in another process", async () => {
    await succeed("analyze", "model.onnx", "--report", "report.json");
    const { stderr } = await succeed("compress", "model.onnx", "--output", "a.onnx", "--from", "report.json", "--report", "a.json"); // prettier-ignore
    expect(stages(stderr)).toEqual(["Reading calibration data", "Checking the written file", "Measuring latency"]);
    await succeed("compress", "model.onnx", "--output", "b.onnx", "--config", "model.ranklens.json");
    expect(sha256(read("a.onnx"))).toBe(sha256(read("b.onnx")));
    expect(await accuracy("a.onnx")).toBe(report("report.json").accuracy.decomposed);
    const { compressed, ...rest } = report("a.json");
    expect(rest).toEqual({ ...report("report.json"), compressed: undefined });
    expect(compressed?.accuracy.after).toBe(rest.accuracy.decomposed);
  });

  it("may use a report's ranks that came from energy, and has no accuracy without validation data", async () => {
    lab.json("calibration-only.json", { calibration: { source: "calibration.npy" } });
    await succeed("analyze", "model.onnx", "-c", "calibration-only.json", "--energy", "0.8", "-r", "report.json");
    const { stdout } = await succeed("compress", "model.onnx", "-o", "a.onnx", "--from", "report.json", "-r", "a.json");
    expect(report("a.json").compressed?.accuracy).toEqual({ before: null, after: null });
    expect(stdout).not.toMatch(/Accuracy|NaN|null|undefined/);
  });

  it("keeps names, shapes, versions, metadata, and the bytes of everything that it does not replace", async () => {
    await succeed("compress", "model.onnx", "-o", "small.onnx", "-r", "report.json");
    const [original, small] = [openBytes(read("model.onnx")).model, openBytes(read("small.onnx")).model];
    expect(Object.fromEntries(small.metadata)).toEqual(METADATA);
    for (const key of ["irVersion", "opsets", "producerName", "producerVersion"] as const) {
      expect(small[key]).toEqual(original[key]);
    }
    expect(small.graph.inputs).toEqual(original.graph.inputs);
    expect(small.graph.outputs).toEqual(original.graph.outputs);
    const decomposed = report("report.json").layers.filter(({ outcome }) => outcome.kind === "decomposed");
    expect(decomposed.length).toBeGreaterThan(1);
    const replaced = decomposed.flatMap(({ nodes, initializer }) => [...nodes, initializer]);
    expect(modelFields(read("small.onnx"))).toEqual(modelFields(read("model.onnx")));
    const kept = graphFields(read("model.onnx")).filter(({ name }) => !replaced.includes(name));
    const found = new Set(graphFields(read("small.onnx")).map(({ bytes }) => bytes));
    expect(kept.length).toBeGreaterThan(12);
    expect(kept.filter(({ bytes }) => !found.has(bytes))).toEqual([]);
    // Nothing unused stays behind.
    expect([...small.graph.initializers.keys()].filter((name) => replaced.includes(name))).toEqual([]);
  });

  it("lists new weights among the inputs where the model's version asks for it (IR version 3)", async () => {
    const spec = cnnSpec();
    const listed = spec.initializers.map(({ name, dims }) => value(name, dims));
    lab.write("old.onnx", modelBytes({ ...spec, irVersion: 3, inputs: [...(spec.inputs ?? []), ...listed] }));
    await succeed("compress", "old.onnx", "-o", "small.onnx", "--energy", "0.8");
    const { index } = openBytes(read("small.onnx"));
    const { inputs, initializers } = index.graph;
    expect(inputs.map(({ name }) => name).sort()).toEqual(["images", ...initializers.keys()].sort());
    for (const { name, elementType, shape } of inputs.slice(1)) {
      expect({ elementType, shape }).toEqual({ elementType: "float32", shape: initializers.get(name)!.dims });
    }
    expect(index.dataInputs.map(({ name }) => name)).toEqual(["images"]);
    expect(await accuracy("small.onnx")).toBeGreaterThan(0);
  });

  it("overwrites with --force only, all or nothing", async () => {
    lab.write("small.onnx", "mine");
    lab.write("report.json", "mine too");
    await succeed("compress", "model.onnx", "-o", "small.onnx", "-r", "report.json", "--force", "--energy", "0.8");
    expect(report("report.json").compressed?.sha256).toBe(sha256(read("small.onnx")));
  });

  it("gives a compressed model that can be inspected, analysed and compressed again", async () => {
    await succeed("compress", "model.onnx", "-o", "small.onnx", "--energy", "0.9");
    const { stdout } = await succeed("inspect", "small.onnx");
    expect(stdout).toMatch(/2 nodes/);
    await succeed("analyze", "small.onnx", "-r", "again.json", "--energy", "0.9");
    await succeed("compress", "small.onnx", "-o", "smaller.onnx", "--energy", "0.6");
    expect(read("smaller.onnx").length).toBeLessThan(read("small.onnx").length);
    expect(await accuracy("smaller.onnx")).toBeGreaterThan(0);
  });
});
