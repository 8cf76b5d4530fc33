import type { Batches } from "../calibration/batches";
import type { Layer } from "../layers/layer";
import type { GraphIndex } from "../onnx/graphIndex";
import type { OpenModel } from "../onnx/reader";
import type { Node } from "../onnx/schema";
import { dataDependentNodes, partBehind, partModel } from "../onnx/subgraph";
import type { Device } from "../runtime/executionProviders";
import type { TensorValue } from "../runtime/session";
import { withWeights } from "../layers/replaceWeights";
import { AnswerJudge, type AnswerReference } from "./answerJudge";
import type { BatchScore } from "./batchScore";
import { Boundary } from "./boundary";
import { ErrorJudge, type OutputReference } from "./errorJudge";
import type { Ahead, Candidate, Judge, Judgement } from "./judge";
import type { MarginModel } from "./marginModel";
import type { TestVerdict } from "./pairedTest";
import { WEIGHT_INPUT, type Shard } from "./shard";
import { openShards, type Sharing } from "./sharing";

/** What an evaluator works on. */
export interface EvaluatorContext {
  readonly model: OpenModel;
  readonly index: GraphIndex;
  readonly batches: Batches;
  /** The model's output that is measured. */
  readonly outputName: string;
  /** What candidates are held against. */
  readonly reference: AnswerReference | OutputReference;
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

/**
 * Batches that a thread has at a time where all of them are needed for certain: while one runs, the next is there already.
 * Where the verdict may come before, it has one, or what it gains in time goes into batches that nobody waits for.
 */
const QUEUED = 2;

/**
 * Judges the model with one layer's weight replaced. The values in front of the layer (its boundary) are kept for
 * every validation batch, so that an evaluation runs only the nodes behind it; from layer to layer the boundary is
 * advanced, never recomputed from the start in a chain. Shards hold every nth batch each and run at the same time; scores
 * are taken in the order that one shard alone would give them in, so that all results are the same.
 */
export class Evaluator {
  private readonly shards: readonly Shard[];
  private readonly ahead: Ahead;
  private readonly boundary: Boundary;
  private suffix: { share: number; inputs: readonly string[]; weightDims: readonly number[] } | undefined;
  private readonly dataDependent: ReadonlySet<Node>;
  private readonly judgedBy: Judge;
  /** Null where no answers are counted. */
  private readonly answers: AnswerJudge | null;

  constructor(private readonly context: EvaluatorContext) {
    const { device = "cpu", batches, cacheBytes, sharing, reference, outputName } = context;
    this.dataDependent = dataDependentNodes(context.index);
    this.answers = reference.kind === "answers" ? new AnswerJudge(reference, batches) : null;
    this.judgedBy = reference.kind === "output" ? new ErrorJudge(reference, batches, outputName) : this.answers!;
    this.shards = openShards({ device, batches: batches.count, cacheBytes, sharing });
    this.boundary = new Boundary(context, this.shards, this.dataDependent);
    this.ahead = { certain: this.shards.length === 1 ? 1 : QUEUED * this.shards.length, open: this.shards.length };
  }

  /** The original's answers, in the order of the samples. @throws TypeError where none are counted. */
  get answered(): MarginModel {
    return this.counted().answered;
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
    const { model, index, outputName, reference } = this.context;
    const nodes = layer.uses.map(({ node }) => node);
    const part = partBehind(index, nodes, outputName, this.dataDependent);
    if (!part) return false;
    // The original's output is computed with the first boundary, and stays.
    await this.boundary.advance(reference.kind === "output" ? [...part.boundary, outputName] : part.boundary);
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

  /** Right answers over all samples with `weight` (in the tensor's order) in the place of the layer's own, or the error. */
  async result(weight: Float32Array): Promise<number> {
    return this.judgedBy.result(this.candidate(weight), this.ahead);
  }

  /** Whether {@link result} reaches `limit`; it stops as soon as that is certain. */
  async judge(weight: Float32Array, limit: number): Promise<Judgement> {
    return this.judgedBy.judge(this.candidate(weight), limit, this.ahead);
  }

  /** Tests on the samples in their order whether at least `needed` are right; with the spread of the margins' moves. */
  async compare(
    weight: Float32Array,
    needed: number,
    errorProbability: number,
  ): Promise<TestVerdict & { readonly spread: number }> {
    const test = { errorProbability, share: this.suffix?.share ?? 1 };
    return this.counted().compare(this.candidate(weight), needed, this.ahead, test);
  }

  /** Gives back the sessions and everything that is kept. */
  async close(): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.close()));
  }

  private candidate(data: Float32Array): Candidate {
    if (!this.suffix) throw new Error("start() comes first");
    const weight: TensorValue = { type: "float32", dims: this.suffix.weightDims, data };
    const [begun, have] = [new Map<number, Promise<BatchScore>>(), new Set<Shard>()];
    const scoreOf = (batch: number): Promise<BatchScore> => {
      const known = begun.get(batch);
      if (known) return known;
      const shard = this.boundary.shardOf(batch);
      const score = this.evaluate(shard, batch, have.has(shard) ? null : weight);
      have.add(shard);
      // What it throws is for whoever asks for the score.
      score.catch(() => undefined);
      begun.set(batch, score);
      return score;
    };
    return { begin: (batch) => void scoreOf(batch), score: scoreOf };
  }

  private async evaluate(shard: Shard, batch: number, weight: TensorValue | null): Promise<BatchScore> {
    const { signal, onWork } = this.context;
    if (!this.suffix) throw new Error("start() comes first");
    const { share, inputs } = this.suffix;
    signal?.throwIfAborted();
    const extent = this.boundary.extent(batch);
    const expected = this.judgedBy.expected(batch, extent);
    const score = await shard.evaluate(batch, this.boundary.fed(inputs, batch), weight, expected);
    onWork(extent.samples * share);
    return score;
  }

  private counted(): AnswerJudge {
    if (!this.answers) throw new TypeError("no answers are counted");
    return this.answers;
  }
}
