// Float64 SIMD kernels in AssemblyScript. `node esbuild.mjs --kernels` compiles them to WebAssembly; `index.ts` loads them.
// Pointers are byte offsets into the imported memory, lengths and strides count float64 values. Nothing here allocates:
// callers own the memory. V8's baseline feature set has no fused multiply-add, so a multiply and an add are the unit of work.

// `gemmWorkspace` in index.ts repeats these four block sizes.
/** Rows and columns of the register tile: 8 accumulators of two values each, which leaves registers for operands. */
const TILE: i32 = 4;
/** Depth of a packed block: a 4-column strip of B (8 KiB) stays in the first-level cache. */
const KC: i32 = 256;
/** Rows of a packed block of A (each value twice, 256 KiB: second-level cache) and columns of a packed block of B (third level). */
const MC: i32 = 64;
const NC: i32 = 3072;

/** First byte that no static data of this module occupies. */
export function heapBase(): usize {
  return __heap_base;
}

/**
 * C (m×n) = A·B, C += A·B or C −= A·B for mode 0, 1, 2. A is m×k with strides (rsa, csa), B is k×n with (rsb, csb), so any
 * mix of transposed operands is one call; C is row-major with leading dimension ldc. With `upper` set, tiles wholly below
 * the diagonal are left alone. Blocking and packing follow Goto & van de Geijn (2008).
 */
export function gemm(
  m: i32, n: i32, k: i32,
  a: usize, rsa: i32, csa: i32,
  b: usize, rsb: i32, csb: i32,
  c: usize, ldc: i32, mode: i32, upper: bool, work: usize,
): void {
  const depth = min(k, KC);
  const packedA = work;
  const packedB = packedA + (<usize>(MC * depth) << 4);
  const tile = packedB + (<usize>(((min(n, NC) + TILE - 1) & ~(TILE - 1)) * depth) << 3);
  const rowBytes = <usize>ldc << 3;
  for (let jc = 0; jc < n; jc += NC) {
    const nc = min(n - jc, NC);
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(k - pc, KC);
      const strip = <usize>(kc * TILE) << 3;
      const blockMode = pc > 0 && mode == 0 ? 1 : mode;
      pack(nc, kc, b + ((<usize>pc * rsb + <usize>jc * csb) << 3), csb, rsb, packedB);
      for (let ic = 0; ic < m; ic += MC) {
        if (upper && jc + nc <= ic) break;
        const mc = min(m - ic, MC);
        packTwice(mc, kc, a + ((<usize>ic * rsa + <usize>pc * csa) << 3), rsa, csa, packedA);
        for (let jr = 0; jr < nc; jr += TILE) {
          const bp = packedB + <usize>(jr / TILE) * strip;
          const rows = upper ? min(mc, jc + jr + TILE - ic) : mc;
          const nr = min(nc - jr, TILE);
          let ap = packedA;
          let cp = c + <usize>ic * rowBytes + (<usize>(jc + jr) << 3);
          for (let ir = 0; ir < rows; ir += TILE) {
            const mr = min(mc - ir, TILE);
            if (mr == TILE && nr == TILE) {
              multiplyTile(kc, ap, bp, cp, rowBytes, blockMode);
            } else {
              multiplyTile(kc, ap, bp, tile, TILE << 3, 0);
              addPartialTile(mr, nr, tile, cp, rowBytes, blockMode);
            }
            ap += strip << 1;
            cp += rowBytes << 2;
          }
        }
      }
    }
  }
}

