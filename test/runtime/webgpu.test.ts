import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { modelReportSchema, type ModelReport } from "../../src/report";
import { cliPath, expectRefusal, expectSuccess, start, type Outcome } from "../cli/lab";
import { floats, relativeDifference, weight } from "../fixtures/data";
import { workspace, type Workspace } from "../fixtures/dataFiles";
import { modelBytes, node, value } from "../fixtures/model";
import { CLASSES, cnn, IMAGE, SEQUENCE, transformer } from "../fixtures/modelNetworks";
import { softwareVulkan } from "./softwareVulkan";

const vulkan = softwareVulkan();
if (!vulkan) console.warn("No software Vulkan driver here (Debian: chromium): the WebGPU provider was not run.");

const folder = mkdtempSync(path.join(tmpdir(), "ranklens-webgpu-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function smallCnn(): Uint8Array {
  const pads = { pads: [1, 1, 1, 1] };
  return modelBytes({
    nodes: [
      node("Conv", ["x", "stem"], "a", pads),
      node("Relu", ["a"], "b"),
      node("Conv", ["b", "grouped"], "c", { ...pads, strides: [2, 2], group: 2 }),
      node("Relu", ["c"], "d"),
      node("GlobalAveragePool", ["d"], "e"),
      node("Flatten", ["e"], "f"),
      node("Gemm", ["f", "head"], "y", { transB: 1 }),
    ],
    initializers: [
      weight("stem", [8, 3, 3, 3], 1),
      weight("grouped", [8, 4, 3, 3], 2),
      { ...weight("head", [CLASSES, 8], 3), data: floats(8 * CLASSES, 3, 3) },
    ],
    inputs: [value("x", ["n", ...IMAGE])],
    outputs: [value("y", ["n", CLASSES])],
  });
}

/** Samples: software shaders run some 0.7 GFLOP/s, and every shape is compiled anew. */
const SAMPLES = 40;

describe.skipIf(!vulkan)("on WebGPU", () => {
  /** What is analysed, with what options, and a warning that is expected. */
  interface Case {
    readonly title: string;
    readonly bytes: () => Uint8Array;
    readonly dims: readonly number[];
    readonly more: readonly string[];
    readonly warnings: readonly unknown[];
  }
  const cases: readonly Case[] = [
    {
      ...{ title: "a CNN", bytes: smallCnn, dims: IMAGE, more: [] },
      // onnxruntime 1.30 gets the patches wrong where there are nine for each of eight channels.
      warnings: [expect.stringMatching(/^Gram matrices were computed on the processor: on webgpu that of grouped is/)],
    },
    // Every session compiles its shaders, so that searches take their time: these ranks are those of energy.
    { title: "a transformer", bytes: transformer, dims: SEQUENCE, more: ["--energy", "0.95"], warnings: [] },
  ];

  const same = "$title has the spectra and the ranks that it has on the processor";
  it.each(cases)(same, { timeout: 240_000 }, async ({ title, bytes, dims, more, warnings }) => {
    const space = await workspace(bytes(), dims, { samples: SAMPLES });
    const run = async (device: string): Promise<ModelReport> => {
      const { outcome, report } = await analyzeOn(device, space, title, more);
      expectSuccess(outcome);
      return modelReportSchema.parse(JSON.parse(readFileSync(report, "utf8")));
    };
    const processor = await run("cpu");
    const gpu = await run("webgpu");
    space.remove();
    expect(gpu.device).toMatchObject({ requested: "webgpu", used: "webgpu" });
    expect(gpu.device.why).toMatch(/^as asked for; outputs within \d/);
    expect(gpu.warnings.filter((text) => text.includes("webgpu"))).toEqual(warnings);
    expect(gpu.accuracy.original).toBe(processor.accuracy.original);
    gpu.layers.forEach((layer, i) => {
      const expected = processor.layers[i];
      expect(relativeDifference(layer.spectra.input!, expected.spectra.input!)).toBeLessThan(1e-5);
      expect(relativeDifference(layer.spectra.output!, expected.spectra.output!)).toBeLessThan(1e-5);
      expect([layer.name, layer.kS, layer.kT]).toEqual([expected.name, expected.kS, expected.kT]);
    });
  });

  it("refuses a model of which the provider gives other outputs: a strided 1×1 Conv with onnxruntime 1.30", async () => {
    const space = await workspace(cnn(), IMAGE, { samples: SAMPLES });
    const { outcome } = await analyzeOn("webgpu", space, "strided");
    space.remove();
    expectRefusal(outcome, "--device webgpu", /its outputs are .* from the processor's/, "--device auto, or cpu");
  });

  it("is left alone where the processor is faster", async () => {
    const space = await workspace(smallCnn(), IMAGE, { samples: SAMPLES });
    const { outcome, report } = await analyzeOn("auto", space, "auto");
    space.remove();
    expectSuccess(outcome);
    const { device } = modelReportSchema.parse(JSON.parse(readFileSync(report, "utf8")));
    expect(device).toMatchObject({ requested: "auto", used: "cpu" });
    const { why } = device.tried.find((one) => one.device === "webgpu")!;
    expect(why).toMatch(/times as slow as the processor|was not done after/);
  }, 60_000);
});

async function analyzeOn(
  device: string,
  { model, config }: Workspace,
  name: string,
  more: readonly string[] = [],
): Promise<{ outcome: Outcome; report: string }> {
  const configFile = path.join(folder, `${name}.config.json`);
  writeFileSync(configFile, JSON.stringify(config));
  const report = path.join(folder, `${name} ${device}.json`);
  const args = [cliPath(), "analyze", model, "--config", configFile, "--device", device, "--report", report, ...more];
  return { outcome: await start(process.execPath, args, folder, { env: { ...process.env, ...vulkan } }).ended, report };
}
