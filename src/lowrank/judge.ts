import type { BatchScore, Expected } from "./batchScore";
import type { Extent } from "./boundary";

/** What is known of a candidate when its verdict is certain. */
export interface Judgement {
  /** Right answers, or the relative error of the output; null where not all batches were run. */
  readonly result: number | null;
  readonly passed: boolean;
  /** Of what stopped early, the result as far as was seen. */
  readonly estimate?: number;
  /** Answers that are right for certain, and how many can be. */
  readonly bounds?: readonly [atLeast: number, atMost: number];
}

/** The batches of one evaluation. One that is begun runs to its end, whether its score is asked for or not. */
export interface Candidate {
  begin(batch: number): void;
  score(batch: number): Promise<BatchScore>;
}

/** Batches that are under way at a time. */
export interface Ahead {
  /** Where all of them are needed for certain. */
  readonly certain: number;
  /** Where the verdict may come before. */
  readonly open: number;
}

/** Tells from the scores of batches whether a candidate passes. */
export interface Judge {
  /** What the output of a batch is held against. */
  expected(batch: number, extent: Extent): Expected;
  /** The result over all batches: right answers, or the relative error of the output. */
  result(run: Candidate, ahead: Ahead): Promise<number>;
  /** Whether the result reaches `limit`, as {@link result} would tell; it stops as soon as that is certain. */
  judge(run: Candidate, limit: number, ahead: Ahead): Promise<Judgement>;
}