/** Copies a rows×depth block with the given strides into strips of 4 rows, depth-major, the last strip padded with zeros. */
function pack(rows: i32, depth: i32, source: usize, rowStride: i32, depthStride: i32, target: usize): void {
  const rs = <usize>rowStride << 3;
  const ds = <usize>depthStride << 3;
  let out = target;
  let i = 0;
  for (; i + TILE <= rows; i += TILE) {
    let p0 = source + <usize>i * rs;
    let l = 0;
    if (rowStride == 1) {
      for (; l < depth; l++) {
        v128.store(out, v128.load(p0));
        v128.store(out, v128.load(p0, 16), 16);
        p0 += ds;
        out += 32;
      }
    } else {
      let p1 = p0 + rs;
      let p2 = p1 + rs;
      let p3 = p2 + rs;
      if (depthStride == 1) {
        for (; l + 2 <= depth; l += 2) {
          const r0 = v128.load(p0);
          const r1 = v128.load(p1);
          const r2 = v128.load(p2);
          const r3 = v128.load(p3);
          v128.store(out, v128.shuffle<f64>(r0, r1, 0, 2));
          v128.store(out, v128.shuffle<f64>(r2, r3, 0, 2), 16);
          v128.store(out, v128.shuffle<f64>(r0, r1, 1, 3), 32);
          v128.store(out, v128.shuffle<f64>(r2, r3, 1, 3), 48);
          p0 += 16;
          p1 += 16;
          p2 += 16;
          p3 += 16;
          out += 64;
        }
      }
      for (; l < depth; l++) {
        store<f64>(out, load<f64>(p0));
        store<f64>(out, load<f64>(p1), 8);
        store<f64>(out, load<f64>(p2), 16);
        store<f64>(out, load<f64>(p3), 24);
        p0 += ds;
        p1 += ds;
        p2 += ds;
        p3 += ds;
        out += 32;
      }
    }
  }
  if (i < rows) {
    const left = rows - i;
    for (let l = 0; l < depth; l++) {
      const p = source + <usize>i * rs + <usize>l * ds;
      for (let r = 0; r < TILE; r++) {
        store<f64>(out + (<usize>r << 3), r < left ? load<f64>(p + <usize>r * rs) : 0);
      }
      out += 32;
    }
  }
}

/** As `pack`, each value twice in a row: such a pair loads in one instruction, where spreading a value takes two. */
function packTwice(rows: i32, depth: i32, source: usize, rowStride: i32, depthStride: i32, target: usize): void {
  const rs = <usize>rowStride << 3;
  const ds = <usize>depthStride << 3;
  let out = target;
  let i = 0;
  for (; i + TILE <= rows; i += TILE) {
    let p0 = source + <usize>i * rs;
    let p1 = p0 + rs;
    let p2 = p1 + rs;
    let p3 = p2 + rs;
    for (let l = 0; l < depth; l++) {
      v128.store(out, v128.load64_splat(p0));
      v128.store(out, v128.load64_splat(p1), 16);
      v128.store(out, v128.load64_splat(p2), 32);
      v128.store(out, v128.load64_splat(p3), 48);
      p0 += ds;
      p1 += ds;
      p2 += ds;
      p3 += ds;
      out += 64;
    }
  }
  if (i < rows) {
    for (let l = 0; l < depth; l++) {
      let p = source + <usize>i * rs + <usize>l * ds;
      for (let r = i; r < i + TILE; r++) {
        v128.store(out, f64x2.splat(r < rows ? load<f64>(p) : 0));
        p += rs;
        out += 16;
      }
    }
  }
}

