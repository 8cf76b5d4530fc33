/** Zero crossings of the sinc on each side: a transition band of a few percent of the band. */
const CROSSINGS = 32;
/** Kaiser's window at which what is beyond the band is some 90 dB lower. */
const KAISER_BETA = 9;
/** The share of the smaller band that passes: the rest is the transition. */
const PASSED = 0.95;

/** Filters that are kept: two usual rates need some hundred, odd ones as many as samples. */
const MOST_FILTERS = 4096;

/** Samples [start, start + count) of a recording, with zeros before its beginning and behind its end. */
export type ReadSamples = (start: number, count: number) => Float32Array;

/** Samples [start, start + count) of a recording at the new rate. */
export type Resampler = (read: ReadSamples, start: number, count: number) => Float32Array;

/**
 * Changes the sampling rate by a windowed sinc: what does not fit into the new band is filtered out. At the same rate the
 * samples are as they are.
 * @param from samples per second of the recording. @param to the same of the result.
 */
export function resampler(from: number, to: number): Resampler {
  if (from === to) return (read, start, count) => read(start, count);
  const common = greatestCommonDivisor(from, to);
  const [up, down] = [to / common, from / common];
  const cutoff = PASSED * Math.min(1, to / from);
  const half = Math.ceil(CROSSINGS / cutoff);
  const filters = new Map<number, Float64Array>();
  const filterAt = (phase: number): Float64Array => {
    const known = filters.get(phase);
    if (known !== undefined) return known;
    const filter = filterFor(phase / up, cutoff, half);
    if (filters.size < MOST_FILTERS) filters.set(phase, filter);
    return filter;
  };
  return (read, start, count) => {
    const first = Math.floor((start * down) / up) - half + 1;
    const last = Math.floor(((start + count - 1) * down) / up) + half;
    const samples = read(first, last - first + 1);
    return Float32Array.from({ length: count }, (_, i) => {
      const position = (start + i) * down;
      const phase = position % up;
      const filter = filterAt(phase);
      const at = (position - phase) / up - half + 1 - first;
      let sum = 0;
      for (let tap = 0; tap < filter.length; tap++) sum += filter[tap] * samples[at + tap];
      return sum;
    });
  };
}

/** Samples that a recording of `frames` has at another rate. */
export function resampledLength(frames: number, from: number, to: number): number {
  return Math.ceil((frames * to) / from);
}

/** Weights of the 2·half samples around a position `shift` (0 to 1) behind a sample; they add up to 1, so that a constant stays. */
function filterFor(shift: number, cutoff: number, half: number): Float64Array {
  const weights = Float64Array.from({ length: 2 * half }, (_, tap) => {
    const distance = tap - half + 1 - shift;
    return sinc(cutoff * distance) * kaiser(distance / half);
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** Kaiser's window over [-1, 1]. */
function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(KAISER_BETA * Math.sqrt(1 - x * x)) / besselI0(KAISER_BETA);
}

/** The modified Bessel function of order 0, by its power series. */
function besselI0(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * Number.EPSILON; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
