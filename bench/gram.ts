// The Gram pass beside the machine's own rate of matrix products in onnxruntime and, on ResNet-20, beside PyTorch.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";
import { calibrate, gramGroups } from "../src/analysis/calibrate";
import { openData, openSubject, type Subject, type SubjectData } from "../src/analysis/prepare";
import { table } from "../src/cli/format";
import { configFor, type ResolvedConfig } from "../src/config";
import { createSession, type Session } from "../src/runtime/session";
import { floats, tensor, weight } from "../test/fixtures/data";
import { modelBytes, node, untyped, value } from "../test/fixtures/model";
import { writeNpy } from "../test/fixtures/npy";
import { cifarConfig, missingReference, referenceFolder } from "../test/reference/data";
import { PEAK_TITLE, peakText, withPeak } from "./peakMemory";
import { startPython, type PythonWorker } from "./pythonWorker";

/** Seconds are of the fastest repetition. */
export interface GramRow {
  readonly model: string;
  readonly layers: number;
  /** 2·rows·d², over all distinct inputs of layers, in units of 1e9. */
  readonly gigaflops: number;
  /** The whole pass, the network's own work included. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Rate of the pass over that of a large MatMul in onnxruntime, both by wall time and in turn. */
  readonly shareOfMatMul: number;
  /** In MiB, data and the session of the large MatMul included. */
  readonly peakMemory: number | null;
  readonly torch: { readonly gram: number; readonly forward: number; readonly cpuSeconds: number } | null;
}

const REPETITIONS = 5;
/** Of PyTorch, which takes ten times as long. */
const TORCH_REPETITIONS = 1;
/** Order of the matrices whose product tells the machine's rate. */
const MATMUL = 2048;
/** A stack of two transformer MLPs. */
const TOKENS = { samples: 256, length: 64, width: 768, hidden: 3072 };

export async function benchGram(): Promise<GramRow[]> {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-bench-gram-"));
  const matMul = await createSession(matMulBytes(), "a MatMul");
  try {
    const example = path.join("examples", "shapes", "model.onnx");
    const rows = [await measured("bundled example", example, configFor(example), matMul, undefined)];
    const [file, config] = writeTokenMlp(folder);
    rows.push(await measured("transformer MLPs, 768 and 3,072 wide", file, config, matMul, undefined));
    const missing = missingReference();
    if (missing !== undefined) {
      console.log(`SKIPPED ResNet-20: ${missing}`);
    } else {
      const torch = await startPython(path.join("bench", "gram_torch.py"), "torch", [
        path.join(referenceFolder, "pytorch"),
      ]);
      console.log(
        torch ? String(torch.greeting["version"]) : "!!! No Python with PyTorch was found: it is NOT measured.",
      );
      const resnet = path.join(referenceFolder, "models", "resnet20.onnx");
      rows.push(await measured("ResNet-20, 2,000 images", resnet, cifarConfig(), matMul, torch));
      torch?.stop();
    }
    printTable(rows);
    return rows;
  } finally {
    await matMul.release();
    rmSync(folder, { recursive: true });
  }
}

async function measured(
  model: string,
  file: string,
  config: ResolvedConfig,
  matMul: Session,
  torch: PythonWorker | undefined,
): Promise<GramRow> {
  const { result, peakMemory } = await withPeak(() => timesOf(model, file, config, matMul, torch));
  return { ...result, peakMemory };
}

async function timesOf(
  model: string,
  file: string,
  config: ResolvedConfig,
  matMul: Session,
  torch: PythonWorker | undefined,
): Promise<Omit<GramRow, "peakMemory">> {
  const subject = openSubject(file);
  try {
    const data = await openData(subject, config);
    let best = { seconds: Infinity, cpuSeconds: Infinity };
    let matMulRate = 0;
    let theirs: GramRow["torch"] = null;
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      matMulRate = Math.max(matMulRate, await rateOf(matMul));
      const took = await pass(subject, data);
      best = {
        seconds: Math.min(best.seconds, took.seconds),
        cpuSeconds: Math.min(best.cpuSeconds, took.cpuSeconds),
      };
      if (!torch || repetition >= TORCH_REPETITIONS) continue;
      const reply = await torch.ask({});
      const [gram, forward, cpuSeconds] = [Number(reply["gram"]), Number(reply["forward"]), Number(reply["cpu"])];
      if (!theirs || gram < theirs.gram) theirs = { gram, forward, cpuSeconds };
    }
    const gigaflops = productFlops(subject, data) / 1e9;
    const shareOfMatMul = (gigaflops * 1e9) / best.seconds / matMulRate;
    return { model, layers: subject.layers.length, gigaflops, ...best, shareOfMatMul, torch: theirs };
  } finally {
    subject.model.close();
  }
}