/** One step of the register tile: its 4×4 sums gain the outer product of 4 packed values of A and 4 of B. */
function multiplyTile(depth: i32, a: usize, b: usize, c: usize, rowBytes: usize, mode: i32): void {
  let s00 = f64x2.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  const end = a + (<usize>depth << 6);
  const end1 = end - 64;
  const end2 = end - 128;
  const end3 = end - 192;
  // Unrolled with an exit after every step: V8 moves all loads of a straight piece of code to its top, and the operands of
  // two steps at once would no longer fit the registers.
  while (true) {
    let b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load(a);
    s00 = f64x2.add(s00, f64x2.mul(x, b0));
    s01 = f64x2.add(s01, f64x2.mul(x, b1));
    x = v128.load(a, 16);
    s10 = f64x2.add(s10, f64x2.mul(x, b0));
    s11 = f64x2.add(s11, f64x2.mul(x, b1));
    x = v128.load(a, 32);
    s20 = f64x2.add(s20, f64x2.mul(x, b0));
    s21 = f64x2.add(s21, f64x2.mul(x, b1));
    x = v128.load(a, 48);
    s30 = f64x2.add(s30, f64x2.mul(x, b0));
    s31 = f64x2.add(s31, f64x2.mul(x, b1));
    if (a == end1) break;
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
    x = v128.load(a, 64);
    s00 = f64x2.add(s00, f64x2.mul(x, b0));
    s01 = f64x2.add(s01, f64x2.mul(x, b1));
    x = v128.load(a, 80);
    s10 = f64x2.add(s10, f64x2.mul(x, b0));
    s11 = f64x2.add(s11, f64x2.mul(x, b1));
    x = v128.load(a, 96);
    s20 = f64x2.add(s20, f64x2.mul(x, b0));
    s21 = f64x2.add(s21, f64x2.mul(x, b1));
    x = v128.load(a, 112);
    s30 = f64x2.add(s30, f64x2.mul(x, b0));
    s31 = f64x2.add(s31, f64x2.mul(x, b1));
    if (a == end2) break;
    b0 = v128.load(b, 64);
    b1 = v128.load(b, 80);
    x = v128.load(a, 128);
    s00 = f64x2.add(s00, f64x2.mul(x, b0));
    s01 = f64x2.add(s01, f64x2.mul(x, b1));
    x = v128.load(a, 144);
    s10 = f64x2.add(s10, f64x2.mul(x, b0));
    s11 = f64x2.add(s11, f64x2.mul(x, b1));
    x = v128.load(a, 160);
    s20 = f64x2.add(s20, f64x2.mul(x, b0));
    s21 = f64x2.add(s21, f64x2.mul(x, b1));
    x = v128.load(a, 176);
    s30 = f64x2.add(s30, f64x2.mul(x, b0));
    s31 = f64x2.add(s31, f64x2.mul(x, b1));
    if (a == end3) break;
    b0 = v128.load(b, 96);
    b1 = v128.load(b, 112);
    x = v128.load(a, 192);
    s00 = f64x2.add(s00, f64x2.mul(x, b0));
    s01 = f64x2.add(s01, f64x2.mul(x, b1));
    x = v128.load(a, 208);
    s10 = f64x2.add(s10, f64x2.mul(x, b0));
    s11 = f64x2.add(s11, f64x2.mul(x, b1));
    x = v128.load(a, 224);
    s20 = f64x2.add(s20, f64x2.mul(x, b0));
    s21 = f64x2.add(s21, f64x2.mul(x, b1));
    x = v128.load(a, 240);
    s30 = f64x2.add(s30, f64x2.mul(x, b0));
    s31 = f64x2.add(s31, f64x2.mul(x, b1));
    a += 256;
    b += 128;
    if (a == end) break;
  }
  storePair(c, s00, s01, mode);
  c += rowBytes;
  storePair(c, s10, s11, mode);
  c += rowBytes;
  storePair(c, s20, s21, mode);
  c += rowBytes;
  storePair(c, s30, s31, mode);
}

// @ts-ignore: decorator
@inline
function storePair(c: usize, s0: v128, s1: v128, mode: i32): void {
  if (mode == 1) {
    s0 = f64x2.add(v128.load(c), s0);
    s1 = f64x2.add(v128.load(c, 16), s1);
  } else if (mode == 2) {
    s0 = f64x2.sub(v128.load(c), s0);
    s1 = f64x2.sub(v128.load(c, 16), s1);
  }
  v128.store(c, s0);
  v128.store(c, s1, 16);
}

function addPartialTile(rows: i32, columns: i32, tile: usize, c: usize, rowBytes: usize, mode: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const sum = load<f64>(tile + (<usize>(i * TILE + j) << 3));
      const p = c + <usize>i * rowBytes + (<usize>j << 3);
      store<f64>(p, mode == 0 ? sum : mode == 1 ? load<f64>(p) + sum : load<f64>(p) - sum);
    }
  }
}

