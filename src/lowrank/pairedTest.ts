import type { MarginModel, Moves } from "./marginModel";
import { normalQuantile } from "./normal";

/** The verdict of a test, as soon as there is one. */
export interface TestVerdict {
  readonly passed: boolean;
  /** Right answers to be expected over all samples. */
  readonly estimate: number;
  /** False where samples ran out before the error probability was reached: the estimate then decides. */
  readonly certain: boolean;
}

/** Samples before the first look; each further look comes at twice as many. */
const FIRST_LOOK = 32;
/** Samples per batch. */
export const TEST_BATCH = 8;

/**
 * Behind a layer with the whole network this share of the samples is run at most, and more where less lies behind it: the
 * error of an estimate falls with 1/√n, so that samples are best spent where they cost little.
 */
const SHARE = 0.024;
const LEAST_SAMPLES = 32;
const MOST_SAMPLES = 1024;
const MOST_FACTOR = 4;

/**
 * The most samples that a test runs, of `samples` in all.
 * @param cost the share of the network that lies behind the layer; 0 for the most that any test runs.
 */
export function testSamples(samples: number, cost = 0): number {
  const base = Math.max(LEAST_SAMPLES, Math.min(MOST_SAMPLES, Math.ceil(samples * SHARE)));
  return Math.min(samples, Math.ceil(base * Math.min(MOST_FACTOR, 1 / Math.sqrt(cost))));
}

/**
 * A sequential test of whether a candidate is right on at least `needed` of all samples, from paired answers: those of the
 * candidate beside the original's on the same samples, the most fragile first.
 *
 * After n samples the fall in right answers is the one counted on them, plus what {@link MarginModel} expects of the rest.
 * Its variance has two parts: each sample of the rest flips or not, Σ p(1 − p); and margins may all have moved together,
 * by a mean known to 1/√n standard deviations from the n samples. The test looks at n = 32, 64, 128 … and decides once the
 * fall is z standard deviations away from the one allowed. With z = Φ⁻¹(1 − α / looks), the chance of a wrong verdict at
 * any look stays below α (Bonferroni). That holds as far as the model does: moves that are normal, alike in fragile and
 * safe samples. Of 524 verdicts on ResNet-20 at z = 3.09, with as many samples as each took, 3 were wrong.
 *
 * Near the threshold certainty takes most of the samples. So the test ends at a limit ({@link testSamples}), where the
 * estimate decides; that verdict is marked as not certain, and reports count them.
 */
export class PairedTest {
  private readonly deviations: number;
  private readonly most: number;
  private nextLook = FIRST_LOOK;

  constructor(
    private readonly model: MarginModel,
    private readonly needed: number,
    errorProbability: number,
    share: number,
  ) {
    this.most = testSamples(model.samples, share);
    const looks = Math.ceil(Math.log2(Math.max(1, this.most / FIRST_LOOK))) + 1;
    this.deviations = normalQuantile(errorProbability / looks);
  }

  /** Samples that are run before there can be a verdict. */
  get nextSamples(): number {
    return Math.min(this.nextLook, this.most);
  }

  /** The verdict after `moves`, with `fall` right answers fewer than the original among them; null to go on. */
  verdict(moves: Moves, fall: number): TestVerdict | null {
    const { seen, spread, run } = moves;
    const last = seen >= this.most;
    if (seen < this.nextLook && !last) return null;
    this.nextLook *= 2;
    const { mean, variance, perShift } = this.model.expectedFall(spread, run);
    const estimate = this.model.originalRight - fall - mean;
    // Half a sample: the count is whole.
    const above = estimate - (this.needed - 0.5);
    const deviation = Math.sqrt(variance + perShift ** 2 / seen);
    const certain = Math.abs(above) > this.deviations * deviation;
    return certain || last ? { passed: above > 0, estimate: Math.round(estimate), certain } : null;
  }
}
