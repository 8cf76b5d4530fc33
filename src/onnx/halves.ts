/**
 * IEEE 754 half precision: 1 sign bit, 5 of exponent (biased by 15), 10 of fraction; and bfloat16, the upper half of a
 * float32. Node 20 has no Float16Array.
 */

/** The number that the bits of a half stand for. */
export function halfToNumber(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let table: Float32Array | undefined;

/** The number of every half, by its bits: 25 times as fast as the arithmetic. */
function halves(): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, bits) => halfToNumber(bits));
  return table;
}

/** The numbers that the bits of halves stand for, each exact in float32. */
export function fromHalves(bits: Uint16Array): Float32Array {
  const values = halves();
  const numbers = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) numbers[i] = values[bits[i]];
  return numbers;
}

/** The number, rounded as {@link numberToHalf} does. */
export function nearestHalf(value: number): number {
  return halves()[numberToHalf(value)];
}

/** The bits of the halves nearest to the numbers. */
export function toHalves(numbers: ArrayLike<number>): Uint16Array {
  const bits = new Uint16Array(numbers.length);
  for (let i = 0; i < bits.length; i++) bits[i] = numberToHalf(numbers[i]);
  return bits;
}

const single = new Float32Array(1);
const singleBits = new Uint32Array(single.buffer);

/** The half nearest to the number, which is rounded to float32 first, as its bits: ties to even, from 65520 on infinity. */
export function numberToHalf(value: number): number {
  single[0] = value;
  const sign = (singleBits[0] >>> 16) & 0x8000;
  const magnitude = singleBits[0] & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (magnitude < 0x38800000) {
    // Below 2⁻¹⁴ halves are whole multiples of 2⁻²⁴, as the floats from 0.5 to 1 are: adding 0.5 rounds to them.
    single[0] = Math.abs(single[0]) + 0.5;
    return sign | (singleBits[0] - 0x3f000000);
  }
  // 13 bits of fraction fall away; what rounds up to the next power of two carries into the exponent.
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The nearest bfloat16, ties to even, as its bits. */
export function numberToBrain(value: number): number {
  single[0] = value;
  if (Number.isNaN(value)) return 0x7fc0;
  return (singleBits[0] + 0x7fff + ((singleBits[0] >>> 16) & 1)) >>> 16;
}

/** The number that the bits of a bfloat16 stand for. */
export function brainToNumber(bits: number): number {
  singleBits[0] = bits << 16;
  return single[0];
}
