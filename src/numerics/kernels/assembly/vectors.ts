// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f64 {
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
    let xj: v128, v0: v128, v1: v128, left: v128;
    // Unrolled with an exit after every step, as in `multiplyTile`.
    const last = px + ((end - px) & ~15);
    const end1 = last - 16;
    const end2 = last - 32;
    const end3 = last - 48;
    while (px < last) {
      xj = v128.load(px);
      v0 = v128.load(p0);
      v1 = v128.load(p1);
      s0 = f64x2.add(s0, f64x2.mul(v0, xj));
      s1 = f64x2.add(s1, f64x2.mul(v1, xj));
      left = f64x2.add(f64x2.mul(v0, w0), f64x2.mul(v1, w1));
      v0 = v128.load(p2);
      v1 = v128.load(p3);
      s2 = f64x2.add(s2, f64x2.mul(v0, xj));
      s3 = f64x2.add(s3, f64x2.mul(v1, xj));
      left = f64x2.add(left, f64x2.add(f64x2.mul(v0, w2), f64x2.mul(v1, w3)));
      v128.store(py, f64x2.add(v128.load(py), left));
      if (px == end1) break;
      xj = v128.load(px, 16);
      v0 = v128.load(p0, 16);
      v1 = v128.load(p1, 16);
      s0 = f64x2.add(s0, f64x2.mul(v0, xj));
      s1 = f64x2.add(s1, f64x2.mul(v1, xj));
      left = f64x2.add(f64x2.mul(v0, w0), f64x2.mul(v1, w1));
      v0 = v128.load(p2, 16);
      v1 = v128.load(p3, 16);
      s2 = f64x2.add(s2, f64x2.mul(v0, xj));
      s3 = f64x2.add(s3, f64x2.mul(v1, xj));
      left = f64x2.add(left, f64x2.add(f64x2.mul(v0, w2), f64x2.mul(v1, w3)));
      v128.store(py, f64x2.add(v128.load(py, 16), left), 16);
      if (px == end2) break;
      xj = v128.load(px, 32);
      v0 = v128.load(p0, 32);
      v1 = v128.load(p1, 32);
      s0 = f64x2.add(s0, f64x2.mul(v0, xj));
      s1 = f64x2.add(s1, f64x2.mul(v1, xj));
      left = f64x2.add(f64x2.mul(v0, w0), f64x2.mul(v1, w1));
      v0 = v128.load(p2, 32);
      v1 = v128.load(p3, 32);
      s2 = f64x2.add(s2, f64x2.mul(v0, xj));
      s3 = f64x2.add(s3, f64x2.mul(v1, xj));
      left = f64x2.add(left, f64x2.add(f64x2.mul(v0, w2), f64x2.mul(v1, w3)));
      v128.store(py, f64x2.add(v128.load(py, 32), left), 32);
      if (px == end3) break;
      xj = v128.load(px, 48);
      v0 = v128.load(p0, 48);
      v1 = v128.load(p1, 48);
      s0 = f64x2.add(s0, f64x2.mul(v0, xj));
      s1 = f64x2.add(s1, f64x2.mul(v1, xj));
      left = f64x2.add(f64x2.mul(v0, w0), f64x2.mul(v1, w1));
      v0 = v128.load(p2, 48);
      v1 = v128.load(p3, 48);
      s2 = f64x2.add(s2, f64x2.mul(v0, xj));
      s3 = f64x2.add(s3, f64x2.mul(v1, xj));
      left = f64x2.add(left, f64x2.add(f64x2.mul(v0, w2), f64x2.mul(v1, w3)));
      v128.store(py, f64x2.add(v128.load(py, 48), left), 48);
      p0 += 64, p1 += 64, p2 += 64, p3 += 64, px += 64, py += 64;
    }
    const rest = last - px;
    p0 += rest, p1 += rest, p2 += rest, p3 += rest, px += rest, py += rest;
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

/** Copies n values; source and target may overlap. */
export function copy(n: i32, source: usize, target: usize): void {
  memory.copy(target, source, <usize>n << 3);
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

/** The entry of largest size of a vector of length n, the first of equals. */
export function largestEntry(n: i32, x: usize): f64 {
  let sizes = f64x2.splat(0);
  const end = x + (<usize>n << 3);
  let p = x;
  for (; p + 16 <= end; p += 16) sizes = f64x2.max(sizes, f64x2.abs(v128.load(p)));
  let size = max(f64x2.extract_lane(sizes, 0), f64x2.extract_lane(sizes, 1));
  if (p < end) size = max(size, Math.abs(load<f64>(p)));
  for (p = x; p + 8 < end && Math.abs(load<f64>(p)) != size; p += 8) {}
  return load<f64>(p);
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
