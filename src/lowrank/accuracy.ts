import { ExpectedError } from "../errors";
import { elementCount } from "../onnx/tensor";
import type { TensorValue } from "../runtime/session";

type Scores = Float32Array | Float64Array;

/** No class: the scores of a sample hold NaN. Never equals a label. */
export const NO_PREDICTION = -1;
/** In the place of a right class: nothing is asked here (a padded position). Never equals a prediction. */
export const NO_ANSWER = -2;

/** Class scores per sample in an output of `rows` samples: shape [rows, K] or [rows, K, 1, …]. Null for any other. */
export function classCount(dims: readonly number[], rows: number): number | null {
  if (dims.length < 2 || dims[0] !== rows) return null;
  const wide = dims.slice(1).filter((dim) => dim !== 1);
  return wide.length === 1 ? wide[0] : null;
}

/**
 * The class of the highest score of each of the first `samples` rows (of `rows`); the first one where scores tie. Of an
 * output with several answers to a sample, such as [samples, positions, classes], each answer is a row.
 */
export function predictions(output: TensorValue, rows: number, samples: number): Int32Array {
  const { data, classes } = classScores(output, rows);
  const result = new Int32Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    let best = NO_PREDICTION;
    let highest = -Infinity;
    for (let c = 0; c < classes; c++) {
      const score = data[sample * classes + c];
      if (Number.isNaN(score)) {
        best = NO_PREDICTION;
        break;
      }
      if (best === NO_PREDICTION || score > highest) {
        best = c;
        highest = score;
      }
    }
    result[sample] = best;
  }
  return result;
}

/**
 * How far the score of each sample's target class lies above the best of the others, for the first of `targets.length`
 * rows: negative where another class is ahead. A target that is no class is behind all.
 */
export function scoreMargins(output: TensorValue, rows: number, targets: Int32Array): Float64Array {
  const { data, classes } = classScores(output, rows);
  return Float64Array.from(targets, (target, sample) => {
    let other = -Infinity;
    for (let c = 0; c < classes; c++) if (c !== target) other = Math.max(other, data[sample * classes + c]);
    const own = target >= 0 && target < classes ? data[sample * classes + target] : -Infinity;
    return own === other ? 0 : own - other;
  });
}

/** Scores of `rows` rows, one after the other. @throws ExpectedError if they are not floating-point. */
export function classScores(output: TensorValue, rows: number): { data: Scores; classes: number } {
  return { data: floatData(output), classes: elementCount(output.dims) / rows };
}

/** The elements of an output. @throws ExpectedError if they are not floating-point. */
export function floatData({ data, type }: TensorValue): Scores {
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new ExpectedError(`The model's output is ${type}; accuracy can be measured where it is floating-point.`);
}

/** How many of `predicted` equal the targets from `start` on. */
export function countCorrect(predicted: Int32Array, targets: Int32Array, start: number): number {
  let correct = 0;
  for (let i = 0; i < predicted.length; i++) if (predicted[i] === targets[start + i]) correct++;
  return correct;
}

/** Standard errors above chance within which an accuracy is called chance. */
const CHANCE_ERRORS = 3;
/** And this share of the way from chance to perfect, however many samples there are. */
const CHANCE_MARGIN = 0.1;

/** Whether `accuracy` over `samples` is no better than guessing among `classes`, or hardly. */
export function isNearChance(accuracy: number, samples: number, classes: number): boolean {
  const chance = 1 / classes;
  const deviation = Math.sqrt((chance * (1 - chance)) / samples);
  return accuracy < chance + Math.max(CHANCE_ERRORS * deviation, CHANCE_MARGIN * (1 - chance));
}
