import { cutIntoBatches, rearranged } from "../../calibration/batches";
import { ExpectedError } from "../../errors";
import { extentOf } from "../../lowrank/boundary";
import { relativeError } from "../../lowrank/criterion";
import { evaluationBatch, largestFirst } from "../../lowrank/sampleOrder";
import { MeanOutput, squaredError, squaredNorm, squaredNorms } from "../../lowrank/squaredError";
import { modelFile, notANumber, runAll } from "../accuracy";
import type { Measured } from "./metric";
import type { MetricScoring } from "./scoring";

/** Sums up how far outputs are from the original's: how large those are first. */
export async function scoreOutputOfOriginal({ path, context, validation, index }: Measured): Promise<MetricScoring> {
  const { batches, outputName } = context;
  const ofBatch = new Float64Array(batches.count);
  const ofSample = new Float64Array(batches.samples);
  const mean = new MeanOutput();
  let bySample = true;
  await runAll([modelFile(path)], context, ([output], batch) => {
    const norm = squaredNorm(output, batch);
    const each = squaredNorms(output, batch);
    if (Number.isNaN(norm)) {
      throw notANumber(path, outputName, batch.start + Math.max(0, each?.findIndex(Number.isNaN) ?? 0));
    }
    ofBatch[Math.floor(batch.start / batches.size)] = norm;
    mean.add(output, batch);
    if (each) ofSample.set(each, batch.start);
    else bySample = false;
  });
  const total = sum(ofBatch);
  if (total === 0) {
    throw new ExpectedError(
      `${path} gives only zeros in its output "${outputName}" on the validation data, so that no error can be relative to it. ` +
        `Name another output with "output" in the config, or check the data.`,
    );
  }
  return {
    answers: null,
    classes: null,
    targets: null,
    original: { value: 0, perplexity: null },
    errorOfMean: bySample ? 1 - mean.squaredNorm / total : null,
    async measure(model, onWork) {
      let squared = 0;
      await runAll([modelFile(path), model], { ...context, onWork }, ([original, found], batch) => {
        squared += squaredError(found, original, batch);
      });
      return { value: Number.isFinite(squared) ? squared / total : null, perplexity: null };
    },
    criterion: relativeError,
    evaluation(_, macsPerSample) {
      // What samples share cannot be put into another order, nor be cut in other places.
      if (!bySample) return { batches, reference: { kind: "output", squaredNorms: ofBatch } };
      const order = largestFirst(ofSample);
      const size = evaluationBatch(order.length, macsPerSample, batches.size);
      const cut = cutIntoBatches(rearranged(validation, order), index.dataInputs, size);
      const inOrder = Float64Array.from(order, (sample) => ofSample[sample]);
      const norms = Float64Array.from({ length: cut.count }, (_, batch) => {
        const { start, samples } = extentOf(cut, batch);
        return sum(inOrder.subarray(start, start + samples));
      });
      return { batches: cut, reference: { kind: "output", squaredNorms: norms } };
    },
  };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
