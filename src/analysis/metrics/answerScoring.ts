import { cutIntoBatches, rearranged } from "../../calibration/batches";
import { ExpectedError } from "../../errors";
import { classCount, countCorrect, NO_ANSWER, predictions } from "../../lowrank/accuracy";
import { rightAnswers } from "../../lowrank/criterion";
import { TEST_BATCH, testSamples } from "../../lowrank/pairedTest";
import { evaluationBatch, fragileFirst, fragileOutside } from "../../lowrank/sampleOrder";
import { answersOfOriginal, askedOnly, runAll } from "../accuracy";
import { Likelihood } from "./likelihood";
import type { Measured, Questions } from "./metric";
import type { MetricScoring } from "./scoring";

/** Counts right answers: those of the original first. */
export async function scoreAnswersOfOriginal(
  measured: Measured,
  { perSample, targets: known, asked, likelihood }: Questions,
): Promise<MetricScoring> {
  const { path, context, validation, output, index } = measured;
  const surprise = new Likelihood(index, output.name);
  const { predicted, margins } = await answersOfOriginal(path, context, known, {
    perSample,
    asked,
    ...(likelihood ? { onBatch: surprise.add.bind(surprise) } : {}),
  });
  const targets = known ?? askedOnly(predicted, asked);
  const right = Uint8Array.from(targets, (target, i) => Number(predicted[i] === target));
  const answers = targets.reduce((sum, target) => sum + Number(target !== NO_ANSWER), 0);
  if (answers === 0) {
    throw new ExpectedError(
      `${path}: the mask leaves out all positions of the validation data, so nothing can be right.`,
    );
  }
  const originalRight = right.reduce((sum, one) => sum + one, 0);
  return {
    answers,
    targets,
    classes: perSample === 1 ? classCount(output.dims, output.rows) : (output.dims.at(-1) ?? null),
    errorOfMean: null,
    original: { value: originalRight / answers, perplexity: likelihood ? surprise.perplexity : null },
    async measure(model, onWork) {
      let found = 0;
      const likely = new Likelihood(index, output.name);
      await runAll([model], { ...context, onWork }, ([scores], { start, samples, rows }) => {
        const part = targets.subarray(start * perSample, (start + samples) * perSample);
        found += countCorrect(predictions(scores, rows * perSample, part.length), part, 0);
        if (likelihood) likely.add(scores, rows * perSample, part);
      });
      return { value: found / answers, perplexity: likelihood ? likely.perplexity : null };
    },
    criterion: (tolerance) => rightAnswers(originalRight, answers, tolerance),
    evaluation(search, macsPerSample) {
      const perOne = perSample === 1 ? { margins, right } : bySample({ margins, right, targets }, perSample);
      const exact = search === "exact";
      const order = exact ? fragileOutside(perOne.margins, perOne.right) : fragileFirst(perOne.margins);
      const most = context.batches.size;
      const size = exact ? evaluationBatch(order.length, macsPerSample, most) : Math.min(TEST_BATCH, most);
      const used = exact ? order : order.subarray(0, testSamples(order.length));
      const all = answersIn(order, perSample);
      const counted = all.filter((at) => targets[at] !== NO_ANSWER);
      return {
        batches: cutIntoBatches(rearranged(validation, used), index.dataInputs, size),
        reference: {
          kind: "answers",
          perSample,
          targets: Int32Array.from(all, (at) => targets[at]),
          right: Uint8Array.from(counted, (at) => right[at]),
          margins: Float64Array.from(counted, (at) => margins[at]),
        },
      };
    },
  };
}

/** The positions of all answers of the samples, in the order of the samples. */
function answersIn(samples: Uint32Array, perSample: number): Uint32Array {
  const found = new Uint32Array(samples.length * perSample);
  samples.forEach((sample, i) => {
    for (let answer = 0; answer < perSample; answer++) found[i * perSample + answer] = sample * perSample + answer;
  });
  return found;
}

/** Of each sample the mean margin of its answers, and the share of them that the original gets right. */
function bySample(
  each: { readonly margins: Float64Array; readonly right: Uint8Array; readonly targets: Int32Array },
  perSample: number,
): { margins: Float64Array; right: Float64Array } {
  const samples = each.targets.length / perSample;
  const [margins, right] = [new Float64Array(samples), new Float64Array(samples)];
  for (let sample = 0; sample < samples; sample++) {
    let [asked, margin, correct] = [0, 0, 0];
    for (let at = sample * perSample; at < (sample + 1) * perSample; at++) {
      if (each.targets[at] === NO_ANSWER) continue;
      asked++;
      margin += each.margins[at];
      correct += each.right[at];
    }
    [margins[sample], right[sample]] = asked === 0 ? [0, 0] : [margin / asked, correct / asked];
  }
  return { margins, right };
}
