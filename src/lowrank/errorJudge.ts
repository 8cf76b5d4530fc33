import type { Batches } from "../calibration/batches";
import type { Expected } from "./batchScore";
import type { Extent } from "./boundary";
import type { Ahead, Candidate, Judge, Judgement } from "./judge";

/** The original's own output, which the evaluator keeps beside the values in front of a layer. */
export interface OutputReference {
  readonly kind: "output";
  /** ‖Y‖² of each batch. */
  readonly squaredNorms: Float64Array;
  /** [samples, positions] in the order of the samples: 0 where a position of the output does not count; null where all do. */
  readonly attended: Uint8Array | null;
}

/**
 * Sums up ‖Y − Y′‖² over ‖Y‖² of all batches, in their order. It can only grow, so that a candidate is out as soon as it
 * passes the limit, and one that is good enough runs all.
 */
export class ErrorJudge implements Judge {
  private readonly total: number;

  constructor(
    private readonly reference: OutputReference,
    private readonly batches: Batches,
    private readonly outputName: string,
  ) {
    this.total = reference.squaredNorms.reduce((sum, norm) => sum + norm, 0);
  }

  expected(_: number, { start, rows, samples }: Extent): Expected {
    const attended = attendedIn(this.reference.attended, this.batches.samples, { start, samples });
    return { kind: "output", name: this.outputName, rows, samples, attended };
  }

  async result(run: Candidate, { certain }: Ahead): Promise<number> {
    return (await this.sum(run, Infinity, certain)).error;
  }

  async judge(run: Candidate, limit: number, { open }: Ahead): Promise<Judgement> {
    const { error, seen, batches } = await this.sum(run, limit, open);
    const passed = error <= limit;
    // What is no number is in no report.
    if (!Number.isFinite(error)) return { result: null, passed };
    if (batches === this.batches.count) return { result: error, passed };
    return { result: null, passed, estimate: seen > 0 ? (error * this.total) / seen : error };
  }

  /** The relative error of the batches up to where it passes `limit`; `seen`: their ‖Y‖². */
  private async sum(
    run: Candidate,
    limit: number,
    ahead: number,
  ): Promise<{ readonly error: number; readonly seen: number; readonly batches: number }> {
    const { count } = this.batches;
    let [squared, seen, batches] = [0, 0, 0];
    while (batches < count && squared / this.total <= limit) {
      for (let next = batches; next < Math.min(count, batches + ahead); next++) run.begin(next);
      const score = await run.score(batches);
      if (score.kind !== "output") throw new TypeError("errors were asked for");
      squared += score.squaredError;
      seen += this.reference.squaredNorms[batches];
      batches++;
    }
    return { error: squared / this.total, seen, batches };
  }
}

/** The part of a run of samples, in memory of its own: it may be sent to another thread. */
export function attendedIn(
  attended: Uint8Array | null,
  allSamples: number,
  { start, samples }: Pick<Extent, "start" | "samples">,
): Uint8Array | null {
  if (!attended) return null;
  const positions = attended.length / allSamples;
  return attended.slice(start * positions, (start + samples) * positions);
}
