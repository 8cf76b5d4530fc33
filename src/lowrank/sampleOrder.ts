/**
 * The order in which samples are evaluated, as positions in the data: those that the original gets right, the most
 * fragile first (smallest margin), then those that it gets wrong, the safest first. What is most likely to change an
 * answer so lies at the two ends, and batches are of one kind.
 *
 * @param margins per sample, how far the score of its right class lies above the best other one; of several answers the mean.
 * @param right per sample, 1 where the original is right; of several answers the share that is.
 */
export function fragileOutside(margins: Float64Array, right: Uint8Array | Float64Array): Uint32Array {
  // The sort is stable: samples of equal margin stay in the order of the data.
  return Uint32Array.from(margins.keys()).sort((a, b) => right[b] - right[a] || margins[a] - margins[b]);
}

/** The order for a test that may stop at any sample: the smallest margins first, right or wrong. */
export function fragileFirst(margins: Float64Array): Uint32Array {
  return Uint32Array.from(margins.keys()).sort((a, b) => Math.abs(margins[a]) - Math.abs(margins[b]));
}

/** The order for errors that are summed up: where the output is large first, since errors grow with it. */
export function largestFirst(squaredNorms: Float64Array): Uint32Array {
  return Uint32Array.from(squaredNorms.keys()).sort((a, b) => squaredNorms[b] - squaredNorms[a]);
}

/** Batches into which the samples of an evaluation are cut, so that one can stop soon after its verdict is certain. */
const BATCHES = 40;
/** Multiply–adds that a batch should have at least, or the cost of a call outweighs them. */
const LEAST_MACS = 2 ** 28;

/** Samples per batch of an evaluation; `most` is what memory allows. */
export function evaluationBatch(samples: number, macsPerSample: number, most: number): number {
  const wanted = Math.max(Math.ceil(samples / BATCHES), Math.ceil(LEAST_MACS / Math.max(1, macsPerSample)));
  return Math.max(1, Math.min(wanted, most));
}
