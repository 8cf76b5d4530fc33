import type { Batches } from "../calibration/batches";
import { NO_ANSWER } from "./accuracy";
import type { AnswerScore, Expected } from "./batchScore";
import { extentOf, type Extent } from "./boundary";
import type { Ahead, Candidate, Judge, Judgement } from "./judge";
import { MarginModel, Moves } from "./marginModel";
import { PairedTest, type TestVerdict } from "./pairedTest";
import { Tally, type BatchAnswers } from "./tally";

/** Right classes, and the original's answers beside them. A sample may have several answers: one at each position. */
export interface AnswerReference {
  readonly kind: "answers";
  /** Answers of one sample; those that are not asked for count in. */
  readonly perSample: number;
  /** The right class of each answer, sample by sample; `NO_ANSWER` where none is asked for. */
  readonly targets: Int32Array;
  /**
   * Per answer that is asked for, 1 where the original is right, and its margin; also of samples beyond those of the batches,
   * where {@link AnswerJudge.compare} decides by the first ones.
   */
  readonly right: Uint8Array;
  readonly margins: Float64Array;
}

/** Counts right answers. They are taken in an order that lets the count end early, which no verdict depends on. */
export class AnswerJudge implements Judge {
  /** The original's answers, in the order of the samples. */
  readonly answered: MarginModel;
  /** Per batch, the position of its first answer among those asked for; and where the last batch ends. */
  private readonly starts: readonly number[];
  private readonly original: readonly BatchAnswers[];

  constructor(
    private readonly reference: AnswerReference,
    private readonly batches: Batches,
  ) {
    const { margins, right } = reference;
    this.answered = new MarginModel(margins, right);
    const starts = [0];
    for (let batch = 0; batch < batches.count; batch++) {
      const targets = this.targets(extentOf(batches, batch));
      starts.push(starts[batch] + targets.reduce((sum, target) => sum + Number(target !== NO_ANSWER), 0));
    }
    this.starts = starts;
    this.original = starts.slice(1).map((end, batch) => ({
      answers: end - starts[batch],
      right: right.subarray(starts[batch], end).reduce((sum, one) => sum + one, 0),
    }));
  }

  expected(_: number, extent: Extent): Expected {
    return { kind: "answers", targets: this.targets(extent), fed: extent.rows * this.reference.perSample };
  }

  async result(run: Candidate, { certain }: Ahead): Promise<number> {
    let right = 0;
    for (let batch = 0; batch < this.batches.count; batch++) {
      for (let next = batch; next < Math.min(this.batches.count, batch + certain); next++) run.begin(next);
      right += (await answersOf(run, batch)).right;
    }
    return right;
  }

  async judge(run: Candidate, needed: number, { certain, open }: Ahead): Promise<Judgement> {
    const tally = new Tally(this.original, needed);
    const moves = new Moves(this.answered.samples);
    for (let next = tally.next(); next !== null; next = tally.next()) {
      const most = Math.max(open, Math.min(tally.leastLeft, certain));
      tally.upcoming(most).forEach((batch) => run.begin(batch));
      const { right, margins } = await answersOf(run, next);
      tally.add(next, right);
      this.follow(moves, next, margins);
    }
    const { mean } = this.answered.expectedFall(moves.spread, moves.run);
    return { result: tally.correct, passed: tally.passed, bounds: tally.bounds, estimate: tally.estimate(mean) };
  }

  /**
   * Tests on the samples in their order whether at least `needed` are right; with the spread of the margins' moves.
   * @param share of the network that lies behind the layer.
   */
  async compare(
    run: Candidate,
    needed: number,
    { certain }: Ahead,
    { errorProbability, share }: { readonly errorProbability: number; readonly share: number },
  ): Promise<TestVerdict & { readonly spread: number }> {
    const test = new PairedTest(this.answered, needed, errorProbability, share);
    const moves = new Moves(this.answered.samples);
    let fall = 0;
    for (const [batch, before] of this.original.entries()) {
      const untilVerdict = Math.ceil(test.nextSamples / this.batches.size);
      for (let next = batch; next < Math.min(untilVerdict, batch + certain); next++) run.begin(next);
      const { right, margins } = await answersOf(run, batch);
      fall += before.right - right;
      this.follow(moves, batch, margins);
      const verdict = test.verdict(moves, fall);
      if (verdict) return { ...verdict, spread: moves.spread };
    }
    throw new Error("the test has no verdict on all of its samples");
  }

  private targets({ start, samples }: Extent): Int32Array {
    const { targets, perSample } = this.reference;
    return targets.subarray(start * perSample, (start + samples) * perSample);
  }

  private follow(moves: Moves, batch: number, margins: Float64Array): void {
    const [start, end] = [this.starts[batch], this.starts[batch + 1]];
    moves.add(start, this.reference.margins.subarray(start, end), margins);
  }
}

async function answersOf(run: Candidate, batch: number): Promise<AnswerScore> {
  const score = await run.score(batch);
  if (score.kind !== "answers") throw new TypeError("answers were asked for");
  return score;
}