async function pass(subject: Subject, data: SubjectData): Promise<{ seconds: number; cpuSeconds: number }> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  for (const group of gramGroups(subject.layers)) await calibrate(subject, data, group, undefined, () => undefined);
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - start) / 1e3, cpuSeconds: (user + system) / 1e6 };
}

function productFlops({ layers }: Subject, { positions, calibration }: SubjectData): number {
  const inputs = new Map(layers.map((layer) => [layer.uses.map((use) => use.input + use.featuresKey).join(), layer]));
  return [...inputs.values()].reduce((sum, layer) => {
    const { groups, columns } = layer.view;
    return sum + 2 * calibration.count * positions.get(layer)! * groups * columns ** 2;
  }, 0);
}

function matMulBytes(): Uint8Array {
  return modelBytes({
    nodes: [node("MatMul", ["a", "b"], "y")],
    inputs: [value("a", [MATMUL, MATMUL]), value("b", [MATMUL, MATMUL])],
    outputs: [untyped("y")],
  });
}

const feeds = new Map(["a", "b"].map((name, i) => [name, tensor([MATMUL, MATMUL], i)]));

/** Floating-point operations per second of the best of a few products. */
async function rateOf(matMul: Session): Promise<number> {
  let best = Infinity;
  for (let run = 0; run < REPETITIONS; run++) {
    const start = performance.now();
    await matMul.run(feeds);
    best = Math.min(best, (performance.now() - start) / 1e3);
  }
  return (2 * MATMUL ** 3) / best;
}

function writeTokenMlp(folder: string): [file: string, config: ResolvedConfig] {
  const { samples, length, width, hidden } = TOKENS;
  const block = (at: number, from: string, to: string) => [
    node("MatMul", [from, `up${at}`], `wide${at}`),
    node("Relu", [`wide${at}`], `active${at}`),
    node("MatMul", [`active${at}`, `down${at}`], `narrow${at}`),
    node("Add", [from, `narrow${at}`], to),
  ];
  const bytes = modelBytes({
    nodes: [...block(1, "x", "h"), ...block(2, "h", "y")],
    initializers: [1, 2].flatMap((at) => [
      weight(`up${at}`, [width, hidden], 2 * at),
      weight(`down${at}`, [hidden, width], 2 * at + 1),
    ]),
    inputs: [value("x", ["n", length, width])],
    outputs: [untyped("y")],
  });
  const file = path.join(folder, "mlp.onnx");
  writeFileSync(file, bytes);
  const source = path.join(folder, "x.npy");
  writeNpy(source, "float32", [samples, length, width], floats(samples * length * width, 1));
  return [file, { calibration: { source } }];
}

function printTable(rows: readonly GramRow[]): void {
  console.log(
    `Fastest of ${REPETITIONS} passes (PyTorch: ${TORCH_REPETITIONS}), in turn; load ${loadavg()[0].toFixed(1)}`,
  );
  const right = { align: "right" } as const;
  const titles = ["GFLOP", "seconds", "CPU s", "share of MatMul rate", "PyTorch Gram s", "its forward s", "its CPU s"];
  console.log(
    table(
      [{ title: "Gram pass" }, ...[...titles, "ours / PyTorch Gram", PEAK_TITLE].map((title) => ({ title, ...right }))],
      rows.map(({ model, gigaflops, seconds, cpuSeconds, shareOfMatMul, peakMemory, torch }) => [
        model,
        gigaflops.toFixed(0),
        seconds.toFixed(2),
        cpuSeconds.toFixed(2),
        `${(100 * shareOfMatMul).toFixed(0)}%`,
        ...(torch ? [torch.gram, torch.forward, torch.cpuSeconds, seconds / torch.gram] : []).map((it) =>
          it.toFixed(2),
        ),
        ...(torch ? [] : ["–", "–", "–", "–"]),
        peakText(peakMemory),
      ]),
    ),
  );
}
