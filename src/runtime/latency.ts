import type { CompressionReport } from "../report";
import type { Session, TensorValues } from "./session";

/** Runs before the clock counts: memory plans and caches settle in the first few. */
const WARM_UP = 5;
/** Pairs measured at most, and seconds after which fewer will do. */
const MOST_PAIRS = 50;
const LEAST_PAIRS = 5;
const MOST_SECONDS = 5;

/** Time per run of two models on the same input, run in turn so that both see the same machine. */
export async function pairedLatency(
  before: Session,
  after: Session,
  feeds: TensorValues,
  signal: AbortSignal | undefined,
): Promise<Omit<NonNullable<CompressionReport["latency"]>, "batch">> {
  for (let i = 0; i < WARM_UP; i++) {
    await before.run(feeds);
    await after.run(feeds);
  }
  const times: { before: number; after: number }[] = [];
  const started = performance.now();
  while (times.length < MOST_PAIRS) {
    if (times.length >= LEAST_PAIRS && performance.now() - started > 1000 * MOST_SECONDS) break;
    signal?.throwIfAborted();
    // The first of a pair finds colder caches: take turns.
    const swapped = times.length % 2 === 1;
    const first = await timed(swapped ? after : before, feeds);
    const second = await timed(swapped ? before : after, feeds);
    times.push(swapped ? { before: second, after: first } : { before: first, after: second });
  }
  return {
    runs: times.length,
    milliseconds: { before: median(times.map((pair) => pair.before)), after: median(times.map((pair) => pair.after)) },
    ratio: median(times.map((pair) => pair.after / pair.before)),
  };
}

async function timed(session: Session, feeds: TensorValues): Promise<number> {
  const start = performance.now();
  await session.run(feeds);
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
