// What bench/gpu.sh runs on a machine with a GPU: every device that is there beside the processor, for right numbers and for
// speed. Each device and model in a process of its own, which a driver may take down.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { analyze } from "../src/analyze";
import { calibrate, gramGroups } from "../src/analysis/calibrate";
import { devicesHere } from "../src/analysis/devicesHere";
import { openData, openSubject, type Subject, type SubjectData } from "../src/analysis/prepare";
import { table } from "../src/cli/format";
import type { ResolvedConfig } from "../src/config";
import type { ModelReport } from "../src/report";
import type { GramMatrices } from "../src/runtime/gramGraph";
import type { Device } from "../src/runtime/executionProviders";
import { createSession, type TensorValue } from "../src/runtime/session";
import { secondsOfRuns } from "../src/runtime/trialRun";
import { relativeDifference, tensor } from "../test/fixtures/data";
import { writeNpy } from "../test/fixtures/npy";
import { gpuModels, type GpuModel } from "./gpuModels";

/** A device beside the processor on one model. Differences are relative, of norms; null was not comparable. */
interface Measured {
  readonly model: string;
  readonly device: Device;
  readonly outputs: number;
  /** The largest of all layers. */
  readonly grams: number;
  readonly layers: number;
  /** Layers of which k_S and k_T are the processor's. */
  readonly sameRanks: number;
  readonly imagesPerSecond: Pair;
  readonly gramSeconds: Pair;
  readonly analysisSeconds: Pair;
  /** What ran on the processor all the same. */
  readonly remarks: readonly string[];
}

interface Pair {
  readonly processor: number;
  readonly device: number;
}

const BATCH = 100;
const RUNS = 5;

