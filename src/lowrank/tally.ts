/** The answers of one batch: how many there are, and how many of them the original gets right. */
export interface BatchAnswers {
  readonly answers: number;
  readonly right: number;
}

/**
 * The answers of one evaluation, counted batch by batch until it is certain whether at least `needed` are right. Which
 * batch comes next is chosen for an early end; the verdict is that of a full count in any order.
 */
export class Tally {
  private right = 0;
  private wrong = 0;
  /** Right answers of the original among those that were run. */
  private rightBefore = 0;
  private readonly left: Set<number>;
  private readonly answers: number;
  private readonly originalRight: number;
  /** Answers of the largest batch. */
  private readonly largest: number;

  /** @param batches in the order of `fragileOutside`: right answers from fragile to safe, then wrong ones, safe to fragile. */
  constructor(
    private readonly batches: readonly BatchAnswers[],
    private readonly needed: number,
  ) {
    this.left = new Set(batches.keys());
    this.answers = sum(batches.map(({ answers }) => answers));
    this.originalRight = sum(batches.map(({ right }) => right));
    this.largest = Math.max(1, ...batches.map(({ answers }) => answers));
  }

  /**
   * The batch to run next; null once the verdict is certain, also for a threshold one answer lower or higher: that is
   * what tells how firm a rank is.
   */
  next(): number | null {
    const failed = this.wrong > this.answers - (this.needed - 1);
    const passed = this.right >= this.needed + 1;
    if (failed || passed || this.left.size === 0) return null;
    return this.likelyPasses() ? this.likeliestRight() : this.likeliestWrong();
  }

  /** How many batches more it takes at least until a verdict is certain. */
  get leastLeft(): number {
    const toPass = this.needed + 1 - this.right;
    const toFail = this.answers - (this.needed - 1) + 1 - this.wrong;
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
    const { answers, right: before } = this.batches[batch];
    this.left.delete(batch);
    this.right += right;
    this.wrong += answers - right;
    this.rightBefore += before;
  }

  get passed(): boolean {
    return this.right >= this.needed;
  }

  /** Right answers over all batches; null where the evaluation stopped before the last batch. */
  get correct(): number | null {
    return this.left.size === 0 ? this.right : null;
  }

  /** Right answers that are certain, and how many there can be. */
  get bounds(): readonly [atLeast: number, atMost: number] {
    return [this.right, this.answers - this.wrong];
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
    const { answers, right } = this.batches[last];
    return right < answers ? last : Math.min(...this.left);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
