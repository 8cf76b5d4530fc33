import type { Device } from "../runtime/executionProviders";
import { createSession, type Session, type TensorValue, type TensorValues } from "../runtime/session";
import { ActivationStore } from "./activationStore";
import { scoreBatch, type BatchScore, type Expected } from "./batchScore";

/** What a shard is made with. */
export interface ShardSettings {
  /** Bytes of memory for the values that it keeps; what is beyond goes to disk. */
  readonly cacheBytes: number;
  readonly device: Device;
  /** Threads of onnxruntime's operators. */
  readonly threads: number;
}

/** A part of the model: `advance` computes the values in front of a layer, `suffix` the output from them. */
export type Role = "advance" | "suffix";

export interface ShardPart {
  readonly bytes: Uint8Array;
  /** How messages call it. */
  readonly what: string;
  /** Where the files with its external tensors are. */
  readonly folder: string | null;
  /** The values that it is fed, but for the weight. */
  readonly inputs: readonly string[];
}

export interface Advanced {
  readonly shapes: ReadonlyMap<string, Pick<TensorValue, "type" | "dims">>;
  /** The most bytes that the shard has kept at a time so far. */
  readonly peak: { readonly memory: number; readonly disk: number };
}

/**
 * Some of the validation batches, with the values in front of the layer under search: they stay where they are computed.
 * `fed` are always the values of the model's own inputs that the part needs. All can be sent to another thread.
 */
export interface Shard {
  /** @throws ExpectedError with onnxruntime's message if it refuses the part. */
  open(role: Role, part: ShardPart): Promise<void>;
  release(role: Role): Promise<void>;
  /** Replaces the kept values `drop` of a batch by the outputs of the part that advances. */
  advance(batch: number, fed: TensorValues, drop: readonly string[]): Promise<Advanced>;
  /** Lets go of kept values, of all batches. */
  forget(names: readonly string[]): Promise<void>;
  /**
   * The score of a batch with `weight` in the place of the layer's own; null for that of the call before. The output itself,
   * which may be large, stays where it is computed.
   */
  evaluate(batch: number, fed: TensorValues, weight: TensorValue | null, expected: Expected): Promise<BatchScore>;
  /** Gives back the sessions and everything that is kept. */
  close(): Promise<void>;
}

/** The weight of the layer under search is an input of its suffix, under this name. */
export const WEIGHT_INPUT = "ranklens/weight";

/** A shard in this thread. Its calls must not overlap: kept values that come from disk share a buffer. */
export class LocalShard implements Shard {
  private readonly kept: ActivationStore;
  private readonly parts = new Map<Role, { readonly session: Session; readonly inputs: readonly string[] }>();
  private weight: TensorValue | null = null;

  constructor(private readonly settings: ShardSettings) {
    this.kept = new ActivationStore(settings.cacheBytes);
  }

  async open(role: Role, { bytes, what, folder, inputs }: ShardPart): Promise<void> {
    const { device, threads } = this.settings;
    this.parts.set(role, { session: await createSession(bytes, what, folder, device, null, threads), inputs });
  }

  async release(role: Role): Promise<void> {
    const part = this.parts.get(role);
    this.parts.delete(role);
    await part?.session.release();
  }

  async advance(batch: number, fed: TensorValues, drop: readonly string[]): Promise<Advanced> {
    const outputs = await this.part("advance").session.run(this.valuesAt("advance", batch, fed));
    // The old values of a batch go before the new ones come: both need not fit.
    for (const name of drop) this.kept.deleteBatch(name, batch);
    for (const [name, value] of outputs) this.kept.put(name, batch, value);
    const shapes = new Map([...outputs].map(([name, { type, dims }]) => [name, { type, dims }]));
    return { shapes, peak: this.kept.peak };
  }

  forget(names: readonly string[]): Promise<void> {
    for (const name of names) this.kept.delete(name);
    return Promise.resolve();
  }

  async evaluate(
    batch: number,
    fed: TensorValues,
    weight: TensorValue | null,
    expected: Expected,
  ): Promise<BatchScore> {
    this.weight = weight ?? this.weight;
    const feeds = this.valuesAt("suffix", batch, fed);
    if (this.weight) feeds.set(WEIGHT_INPUT, this.weight);
    const [output] = (await this.part("suffix").session.run(feeds)).values();
    return scoreBatch(output, expected, (name) => this.kept.get(name, batch));
  }

  async close(): Promise<void> {
    for (const role of [...this.parts.keys()]) await this.release(role);
    this.kept.close();
  }

  private part(role: Role): { readonly session: Session; readonly inputs: readonly string[] } {
    const part = this.parts.get(role);
    if (!part) throw new Error(`no part of the model is open to ${role}`);
    return part;
  }

  private valuesAt(role: Role, batch: number, fed: TensorValues): Map<string, TensorValue> {
    return new Map(this.part(role).inputs.map((name) => [name, fed.get(name) ?? this.kept.get(name, batch)]));
  }
}