async function measure(spec: GpuModel, device: Device, tiny: boolean): Promise<Measured> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-gpu-"));
  try {
    const file = path.join(folder, "model.onnx");
    writeFileSync(file, spec.bytes);
    const batch = tensor([Math.min(BATCH, spec.samples), ...spec.dims], 1);
    const [onProcessor, onDevice] = [await forward(file, "cpu", batch), await forward(file, device, batch)];
    const config = writeData(folder, spec);
    const processor = await timed(() => grams(file, config, "cpu"));
    const other = await timed(() => grams(file, config, device));
    // In a search nearly every evaluation compiles shaders anew, which a software driver takes minutes for.
    const options = { config, ...(tiny ? { energy: 0.95 } : {}) };
    const expected = await timed(() => analyze(file, { ...options, device: "cpu" }));
    const found = await timed(() => analyze(file, { ...options, device }));
    return {
      model: spec.name,
      device,
      outputs: relativeDifference(onDevice.output, onProcessor.output),
      grams: Math.max(
        ...[...processor.value.grams].map(([key, one]) => differenceOf(other.value.grams.get(key)!, one)),
      ),
      layers: expected.value.layers.length,
      sameRanks: found.value.layers.filter((layer, i) => ranksOf(layer) === ranksOf(expected.value.layers[i])).length,
      imagesPerSecond: { processor: onProcessor.perSecond, device: onDevice.perSecond },
      gramSeconds: { processor: processor.seconds, device: other.seconds },
      analysisSeconds: { processor: expected.seconds, device: found.seconds },
      remarks: [...other.value.fallbacks, ...lacking(found.value)],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function forward(file: string, device: Device, batch: TensorValue) {
  const session = await createSession(file, file, null, device);
  try {
    const feeds = new Map([["x", batch]]);
    const output = (await session.run(feeds)).get("y")!.data as Float32Array;
    const seconds = Math.min(...(await secondsOfRuns(session, feeds, RUNS)));
    return { output, perSecond: batch.dims[0] / seconds };
  } finally {
    await session.release();
  }
}

function writeData(folder: string, { dims, samples }: GpuModel): ResolvedConfig {
  const array = (name: string, seed: number): string => {
    const { data } = tensor([samples, ...dims], seed);
    return writeNpy(path.join(folder, `${name}.npy`), "float32", [samples, ...dims], data);
  };
  // Without labels, right is what the original model says.
  return {
    calibration: { source: array("calibration", 2) },
    validation: { source: array("validation", 3) },
    tolerance: 1,
  };
}

/** The whole calibration pass. The device is used unseen: whether it is right is what is measured. */
async function grams(file: string, config: ResolvedConfig, device: Device) {
  const subject: Subject = openSubject(file);
  try {
    const opened = await openData(subject, config);
    const data: SubjectData = { ...opened, device: { ...opened.device, used: device }, fallbacks: [] };
    const found = new Map<string, GramMatrices>();
    for (const group of gramGroups(subject.layers)) {
      for (const [key, one] of await calibrate(subject, data, group, undefined, () => undefined)) found.set(key, one);
    }
    return { grams: found, fallbacks: data.fallbacks };
  } finally {
    subject.model.close();
  }
}

function differenceOf(found: GramMatrices, expected: GramMatrices): number {
  return Math.max(...expected.map(({ matrix }, i) => relativeDifference(found[i].matrix.data, matrix.data)));
}

const ranksOf = ({ kS, kT }: ModelReport["layers"][number]): string => `${String(kS)} ${String(kT)}`;

const lacking = ({ device }: ModelReport): string[] =>
  device.onProcessor.map(({ operator, nodes }) => `${nodes} ${operator} on the processor`);

async function timed<T>(run: () => Promise<T>): Promise<{ value: T; seconds: number }> {
  const start = performance.now();
  const value = await run();
  return { value, seconds: (performance.now() - start) / 1000 };
}

/** Measures one model on one device in another process. @returns null where it failed, which is said. */
function measureApart(index: number, device: Device, tiny: boolean, folder: string): Measured | null {
  const result = path.join(folder, `${device}-${index}.json`);
  const args = [__filename, "--one", String(index), device, result, ...(tiny ? ["--tiny"] : [])];
  const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status === 0) return JSON.parse(readFileSync(result, "utf8")) as Measured;
  console.log(`FAILED on ${device} (${signal ?? String(status)}): ${stderr.trim().split("\n").slice(-3).join(" | ")}`);
  return null;
}

function print(rows: readonly Measured[]): void {
  const right = (title: string) => ({ title, align: "right" }) as const;
  const head = [{ title: "model" }, { title: "device" }];
  const small = (value: number): string => value.toExponential(1);
  console.log("\nBeside the processor: relative differences of norms");
  console.log(
    table(
      [...head, right("outputs"), right("Gram matrices"), right("same ranks")],
      rows.map((row) => [
        row.model,
        row.device,
        small(row.outputs),
        small(row.grams),
        `${row.sameRanks} of ${row.layers}`,
      ]),
    ),
  );
  const pair = ({ processor, device }: Pair, digits: number): string[] => [
    processor.toFixed(digits),
    device.toFixed(digits),
  ];
  console.log("\nProcessor, then device");
  console.log(
    table(
      [...head, ...["images/s", "", "Gram pass s", "", "analysis s", ""].map(right)],
      rows.map((row) => [
        ...[row.model, row.device, ...pair(row.imagesPerSecond, 0)],
        ...[...pair(row.gramSeconds, 2), ...pair(row.analysisSeconds, 2)],
      ]),
    ),
  );
  for (const { model, device, remarks } of rows) for (const one of remarks) console.log(`${model}, ${device}: ${one}`);
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const tiny = words.includes("--tiny");
  const models = gpuModels(tiny);
  if (words[0] === "--one") {
    writeFileSync(words[3], JSON.stringify(await measure(models[Number(words[1])], words[2] as Device, tiny)));
    return;
  }
  const folder = words.find((word) => !word.startsWith("--")) ?? ".";
  console.log(`${os.cpus()[0]?.model ?? "unknown CPU"}, ${os.availableParallelism()} cores, Node ${process.version}`);
  const found = await devicesHere();
  for (const { name, why } of found) console.log(`${name}: ${why ?? "works"}`);
  const rows: Measured[] = [];
  let failed = false;
  for (const { name, why } of found) {
    if (why !== null || (name !== "webgpu" && name !== "cuda")) continue;
    for (const i of models.keys()) {
      const row = measureApart(i, name, tiny, folder);
      if (row) rows.push(row);
      else failed = true;
    }
  }
  if (rows.length > 0) print(rows);
  else console.log("No GPU could be measured.");
  writeFileSync(path.join(folder, "gpu.json"), `${JSON.stringify({ devices: found, rows }, null, 1)}\n`);
  process.exitCode = failed || rows.length === 0 ? 1 : 0;
}

void main();
