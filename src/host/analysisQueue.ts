/** A piece of work in the queue. */
export interface Queued<Result> {
  /** Settles as the work does; rejects with the signal's reason where it is cancelled before it has begun. */
  readonly result: Promise<Result>;
  /** Aborts the signal of work that runs, and takes out work that waits. */
  readonly cancel: () => void;
  readonly cancelled: boolean;
}

interface Entry {
  readonly ended: Promise<unknown>;
  readonly begin: () => void;
  readonly onWaiting: (ahead: number) => void;
  readonly cancel: () => void;
}

/** Runs one piece of work at a time, in the order in which they were added: each of them wants all cores. */
export class AnalysisQueue {
  /** The first of them runs. */
  private entries: readonly Entry[] = [];

  /** @param onWaiting told how many come first, now and whenever that changes; never where it can begin at once. */
  add<Result>(run: (signal: AbortSignal) => Promise<Result>, onWaiting: (ahead: number) => void): Queued<Result> {
    const stop = new AbortController();
    const { signal } = stop;
    let begin: () => void = () => undefined;
    const turn = new Promise<void>((resolve, reject) => {
      begin = resolve;
      // As AbortSignal does, whatever the reason is.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      signal.addEventListener("abort", () => reject(signal.reason));
    });
    const result = turn
      .then(() => {
        signal.throwIfAborted();
        return run(signal);
      })
      .finally(() => this.remove(entry));
    const entry: Entry = { ended: result, begin, onWaiting, cancel: () => stop.abort() };
    this.entries = [...this.entries, entry];
    if (this.entries.length === 1) begin();
    else onWaiting(this.entries.length - 1);
    return {
      result,
      cancel: entry.cancel,
      get cancelled() {
        return signal.aborted;
      },
    };
  }

  /** Cancels everything, and resolves when all has ended. */
  async clear(): Promise<void> {
    const { entries } = this;
    // From the last on, so that nothing moves up and begins.
    for (const entry of [...entries].reverse()) entry.cancel();
    await Promise.allSettled(entries.map(({ ended }) => ended));
  }

  private remove(entry: Entry): void {
    const index = this.entries.indexOf(entry);
    if (index === -1) return;
    this.entries = this.entries.filter((other) => other !== entry);
    if (index === 0) this.entries[0]?.begin();
    this.entries.forEach(({ onWaiting }, ahead) => {
      if (ahead >= Math.max(index, 1)) onWaiting(ahead);
    });
  }
}
