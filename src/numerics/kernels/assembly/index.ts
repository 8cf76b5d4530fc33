// Float64 SIMD kernels in AssemblyScript. `node esbuild.mjs --kernels` compiles them to WebAssembly; `index.ts` loads them.
// Pointers are byte offsets into the imported memory, lengths and strides count float64 values. Nothing here allocates:
// callers own the memory. V8's baseline feature set has no fused multiply-add, so a multiply and an add are the unit of work.
export { gemm } from "./gemm";
export { axpy, copy, dot, largestEntry, rotate, rowDots, scale, subtractRows, symv } from "./vectors";
export { scaleByGapRatios, secularSums, secularVector } from "./secular";

/** First byte that no static data of this module occupies. */
export function heapBase(): usize {
  return __heap_base;
}
