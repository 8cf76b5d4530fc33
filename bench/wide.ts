// Layers 4,608 wide: their calibration, spectra and ranks, and the memory that takes, with Node's own heap limit and a low one.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { table } from "../src/cli/format";
import { modelReportSchema } from "../src/report";
import { classes, floats, weight } from "../test/fixtures/data";
import { modelBytes, node, untyped, value } from "../test/fixtures/model";
import { writeNpy } from "../test/fixtures/npy";
import { mebibytes, PEAK_TITLE, peakText } from "./peakMemory";

export interface WideRow {
  readonly what: string;
  /** Of JavaScript's heap, in MiB; null for Node's own. */
  readonly heapLimit: number | null;
  readonly seconds: number;
  readonly spectraSeconds: number;
  /** Peak resident set of the analysis process, in MiB. */
  readonly peakMemory: number;
}

const WIDTH = 4608;
/** Of a Conv of 3×3 taps that sees {@link WIDTH} features. */
const CHANNELS = WIDTH / 9;
const SIDE = 8;
const CLASSES = 10;
/** Enough for more rows than features. */
const IMAGES = Math.ceil((1.05 * WIDTH) / SIDE ** 2);
const VECTORS = Math.ceil(1.05 * WIDTH);
const LOW_HEAP = 512;

export function benchWide(): WideRow[] {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-bench-wide-"));
  try {
    const models = [
      { what: `Conv ${CHANNELS}→${CHANNELS}, 3×3, search`, flags: [], file: writeConv(folder) },
      { what: `MatMul ${WIDTH}→${WIDTH}, energy`, flags: ["--energy", "0.99"], file: writeMatMul(folder) },
    ];
    const rows = models.flatMap((model) => [analyzed(model, null), analyzed(model, LOW_HEAP)]);
    const right = { align: "right" } as const;
    console.log(
      table(
        [
          { title: "model" },
          ...["heap limit, MiB", "seconds", "spectra s", PEAK_TITLE].map((title) => ({ title, ...right })),
        ],
        rows.map(({ what, heapLimit, seconds, spectraSeconds, peakMemory }) => [
          what,
          heapLimit === null ? "Node's" : String(heapLimit),
          seconds.toFixed(1),
          spectraSeconds.toFixed(1),
          peakText(peakMemory),
        ]),
      ),
    );
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface WideModel {
  readonly what: string;
  readonly flags: readonly string[];
  readonly file: string;
}

function analyzed({ what, flags, file }: WideModel, heapLimit: number | null): WideRow {
  const report = `${file}.${heapLimit ?? "default"}.json`;
  const args = [path.resolve("dist/cli.js"), "analyze", file, ...flags, "--device", "cpu", "--report", report];
  const limit = heapLimit === null ? {} : { NODE_OPTIONS: `--max-old-space-size=${heapLimit}` };
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env: { ...process.env, ...limit } });
  if (status !== 0) throw new Error(`${what}: ${stderr}`);
  const { cost } = modelReportSchema.parse(JSON.parse(readFileSync(report, "utf8")));
  const peakMemory = mebibytes(cost.memory.peak);
  return { what, heapLimit, seconds: cost.seconds, spectraSeconds: cost.stages.spectra, peakMemory };
}

function writeConv(folder: string): string {
  const bytes = modelBytes({
    nodes: [
      node("Conv", ["x", "wide"], "a", { pads: [1, 1, 1, 1] }),
      node("Relu", ["a"], "b"),
      node("GlobalAveragePool", ["b"], "c"),
      node("Flatten", ["c"], "d"),
      node("Gemm", ["d", "head"], "y", { transB: 1 }),
    ],
    initializers: [weight("wide", [CHANNELS, CHANNELS, 3, 3], 1), weight("head", [CLASSES, CHANNELS], 2)],
    inputs: [value("x", ["n", CHANNELS, SIDE, SIDE])],
    outputs: [untyped("y")],
  });
  return written(folder, "conv", bytes, [IMAGES, CHANNELS, SIDE, SIDE], true);
}

function writeMatMul(folder: string): string {
  const bytes = modelBytes({
    nodes: [node("MatMul", ["x", "wide"], "y")],
    initializers: [weight("wide", [WIDTH, WIDTH], 1)],
    inputs: [value("x", ["n", WIDTH])],
    outputs: [untyped("y")],
  });
  return written(folder, "matmul", bytes, [VECTORS, WIDTH], false);
}

/** The model with its data and a config beside it. */
function written(folder: string, name: string, model: Uint8Array, dims: readonly number[], labelled: boolean): string {
  const file = path.join(folder, `${name}.onnx`);
  writeFileSync(file, model);
  const length = dims.reduce((product, dim) => product * dim, 1);
  writeNpy(path.join(folder, `${name}.npy`), "float32", dims, floats(length, 3));
  const calibration = { source: `${name}.npy` };
  let config: object = { calibration };
  if (labelled) {
    writeNpy(path.join(folder, "labels.npy"), "int32", [dims[0]], classes(dims[0], CLASSES, 4));
    config = { calibration, validation: { source: `${name}.npy`, labels: "labels.npy" } };
  }
  writeFileSync(path.join(folder, `${name}.ranklens.json`), JSON.stringify(config));
  return file;
}