// @ts-ignore: decorator
@inline
function sumLanes(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** y = A·x for a symmetric n×n A of which only the upper triangle (row-major, leading dimension lda) is read. */
export function symv(n: i32, a: usize, lda: i32, x: usize, y: usize): void {
  memory.fill(y, 0, <usize>n << 3);
  const ld = <usize>lda << 3;
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const r0 = a + <usize>i * ld + (<usize>i << 3);
    const r1 = r0 + ld + 8;
    const r2 = r1 + ld + 8;
    const r3 = r2 + ld + 8;
    const xi = x + (<usize>i << 3);
    const yi = y + (<usize>i << 3);
    const x0 = load<f64>(xi), x1 = load<f64>(xi, 8), x2 = load<f64>(xi, 16), x3 = load<f64>(xi, 24);
    const a01 = load<f64>(r0, 8), a02 = load<f64>(r0, 16), a03 = load<f64>(r0, 24);
    const a12 = load<f64>(r1, 8), a13 = load<f64>(r1, 16), a23 = load<f64>(r2, 8);
    let t0 = load<f64>(r0) * x0 + a01 * x1 + a02 * x2 + a03 * x3;
    let t1 = a01 * x0 + load<f64>(r1) * x1 + a12 * x2 + a13 * x3;
    let t2 = a02 * x0 + a12 * x1 + load<f64>(r2) * x2 + a23 * x3;
    let t3 = a03 * x0 + a13 * x1 + a23 * x2 + load<f64>(r3) * x3;
    let p0 = r0 + 32, p1 = r1 + 24, p2 = r2 + 16, p3 = r3 + 8;
    let px = xi + 32, py = yi + 32;
    const end = x + (<usize>n << 3);
    // One scalar step where it makes the vector loads aligned: an unaligned one crosses a cache line every fourth time.
    if ((p0 & 15) != 0 && px < end) {
      const v0 = load<f64>(p0), v1 = load<f64>(p1), v2 = load<f64>(p2), v3 = load<f64>(p3), xj = load<f64>(px);
      t0 += v0 * xj;
      t1 += v1 * xj;
      t2 += v2 * xj;
      t3 += v3 * xj;
      store<f64>(py, load<f64>(py) + (v0 * x0 + v1 * x1) + (v2 * x2 + v3 * x3));
      p0 += 8, p1 += 8, p2 += 8, p3 += 8, px += 8, py += 8;
    }
    const w0 = v128.load64_splat(xi), w1 = v128.load64_splat(xi, 8);
    const w2 = v128.load64_splat(xi, 16), w3 = v128.load64_splat(xi, 24);
    let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
    while (px + 16 <= end) {
      const xj = v128.load(px);
      const v0 = v128.load(p0);
      const v1 = v128.load(p1);
      s0 = f64x2.add(s0, f64x2.mul(v0, xj));
      s1 = f64x2.add(s1, f64x2.mul(v1, xj));
      const left = f64x2.add(f64x2.mul(v0, w0), f64x2.mul(v1, w1));
      const v2 = v128.load(p2);
      const v3 = v128.load(p3);
      s2 = f64x2.add(s2, f64x2.mul(v2, xj));
      s3 = f64x2.add(s3, f64x2.mul(v3, xj));
      const right = f64x2.add(f64x2.mul(v2, w2), f64x2.mul(v3, w3));
      v128.store(py, f64x2.add(v128.load(py), f64x2.add(left, right)));
      p0 += 16, p1 += 16, p2 += 16, p3 += 16, px += 16, py += 16;
    }
    t0 += sumLanes(s0);
    t1 += sumLanes(s1);
    t2 += sumLanes(s2);
    t3 += sumLanes(s3);
    if (px < end) {
      const v0 = load<f64>(p0), v1 = load<f64>(p1), v2 = load<f64>(p2), v3 = load<f64>(p3), xj = load<f64>(px);
      t0 += v0 * xj;
      t1 += v1 * xj;
      t2 += v2 * xj;
      t3 += v3 * xj;
      store<f64>(py, load<f64>(py) + (v0 * x0 + v1 * x1) + (v2 * x2 + v3 * x3));
    }
    store<f64>(yi, load<f64>(yi) + t0);
    store<f64>(yi, load<f64>(yi, 8) + t1, 8);
    store<f64>(yi, load<f64>(yi, 16) + t2, 16);
    store<f64>(yi, load<f64>(yi, 24) + t3, 24);
  }
  for (; i < n; i++) {
    const r = a + <usize>i * ld;
    const xi = load<f64>(x + (<usize>i << 3));
    let sum = load<f64>(r + (<usize>i << 3)) * xi;
    for (let j = i + 1; j < n; j++) {
      const v = load<f64>(r + (<usize>j << 3));
      const py = y + (<usize>j << 3);
      sum += v * load<f64>(x + (<usize>j << 3));
      store<f64>(py, load<f64>(py) + v * xi);
    }
    const yi = y + (<usize>i << 3);
    store<f64>(yi, load<f64>(yi) + sum);
  }
}

