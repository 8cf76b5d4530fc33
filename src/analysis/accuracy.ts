import type { Batches } from "../calibration/batches";
import { ExpectedError } from "../errors";
import { classCount, countCorrect, NO_PREDICTION, predictions } from "../lowrank/accuracy";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Probe } from "../runtime/probe";
import type { Device } from "../runtime/executionProviders";
import { createSession } from "../runtime/session";

/** Where class scores come out of the model. */
export interface ScoreOutput {
  readonly name: string;
  readonly classes: number;
}

/**
 * The model's output with one score per class and sample: the only output, or the first that has this shape.
 * @throws ExpectedError if there is none.
 */
export function chooseOutput(index: GraphIndex, probe: Probe, path: string): ScoreOutput {
  const shapes: string[] = [];
  for (const { name } of index.graph.outputs) {
    const value = probe.outputs.get(name);
    if (!value) continue;
    shapes.push(`"${name}" [${value.dims.join(", ")}] ${value.type}`);
    const classes = classCount(value.dims, probe.rows);
    if (classes !== null && (value.type === "float32" || value.type === "float64")) return { name, classes };
  }
  throw new ExpectedError(
    `${path} has no output with one score per class for each of ${probe.rows} samples (found: ${shapes.join("; ")}). ` +
      `Accuracy cannot be measured: leave "validation" out and choose ranks with --energy 0.99.`,
  );
}

export interface ScoringContext {
  readonly batches: Batches;
  readonly outputName: string;
  /** The processor where it is left out. */
  readonly device?: Device;
  readonly signal: AbortSignal | undefined;
  readonly onWork: (samples: number) => void;
}

/** The predicted class of every sample, by a whole model (a file, or an edited one in memory). */
export async function predictAll(
  model: string | Uint8Array,
  what: string,
  context: ScoringContext,
  folder: string | null = null,
): Promise<Int32Array> {
  const { batches, outputName, device, signal, onWork } = context;
  const session = await createSession(model, what, folder, device);
  const result = new Int32Array(batches.samples);
  try {
    for (let i = 0; i < batches.count; i++) {
      signal?.throwIfAborted();
      const { start, samples, rows, values } = batches.batch(i);
      const output = (await session.run(values, [outputName])).get(outputName)!;
      result.set(predictions(output, rows, samples), start);
      onWork(samples);
    }
  } finally {
    await session.release();
  }
  return result;
}

/** Predictions of the original model, which must be numbers. @throws ExpectedError where an output is NaN. */
export async function predictOriginal(path: string, context: ScoringContext): Promise<Int32Array> {
  const predicted = await predictAll(path, path, context);
  const bad = predicted.indexOf(NO_PREDICTION);
  if (bad >= 0) {
    throw new ExpectedError(
      `${path} gives NaN in its output "${context.outputName}" for validation sample ${bad}: ` +
        `check the preprocessing, and the weights with "ranklens analyze --weights-only".`,
    );
  }
  return predicted;
}

export function accuracyOf(predicted: Int32Array, targets: Int32Array): number {
  return countCorrect(predicted, targets, 0) / targets.length;
}
