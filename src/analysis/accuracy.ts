import type { Batch, Batches } from "../calibration/batches";
import { ExpectedError } from "../errors";
import { classCount, countCorrect, NO_PREDICTION, predictions, scoreMargins } from "../lowrank/accuracy";
import { isFloatType } from "../onnx/elements";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Probe } from "../runtime/probe";
import type { Device } from "../runtime/executionProviders";
import { createSession, type TensorValue } from "../runtime/session";

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
    if (classes !== null && isFloatType(value.type)) return { name, classes };
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
  const result = new Int32Array(context.batches.samples);
  await scoreAll(model, what, folder, context, (output, { start, samples, rows }) => {
    result.set(predictions(output, rows, samples), start);
  });
  return result;
}

/** Runs a whole model on all samples, batch by batch. */
async function scoreAll(
  model: string | Uint8Array,
  what: string,
  folder: string | null,
  { batches, outputName, device, signal, onWork }: ScoringContext,
  onScores: (output: TensorValue, batch: Batch) => void,
): Promise<void> {
  const session = await createSession(model, what, folder, device);
  try {
    for (let i = 0; i < batches.count; i++) {
      signal?.throwIfAborted();
      const batch = batches.batch(i);
      onScores((await session.run(batch.values, [outputName])).get(outputName)!, batch);
      onWork(batch.samples);
    }
  } finally {
    await session.release();
  }
}

/** The original's answers. */
export interface OriginalAnswers {
  readonly predicted: Int32Array;
  /** Per sample, how far its target is ahead of the other classes. */
  readonly margins: Float64Array;
}

/**
 * Answers of the original model, which must be numbers. The targets are `labels`, or without them its own predictions.
 * @throws ExpectedError where an output is NaN.
 */
export async function answersOfOriginal(
  path: string,
  context: ScoringContext,
  labels: Int32Array | null,
): Promise<OriginalAnswers> {
  const { samples: count } = context.batches;
  const [predicted, margins] = [new Int32Array(count), new Float64Array(count)];
  await scoreAll(path, path, null, context, (output, { start, samples, rows }) => {
    const own = predictions(output, rows, samples);
    predicted.set(own, start);
    margins.set(scoreMargins(output, rows, labels?.subarray(start, start + samples) ?? own), start);
  });
  const bad = predicted.indexOf(NO_PREDICTION);
  if (bad >= 0) {
    throw new ExpectedError(
      `${path} gives NaN in its output "${context.outputName}" for validation sample ${bad}: ` +
        `check the preprocessing, and the weights with "ranklens analyze --weights-only".`,
    );
  }
  return { predicted, margins };
}

export function accuracyOf(predicted: Int32Array, targets: Int32Array): number {
  return countCorrect(predicted, targets, 0) / targets.length;
}
