import { sumLanes } from "./vectors";

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
