import { normalDensity, normalTail } from "./normal";

/** What a candidate is likely to do to samples that were not run. */
export interface ExpectedFall {
  /** Right answers fewer than the original's. */
  readonly mean: number;
  /** Variance of that number, sample by sample. */
  readonly variance: number;
  /** How many right answers go per standard deviation by which all margins fall together. */
  readonly perShift: number;
}

/**
 * Guesses the answers of samples that were not run from those that were. A candidate moves the margin of a sample (the
 * score of its right class over the best other one); the answer changes where the margin changes its sign. The moves of
 * samples that were not run are taken as normal and independent, with the mean square of those seen. Fragile samples are
 * run first, so little is left to the guess.
 */
export class MarginModel {
  constructor(
    /** Of the original, sample by sample. */
    private readonly margins: Float64Array,
    /** 1 where the original is right. */
    private readonly right: Uint8Array,
  ) {}

  /** Answers: one for each sample, or several. */
  get samples(): number {
    return this.margins.length;
  }

  /** Right answers of the original. */
  get originalRight(): number {
    return this.right.reduce((sum, one) => sum + one, 0);
  }

  /** Where margins move by `spread` (root mean square), for all samples that `run` does not mark. */
  expectedFall(spread: number, run: Uint8Array): ExpectedFall {
    let [mean, variance, perShift] = [0, 0, 0];
    if (spread === 0) return { mean, variance, perShift };
    for (let i = 0; i < this.margins.length; i++) {
      if (run[i]) continue;
      const margin = Math.abs(this.margins[i]);
      const distance = margin === Infinity ? Infinity : margin / spread;
      const flips = normalTail(distance);
      mean += this.right[i] ? flips : -flips;
      variance += flips * (1 - flips);
      perShift += normalDensity(distance);
    }
    return { mean, variance, perShift };
  }

  /** The spread at which `fall` right answers fewer are to be expected: where a search starts. */
  spreadFor(fall: number): number {
    const none = new Uint8Array(this.samples);
    const scale = this.margins.reduce(
      (most, margin) => (Number.isFinite(margin) ? Math.max(most, Math.abs(margin)) : most),
      0,
    );
    let [low, high] = [0, scale];
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2;
      if (this.expectedFall(middle, none).mean < fall) low = middle;
      else high = middle;
    }
    return high;
  }
}

/** The moves of margins that were seen in one evaluation. */
export class Moves {
  private squares = 0;
  private count = 0;
  /** 1 for each sample that was run. */
  readonly run: Uint8Array;

  constructor(samples: number) {
    this.run = new Uint8Array(samples);
  }

  /** Margins of the samples from `start` on, by the original and by the candidate. */
  add(start: number, original: Float64Array, candidate: Float64Array): void {
    candidate.forEach((margin, i) => {
      const move = margin === original[i] ? 0 : margin - original[i];
      // A score that is no number is as far from right as can be.
      this.squares += Number.isNaN(move) ? Infinity : move * move;
      this.run[start + i] = 1;
    });
    this.count += candidate.length;
  }

  get seen(): number {
    return this.count;
  }

  /** Root mean square. */
  get spread(): number {
    return this.count === 0 ? 0 : Math.sqrt(this.squares / this.count);
  }
}
