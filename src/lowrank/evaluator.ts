import type { Batches } from "../calibration/batches";
import type { Layer } from "../layers/layer";
import type { NewNode, NewValue } from "../onnx/encode";
import type { GraphIndex } from "../onnx/graphIndex";
import type { OpenModel } from "../onnx/reader";
import type { Node } from "../onnx/schema";
import { dataDependentNodes, partBehind, partBetween, partModel } from "../onnx/subgraph";
import type { Device } from "../runtime/executionProviders";
import { createSession, type Session, type TensorValue } from "../runtime/session";
import { countCorrect, predictions, scoreMargins } from "./accuracy";
import { ActivationStore } from "./activationStore";
import { MarginModel, Moves } from "./marginModel";
import { PairedTest, type TestVerdict } from "./pairedTest";
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
  /** Called after every batch that was run, with its cost in forward equivalents. */
  readonly onWork: (forwardEquivalents: number) => void;
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

/** The weight of the layer under search is an input of its suffix, under this name. */
const WEIGHT_INPUT = "ranklens/weight";

/**
 * Counts right answers with one layer's weight replaced. The values in front of the layer (its boundary) are kept for
 * every validation batch, so that an evaluation runs only the nodes behind it; from layer to layer the boundary is
 * advanced, never recomputed from the start in a chain.
 */
export class Evaluator {
  /** Values in front of the layer, for every batch. */
  private readonly boundary: ActivationStore;
  private suffix: { session: Session; share: number; inputs: readonly string[] } | undefined;
  private layer: Layer | undefined;
  private readonly dataDependent: ReadonlySet<Node>;
  /** The original's answers, in the order of the samples. */
  readonly answered: MarginModel;

  constructor(private readonly context: EvaluatorContext) {
    this.dataDependent = dataDependentNodes(context.index);
    this.boundary = new ActivationStore(context.cacheBytes);
    this.answered = new MarginModel(context.margins, context.right);
  }

  /** The most bytes of activations that were kept at a time. */
  get cachePeak(): { memory: number; disk: number } {
    return this.boundary.peak;
  }

  /** Prepares evaluations of `layer`; returns whether the layer has any influence on the output. */
  async start(layer: Layer): Promise<boolean> {
    await this.release();
    const { model, index, outputName } = this.context;
    const nodes = layer.uses.map(({ node }) => node);
    const part = partBehind(index, nodes, outputName, this.dataDependent);
    if (!part) return false;
    await this.advance(part.boundary);
    const replaceNodes = new Map<Node, readonly NewNode[]>(
      layer.uses.map((use) => [use.node, [use.withWeight(WEIGHT_INPUT)]]),
    );
    const bytes = partModel(model, part, {
      inputs: [
        ...this.declarations(part.boundary),
        { name: WEIGHT_INPUT, elementType: "float32", shape: layer.weight.dims },
      ],
      outputs: [outputName],
      replaceNodes,
    });
    const session = await createSession(
      bytes,
      `${model.path} from ${layer.name} on`,
      model.folder,
      this.context.device,
    );
    this.suffix = { session, share: this.context.macShare(part.nodes), inputs: part.boundary };
    this.layer = layer;
    return true;
  }

  /** Right answers over all samples with `weight` (in the tensor's order) in the place of the layer's own. */
  async correct(weight: Float32Array): Promise<number> {
    let correct = 0;
    for (let i = 0; i < this.context.batches.count; i++) correct += (await this.answers(i, weight)).right;
    return correct;
  }

