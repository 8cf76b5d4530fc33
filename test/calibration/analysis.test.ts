import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { analyze } from "../../src/analyze";
import { compress } from "../../src/compress";
import type { Config } from "../../src/config";
import { modelReportSchema } from "../../src/report";
import { readReport, writeReport } from "../../src/reportFile";
import { floats, runModel, uniform, weight } from "../fixtures/data";
import { answers } from "../fixtures/dataFiles";
import { modelBytes, node, value } from "../fixtures/model";
import { CLASSES, cnn } from "../fixtures/modelNetworks";
import { writeNpy } from "../fixtures/npy";
import { rejection } from "./messageOf";

const folder = mkdtempSync(path.join(tmpdir(), "ranklens-data-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]): string => path.join(folder, ...names);

describe("an analysis on class folders of images", () => {
  const model = at("cnn.onnx");
  const preprocess = { resize: 9, crop: 8, scale: 1 / 255, mean: [0.4, 0.5, 0.6], std: 0.25 };
  beforeAll(async () => {
    writeFileSync(model, cnn());
    const next = uniform(1);
    for (const set of ["train", "val"]) {
      for (let label = 0; label < CLASSES; label++) {
        mkdirSync(at(set, `class ${label}`), { recursive: true });
        for (let i = 0; i < 6; i++) {
          const raw = { width: 12 + label, height: 10 + i, channels: 3 } as const;
          const pixels = Uint8Array.from({ length: raw.width * raw.height * 3 }, () => 256 * next());
          await sharp(pixels, { raw }).toFile(at(set, `class ${label}`, `${i}.png`));
        }
      }
    }
  });
  const config: Config = {
    calibration: { source: at("train"), limit: 20 },
    validation: { source: at("val") },
    preprocess,
  };

  test("uses the folders as labels, and can be compressed from its report", async () => {
    const report = await analyze(model, { config, energy: 0.7 });
    expect(modelReportSchema.parse(report)).toEqual(report);
    expect(report.accuracy).toMatchObject({ metric: "top-1", samples: 30 });
    expect(report.warnings.filter((text) => text.includes("the same"))).toEqual([]);
    writeReport(report, at("report.json"), { force: false });
    expect(readReport(at("report.json")).settings).toEqual(report.settings);
    const compressed = await compress(model, { from: at("report.json"), output: at("small.onnx") });
    expect(compressed.compressed!.accuracy.after).toBe(report.accuracy.decomposed);
    await sharp({ create: { width: 12, height: 12, channels: 3, background: "red" } }).toFile(
      at("val", "class 0", "9.png"),
    );
    expect(await rejection(compress(model, { from: at("report.json"), output: at("other.onnx") }))).toMatch(
      /val has changed since .*report\.json was made/,
    );
    rmSync(at("val", "class 0", "9.png"));
  });

  test("warns where calibration and validation data are the same, by path or by bytes", async () => {
    cpSync(at("val"), at("copy"), { recursive: true });
    for (const source of [at("val"), at("copy")]) {
      const report = await analyze(model, { config: { ...config, calibration: { source } }, energy: 0.5 });
      expect(report.warnings[0]).toMatch(/^Calibration and validation data are the same: /);
    }
  });

  test("refuses other class folders than the model has classes, or than the calibration data has", async () => {
    cpSync(at("val"), at("four"), { recursive: true });
    rmSync(at("four", "class 3"), { recursive: true });
    const run = (calibration: string, more: object = {}) =>
      analyze(model, {
        config: { ...config, calibration: { source: calibration }, validation: { source: at("four"), ...more } },
      });
    expect(await rejection(run(at("train")))).toContain(`only ${at("train")} has "class 3"`);
    expect(await rejection(run(at("four")))).toMatch(/four has 4 class folders, and the model has 5 classes; number/);
    const classes = { "class 0": 0, "class 1": 1, "class 2": 2, "class 4": 4 };
    const report = await analyze(model, {
      config: { ...config, validation: { source: at("four"), classes } },
      energy: 0.5,
    });
    expect(report.settings.validation).toMatchObject({ source: at("four"), classes });
  });
});

test("an analysis of a model with two inputs", async () => {
  const bytes = modelBytes({
    nodes: [
      node("Gemm", ["x", "a"], "xa"),
      node("Relu", ["xa"], "xr"),
      node("Gemm", ["z", "b"], "zb"),
      node("Add", ["xr", "zb"], "sum"),
      node("Gemm", ["sum", "c"], "h"),
      node("Gemm", ["h", "d"], "y"),
    ],
    initializers: [
      weight("a", [6, 8], 1),
      weight("b", [4, 8], 2),
      weight("c", [8, 8], 3),
      weight("d", [8, CLASSES], 4),
    ],
    inputs: [value("x", ["n", 6]), value("z", ["n", 4])],
    outputs: [value("y", ["n", CLASSES])],
  });
  const model = at("two.onnx");
  writeFileSync(model, bytes);
  const dims = { x: [150, 6], z: [150, 4] } as const;
  const values = { x: floats(900, 5), z: floats(600, 6) };
  const write = (set: string, from: number, to: number): Record<string, string> =>
    Object.fromEntries(
      (["x", "z"] as const).map((name) => {
        const width = dims[name][1];
        const file = at(`${set}-${name}.npy`);
        return [name, writeNpy(file, "float32", [to - from, width], values[name].slice(from * width, to * width))];
      }),
    );
  const config: Config = {
    calibration: { source: write("train", 0, 50) },
    validation: { source: write("val", 50, 150) },
    tolerance: 5,
  };
  const report = await analyze(model, { config });
  expect(report.accuracy).toMatchObject({ metric: "agreement", samples: 100, original: 1 });
  expect(report.layers.map(({ name, columns }) => [name, columns])).toEqual(
    report.layers.map(({ name }, i) => [name, [6, 4, 8, 8][i]]),
  );
  writeReport(report, at("two.json"), { force: false });
  expect(readReport(at("two.json")).settings).toEqual(report.settings);
  const { compressed } = await compress(model, { config, energy: 0.5, output: at("two-small.onnx") });
  const tensors = Object.fromEntries(
    (["x", "z"] as const).map((name) => [name, { type: "float32" as const, dims: dims[name], data: values[name] }]),
  );
  const scores = async (file: Uint8Array) => {
    const { data } = (await runModel(file, tensors)).get("y")!;
    return answers(data as Float32Array).slice(50);
  };
  const original = await scores(bytes);
  const smaller = await scores(readFileSync(at("two-small.onnx")));
  expect(compressed!.accuracy.after).toBeCloseTo(
    smaller.filter((answer, i) => answer === original[i]).length / 100,
    12,
  );
});
