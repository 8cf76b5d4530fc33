/** A piece of work in the queue. */
export interface Queued<Result> {
  /** Settles as the work does; rejects with the signal's reason where it is cancelled before it has begun. */
  readonly result: Promise<Result>;
  /** Aborts the signal of work that runs, and takes out work that waits. */
  cancel(): void;
  readonly cancelled: boolean;
}

interface Entry {
  readonly start: () => void;
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
    const result = new Promise<Result>((resolve, reject) => {
      const entry: Entry = {
        start: () =>
          void run(stop.signal)
            .then(resolve, reject)
            .finally(() => this.remove(entry)),
        onWaiting,
        cancel: () => stop.abort(),
      };
      stop.signal.addEventListener("abort", () => {
        if (this.entries[0] === entry) return;
        this.remove(entry);
        // As AbortSignal does, whatever the reason is.
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        reject(stop.signal.reason);
      });
      this.entries = [...this.entries, entry];
      if (this.entries.length === 1) entry.start();
      else onWaiting(this.entries.length - 1);
    });
    return {
      result,
      cancel: () => stop.abort(),
      get cancelled() {
        return stop.signal.aborted;
      },
    };
  }

  /** Cancels everything. */
  clear(): void {
    // From the last on, so that nothing moves up and begins.
    for (const entry of [...this.entries].reverse()) entry.cancel();
  }

  private remove(entry: Entry): void {
    const index = this.entries.indexOf(entry);
    if (index === -1) return;
    this.entries = this.entries.filter((other) => other !== entry);
    if (index === 0) this.entries[0]?.start();
    this.entries.forEach(({ onWaiting }, ahead) => {
      if (ahead >= Math.max(index, 1)) onWaiting(ahead);
    });
  }
}
