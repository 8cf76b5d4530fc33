import { ExpectedError } from "../errors";
import type { TensorData, TensorValue } from "../runtime/session";
import { SpillFile } from "./spillFile";

/**
 * Bytes written to disk after which their memory is collected, where the process lets us: left to itself the collector
 * waits for hundreds of megabytes of typed arrays, which a budget would then be exceeded by.
 */
const MOST_GARBAGE = 32 * 2 ** 20;

/** A tensor that lies in a spill file. */
interface Spilled {
  readonly type: TensorValue["type"];
  readonly dims: readonly number[];
  readonly view: (buffer: ArrayBuffer) => TensorData;
  readonly offset: number;
  readonly bytes: number;
}

/** The values of one name, batch by batch. */
interface Entry {
  readonly inMemory: Map<number, TensorValue>;
  readonly spilled: Map<number, Spilled>;
  /** A file of its own, so that its space is given back with the name. */
  file: SpillFile | undefined;
  /** What is read from the file: one buffer for all batches, since each evaluation reads them all. */
  buffer: ArrayBuffer | undefined;
}

/**
 * Values that are kept from evaluation to evaluation: in memory up to a budget, the rest in temporary files, which the
 * operating system caches with memory that it can take back.
 */
export class ActivationStore {
  private readonly entries = new Map<string, Entry>();
  private memory = 0;
  private disk = 0;
  private mostMemory = 0;
  private mostDisk = 0;
  /** Bytes written since the last collection. */
  private garbage = 0;

  /** @param budget bytes to be kept in memory. */
  constructor(private readonly budget: number) {}

  /** Bytes now in memory and on disk. */
  get bytes(): { memory: number; disk: number } {
    return { memory: this.memory, disk: this.disk };
  }

  /** The most bytes that there were at a time. */
  get peak(): { memory: number; disk: number } {
    return { memory: this.mostMemory, disk: this.mostDisk };
  }

  names(): Set<string> {
    return new Set(this.entries.keys());
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** @throws ExpectedError if it has to go to disk and the disk is full. */
  put(name: string, batch: number, value: TensorValue): void {
    const entry = this.entryOf(name);
    const bytes = value.data.byteLength;
    if (this.memory + bytes <= this.budget) {
      entry.inMemory.set(batch, value);
      this.memory += bytes;
      this.mostMemory = Math.max(this.mostMemory, this.memory);
      return;
    }
    try {
      entry.file ??= new SpillFile();
      const offset = entry.file.append(new Uint8Array(value.data.buffer, value.data.byteOffset, bytes));
      const Data = value.data.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => TensorData;
      const { type, dims } = value;
      const { length } = value.data;
      const view = (buffer: ArrayBuffer): TensorData => new Data(buffer, 0, length);
      entry.spilled.set(batch, { type, dims, view, offset, bytes });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw new ExpectedError(
        `Activations beyond the ${this.budget} bytes of memory allowed could not be written to ${SpillFile.folder()}: ${detail}. ` +
          `Allow more with --memory (in VS Code: ranklens.memory), use fewer validation samples, or point TMPDIR to a larger disk.`,
        { cause: error },
      );
    }
    this.disk += bytes;
    this.mostDisk = Math.max(this.mostDisk, this.disk);
    this.garbage += bytes;
    if (this.garbage < MOST_GARBAGE) return;
    this.garbage = 0;
    globalThis.gc?.();
  }

  /** A value of {@link put}. One that comes from disk is overwritten by the next {@link get} of the same name. */
  get(name: string, batch: number): TensorValue {
    const entry = this.entries.get(name);
    const kept = entry?.inMemory.get(batch);
    if (kept) return kept;
    const spilled = entry?.spilled.get(batch);
    if (!spilled || !entry?.file) throw new Error(`no value "${name}" for batch ${batch}`);
    if (!entry.buffer || entry.buffer.byteLength < spilled.bytes) entry.buffer = new ArrayBuffer(spilled.bytes);
    entry.file.read(new Uint8Array(entry.buffer, 0, spilled.bytes), spilled.offset);
    return { type: spilled.type, dims: spilled.dims, data: spilled.view(entry.buffer) };
  }

  /** Lets go of one batch of a value: its memory is free at once, its disk space when the whole value goes. */
  deleteBatch(name: string, batch: number): void {
    const entry = this.entries.get(name);
    const kept = entry?.inMemory.get(batch);
    if (!entry || !kept) return;
    this.memory -= kept.data.byteLength;
    entry.inMemory.delete(batch);
  }

  delete(name: string): void {
    const entry = this.entries.get(name);
    if (!entry) return;
    for (const value of entry.inMemory.values()) this.memory -= value.data.byteLength;
    for (const { bytes } of entry.spilled.values()) this.disk -= bytes;
    entry.file?.close();
    this.entries.delete(name);
  }

  close(): void {
    for (const name of this.names()) this.delete(name);
  }

  private entryOf(name: string): Entry {
    const entry = this.entries.get(name) ?? {
      inMemory: new Map(),
      spilled: new Map(),
      file: undefined,
      buffer: undefined,
    };
    this.entries.set(name, entry);
    return entry;
  }
}
