import type { Batches } from "../calibration/batches";
import type { Layer } from "../layers/layer";
import type { GraphIndex } from "../onnx/graphIndex";
import type { OpenModel } from "../onnx/reader";
import type { Node } from "../onnx/schema";
import { dataDependentNodes, partBehind, partModel } from "../onnx/subgraph";
import type { Device } from "../runtime/executionProviders";
import type { TensorValue } from "../runtime/session";
import { withWeights } from "../layers/replaceWeights";
import { countCorrect, predictions, scoreMargins } from "./accuracy";
import { Boundary } from "./boundary";
import { MarginModel, Moves } from "./marginModel";
import { PairedTest, type TestVerdict } from "./pairedTest";
import { WEIGHT_INPUT, type Shard } from "./shard";
import { openShards, type Sharing } from "./sharing";
import { Tally, type BatchAnswers } from "./tally";

/** What an evaluator works on. */
export interface EvaluatorContext {
  readonly model: OpenModel;
  readonly index: GraphIndex;
  readonly batches: Batches;
  /** The model's output with the class scores. */
  readonly outputName: string;
  /** The right class of each sample. */
  readonly targets: Int32Array;
  /**
   * Per sample, 1 where the original's answer is right, and its margin; also of samples beyond those of the batches, where
   * {@link Evaluator.compare} decides by the first ones.
   */
  readonly right: Uint8Array;
  readonly margins: Float64Array;
  /** Share of the network's MACs that lie in `nodes`. */
  readonly macShare: (nodes: ReadonlySet<Node>) => number;
  /** The processor where it is left out. */
  readonly device?: Device;
  readonly signal: AbortSignal | undefined;
  /** Bytes of memory for the values in front of a layer; what is beyond goes to disk. */
  readonly cacheBytes: number;
  /** Where it is left out, everything runs in this thread. */
  readonly sharing?: Sharing | undefined;
  /** Called after every batch that was run, with its cost in forward equivalents. */
  readonly onWork: (forwardEquivalents: number) => void;
}

/** One batch under a candidate: how many are right, and the margin of each sample. */
interface Answers {
  readonly right: number;
  readonly margins: Float64Array;
}

/** What is known of a candidate when its verdict is certain. */
export interface Judgement {
  /** Samples right; null where not all were run. */
  readonly correct: number | null;
  readonly passed: boolean;
  /** Samples that are right for certain, and how many can be. */
  readonly bounds: readonly [atLeast: number, atMost: number];
  readonly estimate: number;
}

/**
 * Batches that a thread has at a time where all of them are needed for certain: while one runs, the next is there already.
 * Where the verdict may come before, it has one, or what it gains in time goes into batches that nobody waits for.
 */
const QUEUED = 2;

/**
 * Counts right answers with one layer's weight replaced. The values in front of the layer (its boundary) are kept for
 * every validation batch, so that an evaluation runs only the nodes behind it; from layer to layer the boundary is
 * advanced, never recomputed from the start in a chain. Shards hold every nth batch each and run at the same time; answers
 * are taken in the order that one shard alone would give them in, so that all results are the same.
 */
export class Evaluator {
  private readonly shards: readonly Shard[];
  /** Batches that are under way at a time where they are needed for certain. */
  private readonly certain: number;
  private readonly boundary: Boundary;
  private suffix: { share: number; inputs: readonly string[]; weightDims: readonly number[] } | undefined;
  private readonly dataDependent: ReadonlySet<Node>;
  /** The original's answers, in the order of the samples. */
  readonly answered: MarginModel;

  constructor(private readonly context: EvaluatorContext) {
    const { device = "cpu", batches, cacheBytes, sharing } = context;
    this.dataDependent = dataDependentNodes(context.index);
    this.answered = new MarginModel(context.margins, context.right);
    this.shards = openShards({ device, batches: batches.count, cacheBytes, sharing });
    this.boundary = new Boundary(context, this.shards, this.dataDependent);
    this.certain = this.shards.length === 1 ? 1 : QUEUED * this.shards.length;
  }

  /** Shards that evaluate at the same time. */
  get shardCount(): number {
    return this.shards.length;
  }

  /** The most bytes of activations that were kept at a time. */
  get cachePeak(): { memory: number; disk: number } {
    return this.boundary.peak;
  }

  /** Prepares evaluations of `layer`; returns whether the layer has any influence on the output. */
  async start(layer: Layer): Promise<boolean> {
    await this.boundary.release("suffix");
    this.suffix = undefined;
    const { model, index, outputName } = this.context;
    const nodes = layer.uses.map(({ node }) => node);
    const part = partBehind(index, nodes, outputName, this.dataDependent);
    if (!part) return false;
    await this.boundary.advance(part.boundary);
    const replaceNodes = withWeights([{ layer, weight: WEIGHT_INPUT, isFloat32: true }]);
    const weightDims = layer.weight.dims;
    const bytes = partModel(model, part, {
      inputs: [
        ...this.boundary.declarations(part.boundary),
        { name: WEIGHT_INPUT, elementType: "float32", shape: weightDims },
      ],
      outputs: [outputName],
      replaceNodes,
    });
    const what = `${model.path} from ${layer.name} on`;
    await this.boundary.open("suffix", { bytes, what, folder: model.folder, inputs: part.boundary });
    this.suffix = { share: this.context.macShare(part.nodes), inputs: part.boundary, weightDims };
    return true;
  }

