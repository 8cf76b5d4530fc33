import { classScores, NO_ANSWER } from "../../lowrank/accuracy";
import type { GraphIndex } from "../../onnx/graphIndex";
import type { TensorValue } from "../../runtime/session";
import { lastOperator } from "./classes";

/** Adds up how unlikely a language model finds the tokens that come next. */
export class Likelihood {
  private surprise = 0;
  private count = 0;
  /** Scores are logits, or logarithms of probabilities, unless the model ends in Softmax. */
  private readonly areProbabilities: boolean;

  constructor(index: GraphIndex, outputName: string) {
    this.areProbabilities = lastOperator(index, outputName) === "Softmax";
  }

  /** Scores of `fed` answers, of which the first ones have these right classes. */
  add(output: TensorValue, fed: number, right: Int32Array): void {
    const { data, classes } = classScores(output, fed);
    right.forEach((target, answer) => {
      if (target === NO_ANSWER) return;
      const scores = data.subarray(answer * classes, (answer + 1) * classes);
      this.count++;
      this.surprise += this.areProbabilities ? -Math.log(scores[target]) : logSumExp(scores) - scores[target];
    });
  }

  /** exp of the mean of −ln p; null where it is no finite number. */
  get perplexity(): number | null {
    const found = Math.exp(this.surprise / this.count);
    return Number.isFinite(found) ? found : null;
  }
}

function logSumExp(scores: Float32Array | Float64Array): number {
  let most = -Infinity;
  for (const score of scores) most = Math.max(most, score);
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - most);
  return most + Math.log(sum);
}