/** xᵀy of two vectors of length n. */
export function dot(n: i32, x: usize, y: usize): f64 {
  let s0 = f64x2.splat(0), s1 = s0;
  const end = x + (<usize>n << 3);
  while (x + 32 <= end) {
    s0 = f64x2.add(s0, f64x2.mul(v128.load(x), v128.load(y)));
    s1 = f64x2.add(s1, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
    x += 32;
    y += 32;
  }
  let sum = sumLanes(f64x2.add(s0, s1));
  for (; x < end; x += 8, y += 8) sum += load<f64>(x) * load<f64>(y);
  return sum;
}

/** y += alpha·x for vectors of length n. */
export function axpy(n: i32, alpha: f64, x: usize, y: usize): void {
  const factor = f64x2.splat(alpha);
  const end = x + (<usize>n << 3);
  for (; x + 16 <= end; x += 16, y += 16) v128.store(y, f64x2.add(v128.load(y), f64x2.mul(factor, v128.load(x))));
  if (x < end) store<f64>(y, load<f64>(y) + alpha * load<f64>(x));
}

/** x *= alpha for a vector of length n. */
export function scale(n: i32, alpha: f64, x: usize): void {
  const factor = f64x2.splat(alpha);
  const end = x + (<usize>n << 3);
  for (; x + 16 <= end; x += 16) v128.store(x, f64x2.mul(factor, v128.load(x)));
  if (x < end) store<f64>(x, alpha * load<f64>(x));
}

/** out[r] = (row r of the count×n matrix at `rows`)·x. */
export function rowDots(count: i32, n: i32, rows: usize, ld: i32, x: usize, out: usize): void {
  const bytes = <usize>ld << 3;
  const end = x + (<usize>n << 3);
  let r = 0;
  for (; r + 4 <= count; r += 4) {
    let p0 = rows + <usize>r * bytes;
    let p1 = p0 + bytes, p2 = p1 + bytes, p3 = p2 + bytes, px = x;
    let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0;
    while (px + 16 <= end) {
      const v = v128.load(px);
      s0 = f64x2.add(s0, f64x2.mul(v, v128.load(p0)));
      s1 = f64x2.add(s1, f64x2.mul(v, v128.load(p1)));
      s2 = f64x2.add(s2, f64x2.mul(v, v128.load(p2)));
      s3 = f64x2.add(s3, f64x2.mul(v, v128.load(p3)));
      p0 += 16, p1 += 16, p2 += 16, p3 += 16, px += 16;
    }
    const tail: f64 = px < end ? load<f64>(px) : 0;
    const o = out + (<usize>r << 3);
    store<f64>(o, sumLanes(s0) + (px < end ? tail * load<f64>(p0) : 0));
    store<f64>(o, sumLanes(s1) + (px < end ? tail * load<f64>(p1) : 0), 8);
    store<f64>(o, sumLanes(s2) + (px < end ? tail * load<f64>(p2) : 0), 16);
    store<f64>(o, sumLanes(s3) + (px < end ? tail * load<f64>(p3) : 0), 24);
  }
  for (; r < count; r++) store<f64>(out + (<usize>r << 3), dot(n, rows + <usize>r * bytes, x));
}

/** y −= Σ_r factors[r]·(row r of the count×n matrix at `rows`); consecutive factors lie `factorStride` values apart. */
export function subtractRows(
  count: i32, n: i32, rows: usize, ld: i32, factors: usize, factorStride: i32, y: usize,
): void {
  const bytes = <usize>ld << 3;
  const fs = <usize>factorStride << 3;
  const end = y + (<usize>n << 3);
  let f = factors;
  let r = 0;
  for (; r + 4 <= count; r += 4) {
    let p0 = rows + <usize>r * bytes;
    let p1 = p0 + bytes, p2 = p1 + bytes, p3 = p2 + bytes, py = y;
    const a0 = load<f64>(f), a1 = load<f64>(f + fs), a2 = load<f64>(f + fs * 2), a3 = load<f64>(f + fs * 3);
    const f0 = v128.load64_splat(f), f1 = v128.load64_splat(f + fs);
    const f2 = v128.load64_splat(f + fs * 2), f3 = v128.load64_splat(f + fs * 3);
    while (py + 16 <= end) {
      const left = f64x2.add(f64x2.mul(f0, v128.load(p0)), f64x2.mul(f1, v128.load(p1)));
      const right = f64x2.add(f64x2.mul(f2, v128.load(p2)), f64x2.mul(f3, v128.load(p3)));
      v128.store(py, f64x2.sub(v128.load(py), f64x2.add(left, right)));
      p0 += 16, p1 += 16, p2 += 16, p3 += 16, py += 16;
    }
    if (py < end) {
      const sum = a0 * load<f64>(p0) + a1 * load<f64>(p1) + (a2 * load<f64>(p2) + a3 * load<f64>(p3));
      store<f64>(py, load<f64>(py) - sum);
    }
    f += fs << 2;
  }
  for (; r < count; r++, f += fs) axpy(n, -load<f64>(f), rows + <usize>r * bytes, y);
}

/** The plane rotation (x, y) ← (c·x + s·y, c·y − s·x) of two vectors of length n. */
export function rotate(n: i32, x: usize, y: usize, c: f64, s: f64): void {
  const vc = f64x2.splat(c), vs = f64x2.splat(s);
  const end = x + (<usize>n << 3);
  for (; x + 16 <= end; x += 16, y += 16) {
    const vx = v128.load(x), vy = v128.load(y);
    v128.store(x, f64x2.add(f64x2.mul(vc, vx), f64x2.mul(vs, vy)));
    v128.store(y, f64x2.sub(f64x2.mul(vc, vy), f64x2.mul(vs, vx)));
  }
  if (x < end) {
    const vx = load<f64>(x), vy = load<f64>(y);
    store<f64>(x, c * vx + s * vy);
    store<f64>(y, c * vy - s * vx);
  }
}

/**
 * One side of the secular function: gaps[j] = (d[j] − origin) − tau, and at out the sum of z²/gap, at out+8 that of
 * (z/gap)², over n poles. The order of the two subtractions is what keeps a gap to a near pole accurate.
 */
export function secularSums(n: i32, d: usize, z: usize, origin: f64, tau: f64, gaps: usize, out: usize): void {
  const vo = f64x2.splat(origin), vt = f64x2.splat(tau);
  let value = f64x2.splat(0), slope = value;
  const end = d + (<usize>n << 3);
  for (; d + 16 <= end; d += 16, z += 16, gaps += 16) {
    const gap = f64x2.sub(f64x2.sub(v128.load(d), vo), vt);
    const vz = v128.load(z);
    const t = f64x2.div(vz, gap);
    v128.store(gaps, gap);
    value = f64x2.add(value, f64x2.mul(vz, t));
    slope = f64x2.add(slope, f64x2.mul(t, t));
  }
  let sum = sumLanes(value), slopeSum = sumLanes(slope);
  if (d < end) {
    const gap = load<f64>(d) - origin - tau;
    const t = load<f64>(z) / gap;
    store<f64>(gaps, gap);
    sum += load<f64>(z) * t;
    slopeSum += t * t;
  }
  store<f64>(out, sum);
  store<f64>(out, slopeSum, 8);
}

/** w[i] *= gaps[i] / (d[i] − pole) for n entries: one root's factor in the Löwner formula for the updated z. */
export function scaleByGapRatios(n: i32, d: usize, pole: f64, gaps: usize, w: usize): void {
  const vp = f64x2.splat(pole);
  const end = d + (<usize>n << 3);
  for (; d + 16 <= end; d += 16, gaps += 16, w += 16) {
    const ratio = f64x2.div(v128.load(gaps), f64x2.sub(v128.load(d), vp));
    v128.store(w, f64x2.mul(v128.load(w), ratio));
  }
  if (d < end) store<f64>(w, load<f64>(w) * (load<f64>(gaps) / (load<f64>(d) - pole)));
}

/** Overwrites n gaps of one root with its unit eigenvector w/gap, entries ordered by the int32 indices at `order`; scratch: n + 1. */
export function secularVector(n: i32, w: usize, gaps: usize, order: usize, scratch: usize): void {
  let squares = f64x2.splat(0);
  const bytes = <usize>n << 3;
  const norm = scratch + bytes;
  let p: usize = 0;
  for (; p + 16 <= bytes; p += 16) {
    const t = f64x2.div(v128.load(w + p), v128.load(gaps + p));
    v128.store(scratch + p, t);
    squares = f64x2.add(squares, f64x2.mul(t, t));
  }
  let sum = sumLanes(squares);
  if (p < bytes) {
    const t = load<f64>(w + p) / load<f64>(gaps + p);
    store<f64>(scratch + p, t);
    sum += t * t;
  }
  // Through memory, because V8 would move the square root and the division into the loop.
  store<f64>(norm, 1 / Math.sqrt(sum));
  const factor = load<f64>(norm);
  for (let i = 0; i < n; i++) {
    const source = <usize>load<i32>(order + (<usize>i << 2));
    store<f64>(gaps + (<usize>i << 3), factor * load<f64>(scratch + (source << 3)));
  }
}