  /** Right answers over all samples with `weight` (in the tensor's order) in the place of the layer's own. */
  async correct(weight: Float32Array): Promise<number> {
    const { count } = this.context.batches;
    const run = this.candidate(weight);
    let correct = 0;
    for (let i = 0; i < count; i++) {
      for (let next = i; next < Math.min(count, i + this.certain); next++) run.begin(next);
      correct += (await run.answers(i)).right;
    }
    return correct;
  }

  /** Whether at least `needed` samples are right, as {@link correct} would find; it stops as soon as that is certain. */
  async judge(weight: Float32Array, needed: number): Promise<Judgement> {
    const tally = new Tally(this.originalAnswers(), needed);
    const moves = new Moves(this.answered.samples);
    const run = this.candidate(weight);
    for (let next = tally.next(); next !== null; next = tally.next()) {
      const most = Math.max(this.shards.length, Math.min(tally.leastLeft, this.certain));
      tally.upcoming(most).forEach((batch) => run.begin(batch));
      const { right, margins } = await run.answers(next);
      tally.add(next, right);
      this.follow(moves, next, margins);
    }
    const { mean } = this.answered.expectedFall(moves.spread, moves.run);
    return { correct: tally.correct, passed: tally.passed, bounds: tally.bounds, estimate: tally.estimate(mean) };
  }

  /** Tests on the samples in their order whether at least `needed` are right; with the spread of the margins' moves. */
  async compare(
    weight: Float32Array,
    needed: number,
    errorProbability: number,
  ): Promise<TestVerdict & { readonly spread: number }> {
    const { size } = this.context.batches;
    const test = new PairedTest(this.answered, needed, errorProbability, this.suffix?.share ?? 1);
    const moves = new Moves(this.answered.samples);
    const run = this.candidate(weight);
    let fall = 0;
    for (const [batch, before] of this.originalAnswers().entries()) {
      const untilVerdict = Math.ceil(test.nextSamples / size);
      for (let next = batch; next < Math.min(untilVerdict, batch + this.certain); next++) run.begin(next);
      const { right, margins } = await run.answers(batch);
      fall += before.right - right;
      this.follow(moves, batch, margins);
      const verdict = test.verdict(moves, fall);
      if (verdict) return { ...verdict, spread: moves.spread };
    }
    throw new Error("the test has no verdict on all of its samples");
  }

  /** Gives back the sessions and everything that is kept. */
  async close(): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.close()));
  }

  /** The batches of one evaluation. One that is begun runs to its end, whether its answers are asked for or not. */
  private candidate(data: Float32Array): {
    readonly begin: (batch: number) => void;
    readonly answers: (batch: number) => Promise<Answers>;
  } {
    if (!this.suffix) throw new Error("start() comes first");
    const weight: TensorValue = { type: "float32", dims: this.suffix.weightDims, data };
    const [begun, have] = [new Map<number, Promise<Answers>>(), new Set<Shard>()];
    const answersOf = (batch: number): Promise<Answers> => {
      const known = begun.get(batch);
      if (known) return known;
      const shard = this.boundary.shardOf(batch);
      const answers = this.evaluate(shard, batch, have.has(shard) ? null : weight);
      have.add(shard);
      // What it throws is for whoever asks for the answers.
      answers.catch(() => undefined);
      begun.set(batch, answers);
      return answers;
    };
    return { begin: (batch) => void answersOf(batch), answers: answersOf };
  }

  private async evaluate(shard: Shard, batch: number, weight: TensorValue | null): Promise<Answers> {
    const { targets, signal, onWork } = this.context;
    if (!this.suffix) throw new Error("start() comes first");
    const { share, inputs } = this.suffix;
    signal?.throwIfAborted();
    const output = await shard.evaluate(batch, this.boundary.fed(inputs, batch), weight);
    const { start, samples, rows } = this.boundary.extent(batch);
    onWork(samples * share);
    return {
      right: countCorrect(predictions(output, rows, samples), targets, start),
      margins: scoreMargins(output, rows, targets.subarray(start, start + samples)),
    };
  }

  private follow(moves: Moves, batch: number, margins: Float64Array): void {
    const { start, samples } = this.boundary.extent(batch);
    moves.add(start, this.context.margins.subarray(start, start + samples), margins);
  }

  private originalAnswers(): BatchAnswers[] {
    const { batches, right } = this.context;
    return Array.from({ length: batches.count }, (_, batch) => {
      const { start, samples } = this.boundary.extent(batch);
      return { samples, right: right.subarray(start, start + samples).reduce((sum, one) => sum + one, 0) };
    });
  }
}
