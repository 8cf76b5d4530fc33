import { closeSync, ftruncateSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { ExpectedError } from "../errors";
import type { TensorData, TensorValue } from "../runtime/session";

/** A tensor that lies in the spill file. */
interface Spilled {
  readonly type: TensorValue["type"];
  readonly dims: readonly number[];
  readonly make: (buffer: ArrayBuffer) => TensorData;
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Values that are kept from evaluation to evaluation: in memory up to a budget, the rest in one temporary file, which the
 * operating system caches with memory that it can take back. The file has no name while it is open (where the system
 * allows that), so that nothing is left of it however the process ends.
 */
export class ActivationStore {
  private readonly inMemory = new Map<string, TensorValue[]>();
  private readonly spilled = new Map<string, Map<number, Spilled>>();
  private file: { descriptor: number; remove: () => void } | undefined;
  private end = 0;
  private used = 0;

  /** @param budget bytes to be kept in memory. */
  constructor(private readonly budget: number) {}

  /** Bytes in memory. */
  get bytesInMemory(): number {
    return this.used;
  }

  /** Bytes in the temporary file. */
  get bytesSpilled(): number {
    return this.end;
  }

  names(): Set<string> {
    return new Set([...this.inMemory.keys(), ...this.spilled.keys()]);
  }

  has(name: string): boolean {
    return this.inMemory.has(name) || this.spilled.has(name);
  }

  /** @throws ExpectedError if it has to go to disk and the disk is full. */
  put(name: string, batch: number, value: TensorValue): void {
    const bytes = value.data.byteLength;
    if (this.used + bytes <= this.budget) {
      const values = this.inMemory.get(name) ?? [];
      values[batch] = value;
      this.inMemory.set(name, values);
      this.used += bytes;
      return;
    }
    const offset = this.end;
    this.write(value.data, offset);
    this.end += bytes;
    const make = value.data.constructor as new (buffer: ArrayBuffer) => TensorData;
    const entries = this.spilled.get(name) ?? new Map<number, Spilled>();
    entries.set(batch, { type: value.type, dims: value.dims, make: (buffer) => new make(buffer), offset, bytes });
    this.spilled.set(name, entries);
  }

  get(name: string, batch: number): TensorValue {
    const kept = this.inMemory.get(name)?.[batch];
    if (kept) return kept;
    const entry = this.spilled.get(name)?.get(batch);
    if (!entry || !this.file) throw new Error(`no value "${name}" for batch ${batch}`);
    const buffer = new ArrayBuffer(entry.bytes);
    const bytes = new Uint8Array(buffer);
    let done = 0;
    while (done < entry.bytes) {
      const count = readSync(this.file.descriptor, bytes, done, entry.bytes - done, entry.offset + done);
      if (count === 0) throw new Error("the temporary file of activations was cut off");
      done += count;
    }
    return { type: entry.type, dims: entry.dims, data: entry.make(buffer) };
  }

  delete(name: string): void {
    for (const value of this.inMemory.get(name) ?? []) this.used -= value?.data.byteLength ?? 0;
    this.inMemory.delete(name);
    this.spilled.delete(name);
    if (this.spilled.size === 0 && this.file) {
      // Space in the file is not reused bit by bit: it is given back when nothing in it is wanted any more.
      ftruncateSync(this.file.descriptor, 0);
      this.end = 0;
    }
  }

  close(): void {
    this.inMemory.clear();
    this.spilled.clear();
    this.used = 0;
    this.end = 0;
    if (!this.file) return;
    closeSync(this.file.descriptor);
    this.file.remove();
    this.file = undefined;
  }

  private write(data: TensorData, offset: number): void {
    this.file ??= temporaryFile();
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    try {
      let done = 0;
      while (done < bytes.length) {
        done += writeSync(this.file.descriptor, bytes, done, bytes.length - done, offset + done);
      }
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      throw new ExpectedError(
        `Activations beyond the memory budget could not be written to ${os.tmpdir()}: ${detail}. ` +
          `Allow more memory with --memory, use fewer validation samples, or point TMPDIR to a larger disk.`,
        { cause: error },
      );
    }
  }
}

function temporaryFile(): { descriptor: number; remove: () => void } {
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-activations-"));
  const descriptor = openSync(path.join(folder, "values"), "wx+", 0o600);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  // Windows cannot remove an open file; there it goes when the store is closed.
  if (process.platform === "win32") return { descriptor, remove };
  remove();
  return { descriptor, remove: () => undefined };
}
