/** The samples of one batch: how many there are, and how many of them the original gets right. */
export interface BatchAnswers {
  readonly samples: number;
  readonly right: number;
}

/**
 * The answers of one evaluation, counted batch by batch until it is certain whether at least `needed` are right. Which
 * batch comes next is chosen for an early end; the verdict is that of a full count in any order.
 */
export class Tally {
  private right = 0;
  private wrong = 0;
  /** Right answers of the original among the samples that were run. */
  private rightBefore = 0;
  private readonly left: Set<number>;
  private readonly samples: number;
  private readonly originalRight: number;
  /** Samples of the largest batch. */
  private readonly largest: number;

  /** @param batches in the order of `fragileOutside`: right answers from fragile to safe, then wrong ones, safe to fragile. */
  constructor(
    private readonly batches: readonly BatchAnswers[],
    private readonly needed: number,
  ) {
    this.left = new Set(batches.keys());
    this.samples = sum(batches.map(({ samples }) => samples));
    this.originalRight = sum(batches.map(({ right }) => right));
    this.largest = Math.max(1, ...batches.map(({ samples }) => samples));
  }

  /**
   * The batch to run next; null once the verdict is certain, also for a threshold one sample lower or higher: that is
   * what tells how firm a rank is.
   */
  next(): number | null {
    const failed = this.wrong > this.samples - (this.needed - 1);
    const passed = this.right >= this.needed + 1;
    if (failed || passed || this.left.size === 0) return null;
    return this.likelyPasses() ? this.likeliestRight() : this.likeliestWrong();
  }

  /** How many batches more it takes at least until a verdict is certain. */
  get leastLeft(): number {
    const toPass = this.needed + 1 - this.right;
    const toFail = this.samples - (this.needed - 1) + 1 - this.wrong;
    return Math.ceil(Math.min(toPass, toFail) / this.largest);
  }

  /** The batches that come next, at most `count`, if their answers are those of the original. */
  upcoming(count: number): number[] {
    const ahead = new Tally(this.batches, this.needed);
    for (const batch of this.batches.keys()) if (!this.left.has(batch)) ahead.left.delete(batch);
    [ahead.right, ahead.wrong, ahead.rightBefore] = [this.right, this.wrong, this.rightBefore];
    const found: number[] = [];
    while (found.length < count) {
      const next = ahead.next();
      if (next === null) break;
      found.push(next);
      ahead.add(next, this.batches[next].right);
    }
    return found;
  }

  add(batch: number, right: number): void {
    const { samples, right: before } = this.batches[batch];
    this.left.delete(batch);
    this.right += right;
    this.wrong += samples - right;
    this.rightBefore += before;
  }

  get passed(): boolean {
    return this.right >= this.needed;
  }

  /** Right answers over all samples; null where the evaluation stopped before the last batch. */
  get correct(): number | null {
    return this.left.size === 0 ? this.right : null;
  }

  /** Right answers that are certain, and how many there can be. */
  get bounds(): readonly [atLeast: number, atMost: number] {
    return [this.right, this.samples - this.wrong];
  }

  /** Right answers where those not run are `fall` fewer than the original's, within what the verdict leaves open. */
  estimate(fall: number): number {
    const found = Math.round(this.expected() - fall);
    const [atLeast, atMost] = this.bounds;
    return this.passed
      ? Math.max(Math.min(found, atMost), atLeast, this.needed)
      : Math.min(Math.max(found, atLeast), atMost, this.needed - 1);
  }

  private expected(): number {
    return this.right + this.originalRight - this.rightBefore;
  }

  private likelyPasses(): boolean {
    return this.expected() >= this.needed;
  }

  /** What the original gets right, the fragile first, since they may turn the verdict; then its fragile mistakes. */
  private likeliestRight(): number {
    const first = Math.min(...this.left);
    return this.batches[first].right > 0 ? first : Math.max(...this.left);
  }

  /** What the original gets wrong, the fragile first; then its fragile right answers. */
  private likeliestWrong(): number {
    const last = Math.max(...this.left);
    const { samples, right } = this.batches[last];
    return right < samples ? last : Math.min(...this.left);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
