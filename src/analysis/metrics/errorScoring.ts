import { cutIntoBatches, rearranged, type Batch } from "../../calibration/batches";
import { ExpectedError } from "../../errors";
import { extentOf } from "../../lowrank/boundary";
import { attendedIn } from "../../lowrank/errorJudge";
import { relativeError } from "../../lowrank/criterion";
import { evaluationBatch, largestFirst } from "../../lowrank/sampleOrder";
import { MeanOutput, squaredError, squaredNorm, squaredNorms, type Counted } from "../../lowrank/squaredError";
import { modelFile, notANumber, runAll } from "../accuracy";
import type { Measured } from "./metric";
import { attendedPositions } from "./padding";
import type { MetricScoring } from "./scoring";
import { tokenInput } from "./tokens";

/** Sums up how far outputs are from the original's: how large those are first. */
export async function scoreOutputOfOriginal(measured: Measured): Promise<MetricScoring> {
  const { path, context, validation, index } = measured;
  const { batches, outputName } = context;
  const attended = attendedOutput(measured);
  const countedIn = (batch: Batch): Counted => ({ ...batch, attended: attendedIn(attended, batches.samples, batch) });
  const ofBatch = new Float64Array(batches.count);
  const ofSample = new Float64Array(batches.samples);
  const mean = new MeanOutput();
  let bySample = true;
  await runAll([modelFile(path)], context, ([output], batch) => {
    const counted = countedIn(batch);
    const norm = squaredNorm(output, counted);
    const each = squaredNorms(output, counted);
    if (Number.isNaN(norm)) {
      throw notANumber(path, outputName, batch.start + Math.max(0, each?.findIndex(Number.isNaN) ?? 0));
    }
    ofBatch[Math.floor(batch.start / batches.size)] = norm;
    mean.add(output, counted);
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
        squared += squaredError(found, original, countedIn(batch));
      });
      return { value: Number.isFinite(squared) ? squared / total : null, perplexity: null };
    },
    criterion: relativeError,
    evaluation(_, macsPerSample) {
      // What samples share cannot be put into another order, nor be cut in other places.
      if (!bySample) return { batches, reference: { kind: "output", squaredNorms: ofBatch, attended } };
      const order = largestFirst(ofSample);
      const size = evaluationBatch(order.length, macsPerSample, batches.size);
      const cut = cutIntoBatches(rearranged(validation, order), index.dataInputs, size);
      const inOrder = Float64Array.from(order, (sample) => ofSample[sample]);
      const norms = Float64Array.from({ length: cut.count }, (_, batch) => {
        const { start, samples } = extentOf(cut, batch);
        return sum(inOrder.subarray(start, start + samples));
      });
      const reordered = attended && inOrderOf(attended, order);
      return { batches: cut, reference: { kind: "output", squaredNorms: norms, attended: reordered } };
    },
  };
}

/**
 * Which positions of an output [samples, positions, …] count, where it has one for each of a sequence that is padded; else
 * null. Two sizes may be alike by chance: an axis that the model fixes is not that of sequences that it leaves free, and a
 * value for each of some things, [samples, things], is taken for one of each position only where the model leaves both free.
 */
function attendedOutput({ index, output, context: { batches } }: Measured): Uint8Array | null {
  const [rows, positions] = output.dims;
  if (output.dims.length < 2 || rows !== output.rows) return null;
  const inputs = index.dataInputs;
  const ids = tokenInput(inputs, batches.smallest().values, rows, positions);
  const axis = index.graph.outputs.find(({ name }) => name === output.name)?.shape?.[1] ?? null;
  const isFreeInput = ids !== null && typeof ids.shape?.[1] !== "number";
  if (typeof axis === "number" && isFreeInput) return null;
  if (output.dims.length === 2 && typeof axis !== "string") return null;
  return attendedPositions(inputs, batches, { ids, positions });
}

/** The rows of samples in another order. */
function inOrderOf(attended: Uint8Array, order: Uint32Array): Uint8Array {
  const positions = attended.length / order.length;
  const found = new Uint8Array(attended.length);
  order.forEach((sample, at) => {
    found.set(attended.subarray(sample * positions, (sample + 1) * positions), at * positions);
  });
  return found;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
