import type { ElementType } from "./schema";

/** A floating-point format of 8 bits or fewer: a sign, exponent bits, fraction bits. */
interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly bias: number;
  /** What its highest codes stand for: IEEE's infinities and NaNs, NaN at all ones alone, NaN in the place of −0, or nothing. */
  readonly specials: "ieee" | "all ones" | "negative zero" | "none";
}

const FORMATS = {
  float8e4m3fn: { exponentBits: 4, fractionBits: 3, bias: 7, specials: "all ones" },
  float8e4m3fnuz: { exponentBits: 4, fractionBits: 3, bias: 8, specials: "negative zero" },
  float8e5m2: { exponentBits: 5, fractionBits: 2, bias: 15, specials: "ieee" },
  float8e5m2fnuz: { exponentBits: 5, fractionBits: 2, bias: 16, specials: "negative zero" },
  float4e2m1: { exponentBits: 2, fractionBits: 1, bias: 1, specials: "none" },
} as const satisfies Partial<Record<ElementType, Format>>;

export type SmallFloatType = keyof typeof FORMATS | "float8e8m0";

export function isSmallFloatType(type: ElementType | null): type is SmallFloatType {
  return type !== null && (type in FORMATS || type === "float8e8m0");
}

/** The value of every code of the format, each exact in float32. */
export function smallFloatValues(type: SmallFloatType): Float32Array {
  // Powers of two alone, for the scales of blocks: no sign, no zero.
  if (type === "float8e8m0") {
    return Float32Array.from({ length: 256 }, (_, code) => (code === 0xff ? NaN : 2 ** (code - 127)));
  }
  const format: Format = FORMATS[type];
  const codes = 2 ** (1 + format.exponentBits + format.fractionBits);
  return Float32Array.from({ length: codes }, (_, code) => valueOf(code, codes / 2, format));
}

function valueOf(code: number, signBit: number, { exponentBits, fractionBits, bias, specials }: Format): number {
  const magnitude = code & (signBit - 1);
  const sign = (code & signBit) === 0 ? 1 : -1;
  const exponent = magnitude >> fractionBits;
  const fraction = (magnitude & ((1 << fractionBits) - 1)) / (1 << fractionBits);
  if (specials === "negative zero" && code === signBit) return NaN;
  if (specials === "all ones" && magnitude === signBit - 1) return NaN;
  if (specials === "ieee" && exponent === (1 << exponentBits) - 1) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** (1 - bias) : sign * (1 + fraction) * 2 ** (exponent - bias);
}
