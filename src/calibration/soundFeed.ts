import { basename } from "node:path";
import type { Preprocess } from "../config";
import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import type { Feed, LoadedFeed } from "./feed";
import { showBatch } from "./layout";
import { resampledLength, resampler, type Resampler } from "./resample";
import type { LoadOptions, Recording, SampleArray, SoundSource, SourceLabels } from "./source";

/** The sampling rate of most speech models, where none is named. */
export const USUAL_RATE = 16_000;
/** Windows are kept in memory for all evaluations. */
const MOST_BYTES = 4 * 2 ** 30;

/** Windows of a data set: at 32 ms each, six days. */
const MOST_WINDOWS = 2 ** 24;

/** A part of a recording, at the sampling rate of the model. */
interface Window {
  readonly recording: Recording;
  readonly start: number;
  readonly label: number | null;
}

/** Windows of recordings for an input. @throws ExpectedError if it takes no sound, or nothing tells the length of a window. */
export function soundFeed(
  path: string,
  source: SoundSource,
  inputs: readonly ValueInfo[],
  preprocess: Preprocess,
): Feed {
  const [input] = inputs;
  const rate = preprocess.sampleRate ?? USUAL_RATE;
  const length = windowLength(source, input, preprocess, rate);
  const total = source.recordings.reduce(
    (sum, { frames, rate: own }) => sum + resampledLength(frames, own, rate) / length,
    0,
  );
  if (total > MOST_WINDOWS) {
    throw new ExpectedError(
      `${path} has ${Math.floor(total)} windows of ${length} samples, and at most ${MOST_WINDOWS} are supported; use fewer recordings`,
    );
  }
  const windows = source.recordings.flatMap((recording, at): Window[] => {
    const whole = resampledLength(recording.frames, recording.rate, rate);
    const label = source.labels?.values[at] ?? null;
    // A recording shorter than a window is one, with silence behind it.
    return Array.from({ length: Math.max(1, Math.floor(whole / length)) }, (_, i) => ({
      recording,
      start: i * length,
      label,
    }));
  });
  const sampleShape = shapeOf(input, length);
  return {
    ...{ path, source, inputs, count: windows.length, labels: labelsOf(source, windows) },
    warnings: [...source.warnings, ...rateWarning(source, preprocess)],
    load: (indices, options) => loadWindows(path, windows, { input, length, rate, sampleShape }, indices, options),
    sha256: () => source.sha256(),
  };
}

function labelsOf({ labels }: SoundSource, windows: readonly Window[]): SourceLabels | null {
  return labels && { ...labels, values: Int32Array.from(windows, ({ label }) => label ?? 0) };
}

function rateWarning({ recordings, path }: SoundSource, { sampleRate }: Preprocess): string[] {
  const other = recordings.find(({ rate }) => rate !== USUAL_RATE);
  if (sampleRate !== undefined || other === undefined) return [];
  return [
    `${path}: resampled from ${other.rate} to ${USUAL_RATE} Hz, which is a guess: set preprocess.sampleRate to what the model takes.`,
  ];
}

/** The axis of time: the last one of [N, T] and [N, 1, T], the one before of [N, T, 1]. */
function timeAxis(shape: readonly unknown[]): number {
  return shape.length === 3 && shape[2] === 1 && shape[1] !== 1 ? 1 : shape.length - 1;
}

function shapeOf({ name, shape }: ValueInfo, length: number): readonly number[] {
  if (shape === null || shape.length === 2) return [length];
  const rest = shape.slice(1).filter((_, at) => at + 1 !== timeAxis(shape));
  if (shape.length === 3 && (rest[0] === 1 || typeof rest[0] !== "number")) {
    return timeAxis(shape) === 1 ? [length, 1] : [1, length];
  }
  throw new ExpectedError(
    `the model's input "${name}" takes ${showBatch(shape.slice(1))}, and recordings give [N,samples]; compute what the ` +
      `model takes (a spectrogram?) and save it as .npy`,
  );
}

function windowLength(
  { recordings }: SoundSource,
  { name, shape }: ValueInfo,
  { samples }: Preprocess,
  rate: number,
): number {
  const fixed = shape?.[timeAxis(shape)];
  if (typeof fixed === "number" && shape!.length > 1) {
    if (samples === undefined || samples === fixed) return fixed;
    throw new ExpectedError(
      `preprocess.samples is ${samples}, and the model's input "${name}" takes windows of ${fixed}; remove it`,
    );
  }
  if (samples !== undefined) return samples;
  const lengths = recordings.map(({ frames, rate: own }) => resampledLength(frames, own, rate));
  const other = lengths.findIndex((length) => length !== lengths[0]);
  if (other < 0) return lengths[0];
  throw new ExpectedError(
    `recordings differ in length: at ${rate} Hz ${basename(recordings[0].path)} has ${lengths[0]} samples and ` +
      `${basename(recordings[other].path)} ${lengths[other]}; set preprocess.samples to the length of the model's windows`,
  );
}

interface Form {
  readonly input: ValueInfo;
  readonly length: number;
  readonly rate: number;
  readonly sampleShape: readonly number[];
}

async function loadWindows(
  path: string,
  windows: readonly Window[],
  { input, length, rate, sampleShape }: Form,
  indices: Uint32Array,
  { signal }: LoadOptions,
): Promise<LoadedFeed> {
  const keptBytes = indices.length * length * Float32Array.BYTES_PER_ELEMENT;
  if (keptBytes > MOST_BYTES) {
    throw new ExpectedError(
      `${path}: ${indices.length} windows of ${length} samples take ${keptBytes} bytes, and at most ${MOST_BYTES} are kept in ` +
        `memory; set "limit" to ${Math.max(1, Math.floor(MOST_BYTES / (4 * length)))} or less`,
    );
  }
  const kept = new Map<number, Float32Array>();
  const resamplers = new Map<number, Resampler>();
  for (const index of indices) {
    signal?.throwIfAborted();
    const { recording, start } = windows[index];
    const change = resamplers.get(recording.rate) ?? resampler(recording.rate, rate);
    resamplers.set(recording.rate, change);
    kept.set(
      index,
      change((first, count) => withSilence(recording, first, count), start, length),
    );
    // Lets an abort through.
    if (kept.size % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const samples: SampleArray = {
    ...{ path, dtype: "float32", sampleShape, layout: null, count: windows.length },
    read(start, count) {
      const data = new Float32Array(count * length);
      for (let i = 0; i < count; i++) {
        const window = kept.get(start + i);
        if (!window) throw new RangeError(`window ${start + i} of ${path} was not loaded`);
        data.set(window, i * length);
      }
      return data;
    },
  };
  return { samples: new Map([[input.name, samples]]), indices, keptBytes, warnings: [] };
}

/** Samples of a recording, with zeros before its beginning and behind its end. */
function withSilence(recording: Recording, first: number, count: number): Float32Array {
  const [from, to] = [Math.max(0, first), Math.min(recording.frames, first + count)];
  const result = new Float32Array(count);
  if (to > from) result.set(recording.read(from, to - from), from - first);
  return result;
}
