import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { isExpected } from "../../src/errors";
import { inspect } from "../../src/inspect";
import type { ElementType } from "../../src/onnx/schema";
import { openModel } from "../../src/onnx/reader";
import { elementCount } from "../../src/onnx/tensor";
import { workerClient } from "../../src/worker/client";
import { floats } from "../fixtures/data";
import { writeNpy } from "../fixtures/npy";

/** How far RankLens gets with a model; each step takes the one before. */
export interface Coverage {
  readonly step: "nothing" | "listed" | "analysed" | "compressed";
  /** Why it does not get further; null where it is compressed. */
  readonly reason: string | null;
}

/** Of low rank, so that every layer gets smaller. */
function samples(count: number, sample: readonly number[]): Float32Array {
  const size = elementCount(sample);
  const width = sample[sample.length - 1];
  const directions = floats(2 * size, 5);
  const amounts = floats(2 * count * (size / width), 6);
  return Float32Array.from({ length: count * size }, (_, at) => {
    const [row, place] = [Math.floor(at / size), at % size];
    const line = Math.floor(place / width);
    return Math.abs(
      amounts[2 * (row * (size / width) + line)] * directions[place] + amounts[2 * row + 1] * directions[size + place],
    );
  });
}

const SAMPLES = 24;

const worker = workerClient({ file: fileURLToPath(new URL("../../dist/worker.js", import.meta.url)) });

/** Lists, analyses and compresses a model with one operator, on random samples of low rank. */
export async function coverageOf(bytes: Uint8Array, sample: readonly number[]): Promise<Coverage> {
  const folder = mkdtempSync(path.join(tmpdir(), "ranklens-coverage-"));
  const model = path.join(folder, "model.onnx");
  const output = path.join(folder, "small.onnx");
  try {
    writeFileSync(model, bytes);
    const source = writeNpy(path.join(folder, "x.npy"), "float32", [SAMPLES, ...sample], samples(SAMPLES, sample));
    const { layers, skipped } = inspect(model);
    if (layers.length === 0) {
      return skipped.length === 0
        ? { step: "nothing", reason: "not a weight to RankLens" }
        : { step: "listed", reason: skipped[0].reason };
    }
    // As the extension does: some models take onnxruntime's process down.
    const options = { config: { calibration: { source } }, energy: 0.6 };
    const measured = await attempt(() => worker.call("analyze", { model, options }));
    if (typeof measured === "string") return { step: "listed", reason: measured };
    const kept = measured.layers.flatMap(({ outcome }) => (outcome.kind === "kept" ? [outcome.reason] : []));
    if (kept.length === measured.layers.length) return { step: "analysed", reason: kept[0] };
    const written = await attempt(() => worker.call("compress", { model, options: { ...options, output } }));
    if (typeof written === "string") return { step: "analysed", reason: written };
    const [before, after] = [weightTypes(model), weightTypes(output)];
    const strange = [...after].find((type) => !before.has(type));
    return strange === undefined
      ? { step: "compressed", reason: null }
      : { step: "analysed", reason: `written as ${strange}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Element types of a file's initializers. */
function weightTypes(file: string): Set<ElementType | null> {
  const model = openModel(file);
  try {
    return new Set([...model.graph.initializers.values()].map(({ elementType }) => elementType));
  } finally {
    model.close();
  }
}

async function attempt<T>(run: () => Promise<T>): Promise<T | string> {
  try {
    return await run();
  } catch (error) {
    if (isExpected(error)) return error.message;
    throw error;
  }
}
