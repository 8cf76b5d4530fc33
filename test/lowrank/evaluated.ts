import { type Batches } from "../../src/calibration/batches";
import type { Dataset } from "../../src/calibration/dataset";
import { NONE_FILLED } from "../../src/calibration/fill";
import type { Layer } from "../../src/layers/layer";
import type { EvaluatorContext } from "../../src/lowrank/evaluator";
import { readConstant } from "../../src/onnx/readConstant";
import { elementCount } from "../../src/onnx/tensor";
import type { AnswerReference } from "../../src/lowrank/answerJudge";
import { classes, floats, type Opened } from "../fixtures/data";
import { CLASSES } from "../fixtures/modelNetworks";

/** Random samples of the networks of fixtures/modelNetworks, for tests of evaluations. */
export const SAMPLES = 37;

export function dataset(sampleDims: readonly number[]): Dataset {
  const width = elementCount(sampleDims);
  const data = floats(SAMPLES * width, 1);
  return {
    count: SAMPLES,
    available: SAMPLES,
    decodedBytes: 0,
    labels: null,
    labelOrigin: null,
    classNames: null,
    inputs: ["x"],
    contents: new Map([["x", "array"]]),
    filled: NONE_FILLED,
    tokenText: null,
    sources: ["x.npy"],
    sampleBytes: 4 * width,
    warnings: [],
    batch: (start, count) => {
      const dims = [count, ...sampleDims];
      return new Map([["x", { type: "float32", dims, data: data.slice(start * width, (start + count) * width) }]]);
    },
    attended: () => new Map(),
    sha256: () => Promise.resolve({ source: "", labels: null }),
  };
}

export function evaluatorContext(
  { model, index }: Opened,
  batches: Batches,
  more: Partial<EvaluatorContext> = {},
): EvaluatorContext {
  return {
    model,
    index,
    batches,
    outputName: "y",
    reference: answerReference(),
    macShare: () => 1,
    signal: undefined,
    cacheBytes: Infinity,
    onWork: () => undefined,
    ...more,
  };
}

/** One random right class for each sample. */
export function answerReference(more: Partial<AnswerReference> = {}): AnswerReference {
  const [right, margins] = [new Uint8Array(SAMPLES), new Float64Array(SAMPLES)];
  return { kind: "answers", perSample: 1, targets: classes(SAMPLES, CLASSES, 2), right, margins, ...more };
}

/** W disturbed, so that answers change but not all to the same. */
export function disturbed({ model }: Opened, layer: Layer, seed: number): Float32Array {
  const original = readConstant(model.wire, layer.weight);
  const noise = floats(
    original.length,
    seed,
    0.7 * Math.sqrt(original.reduce((s, w) => s + w * w, 0) / original.length),
  );
  return original.map((value, at) => value + noise[at]);
}
