import { kernelsBase64 } from "./wasm.generated";

/** A byte offset into the kernels' memory. */
export type Pointer = number;

/** The functions of `assembly/`, where each is described. Lengths and strides count float64 values. */
export interface Kernels {
  heapBase(): Pointer;
  gemm(
    m: number,
    n: number,
    k: number,
    a: Pointer,
    rsa: number,
    csa: number,
    b: Pointer,
    rsb: number,
    csb: number,
    c: Pointer,
    ldc: number,
    mode: number,
    upper: boolean,
    work: Pointer,
  ): void;
  symv(n: number, a: Pointer, lda: number, x: Pointer, y: Pointer): void;
  copy(n: number, source: Pointer, target: Pointer): void;
  dot(n: number, x: Pointer, y: Pointer): number;
  largestEntry(n: number, x: Pointer): number;
  axpy(n: number, alpha: number, x: Pointer, y: Pointer): void;
  scale(n: number, alpha: number, x: Pointer): void;
  rowDots(count: number, n: number, rows: Pointer, ld: number, x: Pointer, out: Pointer): void;
  subtractRows(
    count: number,
    n: number,
    rows: Pointer,
    ld: number,
    factors: Pointer,
    factorStride: number,
    y: Pointer,
  ): void;
  rotate(n: number, x: Pointer, y: Pointer, c: number, s: number): void;
  secularSums(n: number, d: Pointer, z: Pointer, origin: number, tau: number, gaps: Pointer, out: Pointer): void;
  scaleByGapRatios(n: number, d: Pointer, pole: number, gaps: Pointer, w: Pointer): void;
  secularVector(n: number, w: Pointer, gaps: Pointer, order: Pointer, scratch: Pointer): void;
}

/** What `gemm` does with the product: C = AB, C += AB or C −= AB. */
export const GEMM_STORE = 0;
export const GEMM_ADD = 1;
export const GEMM_SUBTRACT = 2;

/** The part of the WebAssembly interface used here; the compiler's own declaration comes only with the browser's library. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { env: Record<string, unknown> }) => { exports: object };
  Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
};
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Block sizes of `gemm`, as in `assembly/`; the block of A is packed with every value twice. */
const GEMM_BLOCK = { rows: 64, columns: 3072, depth: 256, tile: 4 };

/** Float64 values that `gemm` needs at `work` for a product with `n` columns and inner dimension `k`. */
export function gemmWorkspace(n: number, k: number): number {
  const { rows, columns, depth, tile } = GEMM_BLOCK;
  return (2 * rows + Math.ceil(Math.min(n, columns) / tile) * tile) * Math.min(k, depth) + tile * tile;
}

const PAGE_BYTES = 65536;
/** 4 GiB, all that 32-bit pointers reach. */
const MAXIMUM_PAGES = 65536;
/** A memory that grew past this is dropped after use; smaller ones are kept, so that repeated solves do not grow anew. */
const RETAINED_BYTES = 64 * 2 ** 20;
/** Allocations start on a cache line. */
const ALIGNMENT = 64;

/** Working memory of one computation: everything allocated here is gone when the computation returns. */
export interface Arena {
  readonly kernels: Kernels;
  /** All of the memory: the value at `pointer` has the index {@link indexOf}(pointer). Costs less than a view of its own. */
  readonly memory: Float64Array;
  /** Room for `count` float64 values, not zeroed. */
  allocate(count: number): Pointer;
  /** A view of `count` float64 values at `pointer`. */
  floats(pointer: Pointer, count: number): Float64Array;
  /** A view of `count` int32 values at `pointer`. */
  integers(pointer: Pointer, count: number): Int32Array;
}

/** Where in {@link Arena.memory} the value at `pointer` is. */
export function indexOf(pointer: Pointer): number {
  return pointer >>> 3;
}

interface Instance {
  readonly kernels: Kernels;
  readonly memory: WasmMemory;
}

let compiled: object | undefined;
let idle: Instance | undefined;

function instantiate(): Instance {
  compiled ??= new WebAssembly.Module(Buffer.from(kernelsBase64, "base64"));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES });
  const abort = (): never => {
    throw new Error("A numerical kernel aborted.");
  };
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory, abort } });
  return { kernels: exports as Kernels, memory };
}

/** Float64 values that `count` values take in an arena, alignment included. */
export function allocationSize(count: number): number {
  return Math.ceil((count * 8) / ALIGNMENT) * (ALIGNMENT / 8);
}

/**
 * Runs `compute` with room for `capacity` float64 values (sum of `allocationSize` over its allocations). The capacity is
 * fixed beforehand because growing the memory would detach the views already handed out. Results must be copied out.
 * Throws RangeError where the memory cannot grow that far.
 */
export function withArena<T>(capacity: number, compute: (arena: Arena) => T): T {
  // Taken out of the idle slot while in use, so that a computation started inside another gets a memory of its own.
  const instance = idle ?? instantiate();
  idle = undefined;
  const { kernels, memory } = instance;
  const start = Math.ceil(kernels.heapBase() / ALIGNMENT) * ALIGNMENT;
  const end = start + capacity * 8;
  const missingPages = Math.ceil((end - memory.buffer.byteLength) / PAGE_BYTES);
  if (missingPages > 0) growBy(memory, missingPages, capacity);
  let next = start;
  const arena: Arena = {
    kernels,
    memory: new Float64Array(memory.buffer),
    allocate(count) {
      const pointer = next;
      next += allocationSize(count) * 8;
      if (next > end) throw new Error(`The arena holds ${capacity} values, ${(next - start) / 8} were asked for.`);
      return pointer;
    },
    floats: (pointer, count) => new Float64Array(memory.buffer, pointer, count),
    integers: (pointer, count) => new Int32Array(memory.buffer, pointer, count),
  };
  try {
    return compute(arena);
  } finally {
    if (memory.buffer.byteLength <= RETAINED_BYTES) idle = instance;
  }
}

function growBy(memory: WasmMemory, pages: number, capacity: number): void {
  try {
    memory.grow(pages);
  } catch {
    const gibibytes = ((capacity * 8) / 2 ** 30).toFixed(1);
    throw new RangeError(`The matrices need ${gibibytes} GiB of working memory; at most 4 GiB can be had.`);
  }
}
