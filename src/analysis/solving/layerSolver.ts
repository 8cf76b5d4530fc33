import { existsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Layer } from "../../layers/layer";
import type { SymmetricEigensolver } from "../../numerics/eigen";
import { solve, type Solved, type SolveInput } from "./solve";
import type { ThreadData } from "./thread";
import { ThreadPool } from "./threadPool";

export interface LayerSolverOptions {
  /** Bytes that layers may take which are solved before they are asked for. */
  readonly budget: number;
  /** Solves in this thread. */
  readonly eigen: SymmetricEigensolver;
  /** What other threads are given to do the same; null where they cannot. */
  readonly threads: ThreadData | null;
  readonly signal: AbortSignal | undefined;
  /** The threads' entry, beside this bundle where it is left out. Without the file, this thread solves everything. */
  readonly file?: string;
  readonly cores?: number;
}

/** Layers of fewer features are solved in the time that a thread takes to start. */
export const LEAST_FEATURES = 512;

/**
 * The subspaces of layers, asked for one after the other. While a large one is awaited, other threads solve those that come
 * next: between two of them the processor belongs to the search.
 */
export class LayerSolver {
  private readonly pool: ThreadPool<SolveInput, Solved> | null;
  /** Large layers in their order. */
  private readonly queue: Layer[];
  private readonly started = new Map<Layer, Promise<Solved>>();
  private bytesStarted = 0;
  private readonly abort = (): void => void this.close();
  private awaiting = false;

  /** @param inputOf reads what a layer is solved from, when its turn comes. */
  constructor(
    layers: readonly Layer[],
    private readonly inputOf: (layer: Layer) => SolveInput,
    private readonly options: LayerSolverOptions,
  ) {
    const { file = path.join(__dirname, "solveThread.js"), cores = os.availableParallelism(), threads } = options;
    const parallel = threads !== null && cores > 1 && existsSync(file);
    this.pool = parallel ? new ThreadPool(file, cores, threads) : null;
    options.signal?.addEventListener("abort", this.abort, { once: true });
    this.queue = parallel
      ? layers.filter(({ view: { rows, columns } }) => Math.max(rows, columns) >= LEAST_FEATURES)
      : [];
  }

  async of(layer: Layer): Promise<Solved> {
    const { signal, eigen } = this.options;
    signal?.throwIfAborted();
    if (this.queue.includes(layer)) this.start(layer);
    const solved = this.started.get(layer);
    if (!solved) return solve(this.inputOf(layer), eigen);
    this.awaiting = true;
    this.startNext();
    try {
      return await solved;
    } finally {
      this.awaiting = false;
      this.started.delete(layer);
      this.bytesStarted -= bytesOf(layer);
      signal?.throwIfAborted();
    }
  }

  async close(): Promise<void> {
    // A signal may live on, and would keep the Gram matrices.
    this.options.signal?.removeEventListener("abort", this.abort);
    this.queue.length = 0;
    await this.pool?.close();
  }

  /** Starts what comes next while a layer is awaited, as far as threads and memory go. */
  private startNext(): void {
    while (this.awaiting && this.queue.length > 0 && this.pool!.free > 0) {
      if (this.bytesStarted + bytesOf(this.queue[0]) > this.options.budget) return;
      this.start(this.queue[0]);
    }
  }

  private start(layer: Layer): void {
    this.queue.splice(this.queue.indexOf(layer), 1);
    this.bytesStarted += bytesOf(layer);
    // Whatever goes wrong, reading the layer included, is heard where the layer is asked for.
    const solved = (async () => this.pool!.run(this.inputOf(layer)))();
    this.started.set(layer, solved);
    void solved.catch(() => undefined).then(() => this.startNext());
  }
}

/** What a layer takes in a thread, about: its matrices and their copies in the kernels' memory. */
function bytesOf({ view: { groups, rows, columns } }: Layer): number {
  const smaller = Math.min(rows, columns);
  return 8 * (groups * (2 * columns * columns + smaller * smaller + 2 * rows * columns) + 2 * columns * columns);
}
