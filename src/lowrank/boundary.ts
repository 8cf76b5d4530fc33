import type { Batches } from "../calibration/batches";
import type { NewValue } from "../onnx/encode";
import type { Node } from "../onnx/schema";
import { partBetween, partModel } from "../onnx/subgraph";
import type { TensorValue, TensorValues } from "../runtime/session";
import type { EvaluatorContext } from "./evaluator";
import type { Advanced, Role, Shard, ShardPart } from "./shard";

type Shape = Pick<TensorValue, "type" | "dims">;

/** What a batch is made of. */
export interface Extent {
  /** Position of its first sample. */
  readonly start: number;
  /** Samples that count, and rows that are fed. */
  readonly samples: number;
  readonly rows: number;
}

/** What a batch is made of, without its values. */
export function extentOf({ size, samples, padded }: Omit<Batches, "batch">, batch: number): Extent {
  const start = batch * size;
  const count = Math.min(size, samples - start);
  return { start, samples: count, rows: padded ? size : count };
}

/** The values in front of the layer under search, for every validation batch; each batch is kept by one of the shards. */
export class Boundary {
  /** The values that are kept, with the shapes that they have in each batch. */
  private readonly kept = new Map<string, Map<number, Shape>>();
  /** What each shard said last of the bytes that it keeps. */
  private readonly peaks = new Map<Shard, Advanced["peak"]>();

  constructor(
    private readonly context: EvaluatorContext,
    private readonly shards: readonly Shard[],
    private readonly dataDependent: ReadonlySet<Node>,
  ) {}

  /** The most bytes that were kept at a time. */
  get peak(): { memory: number; disk: number } {
    const all = [...this.peaks.values()];
    const sum = (one: keyof Advanced["peak"]): number => all.reduce((total, peak) => total + peak[one], 0);
    return { memory: sum("memory"), disk: sum("disk") };
  }

  shardOf(batch: number): Shard {
    return this.shards[batch % this.shards.length];
  }

  async open(role: Role, part: ShardPart): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.open(role, part)));
  }

  async release(role: Role): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard.release(role)));
  }

  /** Computes the values of the new boundary from the old one, batch by batch, and lets go of the rest. */
  async advance(names: readonly string[]): Promise<void> {
    const { model, index, batches } = this.context;
    const missing = names.filter((name) => !batches.inputs.has(name) && !this.kept.has(name));
    const known = new Set(this.kept.keys());
    const unwanted = [...known].filter((name) => !names.includes(name));
    if (missing.length > 0) {
      const part = partBetween(index, missing, known, this.dataDependent);
      const inputs = part.boundary;
      const bytes = partModel(model, part, { inputs: this.declarations(inputs), outputs: missing });
      const what = `${model.path} up to ${missing.join(", ")}`;
      await this.open("advance", { bytes, what, folder: model.folder, inputs });
      try {
        const share = this.context.macShare(part.nodes);
        for (const name of missing) this.kept.set(name, new Map());
        await Promise.all(this.shards.map((shard) => this.advanceShard(shard, inputs, unwanted, share)));
      } finally {
        await this.release("advance");
      }
    }
    for (const name of unwanted) this.kept.delete(name);
    await Promise.all(this.shards.map((shard) => shard.forget(unwanted)));
  }

  private async advanceShard(
    shard: Shard,
    inputs: readonly string[],
    unwanted: readonly string[],
    share: number,
  ): Promise<void> {
    const { batches, signal, onWork } = this.context;
    for (let i = this.shards.indexOf(shard); i < batches.count; i += this.shards.length) {
      signal?.throwIfAborted();
      const { shapes, peak } = await shard.advance(i, this.fed(inputs, i), unwanted);
      for (const [name, shape] of shapes) this.kept.get(name)!.set(i, shape);
      this.peaks.set(shard, peak);
      onWork(this.extent(i).samples * share);
    }
  }

  /** Those of the named values that are inputs of the model: cheap to make anew and large to keep. */
  fed(names: readonly string[], batch: number): TensorValues {
    const { batches } = this.context;
    const inputs = names.filter((name) => batches.inputs.has(name));
    if (inputs.length === 0) return new Map();
    const { values } = batches.batch(batch);
    return new Map(inputs.map((name) => [name, values.get(name)!]));
  }

  extent(batch: number): Extent {
    return extentOf(this.context.batches, batch);
  }

  /** The inputs of a part: dims that all batches share are declared, which lets onnxruntime plan ahead. */
  declarations(names: readonly string[]): NewValue[] {
    const [first, last] = [0, this.context.batches.count - 1].map((batch) => {
      const fed = this.fed(names, batch);
      return (name: string): Shape => fed.get(name) ?? this.kept.get(name)!.get(batch)!;
    });
    return names.map((name) => {
      const { type, dims } = first(name);
      const shape = dims.map((dim, axis) => (last(name).dims[axis] === dim && axis > 0 ? dim : null));
      return { name, elementType: type, shape };
    });
  }
}
