import { openSource } from "../calibration/index";
import type { SourceDescription } from "../calibration/describe";

/** Samples whose values are looked at: spread over the file, since data files are often sorted. */
const SAMPLES = 32;
/** Values read of them at most. */
const MOST_VALUES = 2 ** 22;
/** The largest value of a byte. */
const BYTE = 255;

/** What the values of a source are. */
export type ValueKind =
  /** Bytes, or numbers from 0 to 255. */
  | "pixels"
  /** From 0 to 1. */
  | "unit"
  | "other";

export interface Values {
  readonly kind: ValueKind;
  /** How it was found out: "values from -2.1 to 2.6 in 32 samples". */
  readonly seen: string;
}

/** Looks at some samples of a source. @throws ExpectedError if they cannot be read. */
export async function lookAtValues(path: string, description: SourceDescription): Promise<Values> {
  if (description.isImages) return { kind: "pixels", seen: "image files have pixels from 0 to 255" };
  if (description.content !== "array") return { kind: "other", seen: `a ${description.kind}` };
  const source = await openSource(path);
  if (source.content !== "array") throw new TypeError(`${path} is not what it was described as`);
  const { count, sampleShape, dtype } = source.samples;
  const size = sampleShape.reduce((product, dim) => product * dim, 1);
  const samples = Math.max(1, Math.min(SAMPLES, count, Math.floor(MOST_VALUES / size)));
  let [least, greatest] = [Infinity, -Infinity];
  for (let index = 0; index < samples; index++) {
    for (const raw of source.samples.read(Math.floor((index * count) / samples), 1)) {
      const value = Number(raw);
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
  }
  const seen = `${dtype} values from ${short(least)} to ${short(greatest)} in ${samples} samples`;
  if (least < 0 || greatest > BYTE) return { kind: "other", seen };
  if (greatest <= 1) return { kind: "unit", seen };
  return { kind: dtype === "uint8" || description.sampleShape?.length === 3 ? "pixels" : "other", seen };
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
