// `gemmWorkspace` in index.ts repeats these four block sizes.
/** Rows and columns of the register tile: 8 accumulators of two values each, which leaves registers for operands. */
const TILE: i32 = 4;
/** Depth of a packed block: a 4-column strip of B (8 KiB) stays in the first-level cache. */
const KC: i32 = 256;
/** Rows of a packed block of A (every value twice: 256 KiB, second-level cache), columns of one of B (third level). */
const MC: i32 = 64;
const NC: i32 = 3072;


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
  const sourceRow = <usize>rsa << 3;
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
        const source = a + ((<usize>ic * rsa + <usize>pc * csa) << 3);
        // Whole tiles of rows that are contiguous are read where they are.
        const direct = csa == 1 ? mc & ~(TILE - 1) : 0;
        packTwice(mc - direct, kc, source + (<usize>direct * sourceRow), rsa, csa, packedA);
        for (let jr = 0; jr < nc; jr += TILE) {
          const bp = packedB + <usize>(jr / TILE) * strip;
          const rows = upper ? min(mc, jc + jr + TILE - ic) : mc;
          const nr = min(nc - jr, TILE);
          let ap = packedA;
          let sp = source;
          let cp = c + <usize>ic * rowBytes + (<usize>(jc + jr) << 3);
          for (let ir = 0; ir < rows; ir += TILE) {
            const mr = min(mc - ir, TILE);
            const whole = mr == TILE && nr == TILE;
            const target = whole ? cp : tile;
            const targetRow = whole ? rowBytes : TILE << 3;
            const tileMode = whole ? blockMode : 0;
            if (ir < direct) {
              multiplyRows(kc, sp, sourceRow, bp, target, targetRow, tileMode);
              sp += sourceRow << 2;
            } else {
              multiplyTile(kc, ap, bp, target, targetRow, tileMode);
              ap += strip << 1;
            }
            if (!whole) addPartialTile(mr, nr, tile, cp, rowBytes, blockMode);
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

/** As `pack`, each value twice in a row, as the register tile takes it. */
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
  storeTile(c, rowBytes, mode, s00, s01, s10, s11, s20, s21, s30, s31);
}

/** As `multiplyTile`, with the four rows of A, `rowStep` bytes apart, as they are. */
function multiplyRows(depth: i32, a: usize, rowStep: usize, b: usize, c: usize, rowBytes: usize, mode: i32): void {
  let s00 = f64x2.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  let p0 = a, p1 = p0 + rowStep, p2 = p1 + rowStep, p3 = p2 + rowStep;
  const end = b + (<usize>depth << 5);
  const end1 = end - 32;
  const end2 = end - 64;
  const end3 = end - 96;
  while (true) {
    let b0 = v128.load(b), b1 = v128.load(b, 16), x = v128.load64_splat(p0);
    s00 = f64x2.add(s00, f64x2.mul(x, b0));
    s01 = f64x2.add(s01, f64x2.mul(x, b1));
    x = v128.load64_splat(p1);
    s10 = f64x2.add(s10, f64x2.mul(x, b0));
    s11 = f64x2.add(s11, f64x2.mul(x, b1));
    x = v128.load64_splat(p2);
    s20 = f64x2.add(s20, f64x2.mul(x, b0));
    s21 = f64x2.add(s21, f64x2.mul(x, b1));
    x = v128.load64_splat(p3);
    s30 = f64x2.add(s30, f64x2.mul(x, b0));
    s31 = f64x2.add(s31, f64x2.mul(x, b1));
    if (b == end1) break;
    b0 = v128.load(b, 32);
    b1 = v128.load(b, 48);
    x = v128.load64_splat(p0, 8);
    s00 = f64x2.add(s00, f64x2.mul(x, b0));
    s01 = f64x2.add(s01, f64x2.mul(x, b1));
    x = v128.load64_splat(p1, 8);
    s10 = f64x2.add(s10, f64x2.mul(x, b0));
    s11 = f64x2.add(s11, f64x2.mul(x, b1));
    x = v128.load64_splat(p2, 8);
    s20 = f64x2.add(s20, f64x2.mul(x, b0));
    s21 = f64x2.add(s21, f64x2.mul(x, b1));
    x = v128.load64_splat(p3, 8);
    s30 = f64x2.add(s30, f64x2.mul(x, b0));
    s31 = f64x2.add(s31, f64x2.mul(x, b1));
    if (b == end2) break;
    b0 = v128.load(b, 64);
    b1 = v128.load(b, 80);
    x = v128.load64_splat(p0, 16);
    s00 = f64x2.add(s00, f64x2.mul(x, b0));
    s01 = f64x2.add(s01, f64x2.mul(x, b1));
    x = v128.load64_splat(p1, 16);
    s10 = f64x2.add(s10, f64x2.mul(x, b0));
    s11 = f64x2.add(s11, f64x2.mul(x, b1));
    x = v128.load64_splat(p2, 16);
    s20 = f64x2.add(s20, f64x2.mul(x, b0));
    s21 = f64x2.add(s21, f64x2.mul(x, b1));
    x = v128.load64_splat(p3, 16);
    s30 = f64x2.add(s30, f64x2.mul(x, b0));
    s31 = f64x2.add(s31, f64x2.mul(x, b1));
    if (b == end3) break;
    b0 = v128.load(b, 96);
    b1 = v128.load(b, 112);
    x = v128.load64_splat(p0, 24);
    s00 = f64x2.add(s00, f64x2.mul(x, b0));
    s01 = f64x2.add(s01, f64x2.mul(x, b1));
    x = v128.load64_splat(p1, 24);
    s10 = f64x2.add(s10, f64x2.mul(x, b0));
    s11 = f64x2.add(s11, f64x2.mul(x, b1));
    x = v128.load64_splat(p2, 24);
    s20 = f64x2.add(s20, f64x2.mul(x, b0));
    s21 = f64x2.add(s21, f64x2.mul(x, b1));
    x = v128.load64_splat(p3, 24);
    s30 = f64x2.add(s30, f64x2.mul(x, b0));
    s31 = f64x2.add(s31, f64x2.mul(x, b1));
    p0 += 32, p1 += 32, p2 += 32, p3 += 32, b += 128;
    if (b == end) break;
  }
  storeTile(c, rowBytes, mode, s00, s01, s10, s11, s20, s21, s30, s31);
}

// @ts-ignore: decorator
@inline
function storeTile(
  c: usize, rowBytes: usize, mode: i32,
  s00: v128, s01: v128, s10: v128, s11: v128, s20: v128, s21: v128, s30: v128, s31: v128,
): void {
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