  /** Whether at least `needed` samples are right, as {@link correct} would find; it stops as soon as that is certain. */
  async judge(weight: Float32Array, needed: number): Promise<Judgement> {
    const tally = new Tally(this.originalAnswers(), needed);
    const moves = new Moves(this.answered.samples);
    for (let next = tally.next(); next !== null; next = tally.next()) {
      const { right, margins } = await this.answers(next, weight);
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
    const test = new PairedTest(this.answered, needed, errorProbability, this.suffix?.share ?? 1);
    const moves = new Moves(this.answered.samples);
    let fall = 0;
    for (const [batch, before] of this.originalAnswers().entries()) {
      const { right, margins } = await this.answers(batch, weight);
      fall += before.right - right;
      this.follow(moves, batch, margins);
      const verdict = test.verdict(moves, fall);
      if (verdict) return { ...verdict, spread: moves.spread };
    }
    throw new Error("the test has no verdict on all of its samples");
  }

  /** Gives back the session and everything that is kept. */
  async close(): Promise<void> {
    await this.release();
    this.boundary.close();
  }

  /** One batch: how many are right, and the margin of each sample. */
  private async answers(batch: number, weight: Float32Array): Promise<{ right: number; margins: Float64Array }> {
    const { outputName, targets, signal, onWork } = this.context;
    if (!this.suffix || !this.layer) throw new Error("start() comes first");
    const { session, share, inputs } = this.suffix;
    signal?.throwIfAborted();
    const feeds = this.valuesAt(inputs, batch);
    feeds.set(WEIGHT_INPUT, { type: "float32", dims: this.layer.weight.dims, data: weight });
    const output = (await session.run(feeds)).get(outputName)!;
    const { start, samples, rows } = this.extent(batch);
    onWork(samples * share);
    return {
      right: countCorrect(predictions(output, rows, samples), targets, start),
      margins: scoreMargins(output, rows, targets.subarray(start, start + samples)),
    };
  }

  private follow(moves: Moves, batch: number, margins: Float64Array): void {
    const { start, samples } = this.extent(batch);
    moves.add(start, this.context.margins.subarray(start, start + samples), margins);
  }

  private originalAnswers(): BatchAnswers[] {
    const { batches, right } = this.context;
    return Array.from({ length: batches.count }, (_, batch) => {
      const { start, samples } = this.extent(batch);
      return { samples, right: right.subarray(start, start + samples).reduce((sum, one) => sum + one, 0) };
    });
  }

  private async release(): Promise<void> {
    await this.suffix?.session.release();
    this.suffix = undefined;
  }

  /** Computes the values of the new boundary from the old one, batch by batch, and lets go of the rest. */
  private async advance(names: readonly string[]): Promise<void> {
    const { model, index, batches, device, signal, onWork } = this.context;
    const missing = names.filter((name) => !batches.inputs.has(name) && !this.boundary.has(name));
    const known = this.boundary.names();
    const unwanted = [...known].filter((name) => !names.includes(name));
    if (missing.length > 0) {
      const part = partBetween(index, missing, known, this.dataDependent);
      const inputs = this.declarations(part.boundary);
      const bytes = partModel(model, part, { inputs, outputs: missing });
      const session = await createSession(bytes, `${model.path} up to ${missing.join(", ")}`, model.folder, device);
      const share = this.context.macShare(part.nodes);
      try {
        for (let i = 0; i < batches.count; i++) {
          signal?.throwIfAborted();
          const outputs = await session.run(this.valuesAt(part.boundary, i));
          // The old values of a batch go before the new ones come: both need not fit.
          for (const name of unwanted) this.boundary.deleteBatch(name, i);
          for (const name of missing) this.boundary.put(name, i, outputs.get(name)!);
          onWork(this.extent(i).samples * share);
        }
      } finally {
        await session.release();
      }
    }
    for (const name of unwanted) this.boundary.delete(name);
  }

  private valuesAt(names: readonly string[], batch: number): Map<string, TensorValue> {
    const { batches } = this.context;
    // The model's own inputs are cheap to make anew and large to keep.
    const fed = names.some((name) => batches.inputs.has(name)) ? batches.batch(batch).values : null;
    return new Map(names.map((name) => [name, fed?.get(name) ?? this.boundary.get(name, batch)]));
  }

  private extent(batch: number): { start: number; samples: number; rows: number } {
    const { size, samples, padded } = this.context.batches;
    const start = batch * size;
    const count = Math.min(size, samples - start);
    return { start, samples: count, rows: padded ? size : count };
  }

  /** The inputs of a part: dims that all batches share are declared, which lets onnxruntime plan ahead. */
  private declarations(names: readonly string[]): NewValue[] {
    const last = this.valuesAt(names, this.context.batches.count - 1);
    return [...this.valuesAt(names, 0)].map(([name, { type, dims }]) => {
      const shape = dims.map((dim, axis) => (last.get(name)!.dims[axis] === dim && axis > 0 ? dim : null));
      return { name, elementType: type, shape };
    });
  }
}
