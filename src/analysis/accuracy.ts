import type { Batch, Batches } from "../calibration/batches";
import { ExpectedError } from "../errors";
import { classCount, NO_ANSWER, NO_PREDICTION, predictions, scoreMargins } from "../lowrank/accuracy";
import { isFloatType } from "../onnx/elements";
import type { GraphIndex } from "../onnx/graphIndex";
import type { Probe } from "../runtime/probe";
import type { Device } from "../runtime/executionProviders";
import { createSession, type Session, type TensorValue } from "../runtime/session";

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

/** A whole model: a file, or an edited one in memory. */
export interface WholeModel {
  readonly model: string | Uint8Array;
  /** How messages call it. */
  readonly what: string;
  /** Of one in memory: where the files with its external tensors are. */
  readonly folder: string | null;
}

/** The model file at a path. */
export function modelFile(path: string): WholeModel {
  return { model: path, what: path, folder: null };
}

/** Runs whole models on all samples, batch by batch; the outputs of a batch come in the order of the models. */
export async function runAll(
  models: readonly WholeModel[],
  { batches, outputName, device, signal, onWork }: ScoringContext,
  onOutputs: (outputs: readonly TensorValue[], batch: Batch) => void,
): Promise<void> {
  const sessions: Session[] = [];
  try {
    for (const { model, what, folder } of models) sessions.push(await createSession(model, what, folder, device));
    for (let i = 0; i < batches.count; i++) {
      signal?.throwIfAborted();
      const batch = batches.batch(i);
      const outputs: TensorValue[] = [];
      for (const session of sessions) {
        outputs.push((await session.run(batch.values, [outputName])).get(outputName)!);
        onWork(batch.samples);
      }
      onOutputs(outputs, batch);
    }
  } finally {
    for (const session of sessions) await session.release();
  }
}

/** The original's answers: one for each sample, or several. */
export interface OriginalAnswers {
  readonly predicted: Int32Array;
  /** Per answer, how far its right class is ahead of the others. */
  readonly margins: Float64Array;
}

/** Of what the original is asked: {@link Questions}, and what is done with each batch beside. */
export interface Asked {
  readonly perSample?: number;
  readonly asked?: Uint8Array | null;
  /** `fed`: answers of all rows of the batch; `right`: the right class of each answer of its samples. */
  readonly onBatch?: (output: TensorValue, fed: number, right: Int32Array) => void;
}

/**
 * Answers of the original model, which must be numbers. The targets are `labels`, or without them its own predictions.
 * @throws ExpectedError where an output that is asked for is NaN.
 */
export async function answersOfOriginal(
  path: string,
  context: ScoringContext,
  labels: Int32Array | null,
  { perSample = 1, asked = null, onBatch }: Asked = {},
): Promise<OriginalAnswers> {
  const count = context.batches.samples * perSample;
  const [predicted, margins] = [new Int32Array(count), new Float64Array(count)];
  await runAll([modelFile(path)], context, ([output], { start, samples, rows }) => {
    const [from, to, fed] = [start * perSample, (start + samples) * perSample, rows * perSample];
    const own = predictions(output, fed, to - from);
    predicted.set(own, from);
    const right = labels?.subarray(from, to) ?? askedOnly(own, asked?.subarray(from, to) ?? null);
    margins.set(scoreMargins(output, fed, right), from);
    onBatch?.(output, fed, right);
    const bad = own.findIndex((answer, i) => answer === NO_PREDICTION && right[i] !== NO_ANSWER);
    if (bad >= 0) throw notANumber(path, context.outputName, start + Math.floor(bad / perSample));
  });
  return { predicted, margins };
}

/** Answers, with `NO_ANSWER` in the place of those that are not asked for. */
export function askedOnly(answers: Int32Array, asked: Uint8Array | null): Int32Array {
  return asked ? answers.map((answer, i) => (asked[i] === 1 ? answer : NO_ANSWER)) : answers;
}

export function notANumber(path: string, outputName: string, sample: number): ExpectedError {
  return new ExpectedError(
    `${path} gives NaN in its output "${outputName}" for validation sample ${sample}: ` +
      `check the preprocessing, and the weights with "ranklens analyze --weights-only".`,
  );
}
