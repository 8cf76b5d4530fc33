import { ExpectedError } from "../errors";
import type { Dimension, ValueInfo } from "../onnx/schema";
import { roleOf } from "./inputRoles";

/** An input with samples, and their dimensions without the batch. */
export interface FedShape {
  readonly input: ValueInfo;
  readonly sampleDims: readonly number[];
}

/** What the free dimensions of a model's inputs are, with the data that is fed. */
export interface Sizes {
  /** Tokens of a sample; null where none are fed. */
  readonly sequence: number | null;
  /** Places of the past that the model's shapes demand; 0 where they are free. */
  readonly past: number;
  isBatch(dim: Dimension): boolean;
  /** Null where it is not known. */
  sizeOf(dim: Dimension): number | null;
}

/**
 * What the symbols in shapes stand for, by the inputs that are fed.
 * @param others the inputs without samples.
 * @throws ExpectedError if a symbol would stand for two sizes.
 */
export function sizesOf(fed: readonly FedShape[], others: readonly ValueInfo[]): Sizes {
  const batch = new Set<Dimension>();
  const found = new Map<string, { size: number; input: string }>();
  for (const { input, sampleDims } of fed) {
    const [first, ...rest] = input.shape ?? [];
    if (typeof first === "string") batch.add(first);
    for (const [axis, dim] of rest.entries()) {
      if (typeof dim !== "string" || dim === "" || axis >= sampleDims.length) continue;
      const before = found.get(dim);
      if (before && before.size !== sampleDims[axis]) {
        throw twoSizes(dim, before, { size: sampleDims[axis], input: input.name });
      }
      found.set(dim, { size: sampleDims[axis], input: input.name });
    }
  }
  const sequence =
    fed.find(({ input, sampleDims }) => sampleDims.length === 1 && (roleOf(input) === "ids" || fed.length === 1))
      ?.sampleDims[0] ?? null;
  const past = pastOf(others);
  const isBatch = (dim: Dimension): boolean =>
    batch.has(dim) || (typeof dim === "string" && /batch/i.test(dim) && !found.has(dim));
  const sizeOf = (dim: Dimension): number | null => {
    if (typeof dim === "number") return dim;
    if (dim === null) return null;
    const known = found.get(dim)?.size;
    if (known !== undefined) return known;
    if (/^\d+$/.test(dim)) return Number(dim);
    if (dim.includes("+")) {
      const parts = dim.split("+").map((part) => sizeOf(part.trim()));
      return parts.every((part) => part !== null) ? parts.reduce((sum, part) => sum + part, 0) : null;
    }
    if (/past/i.test(dim) && !/total|present/i.test(dim)) return past;
    return /total|present/i.test(dim) && sequence !== null ? past + sequence : null;
  };
  return { sequence, past, isBatch, sizeOf };
}

/** The places of a past of keys and values ([batch, heads, length, size]) where its shape fixes them. */
function pastOf(others: readonly ValueInfo[]): number {
  for (const input of others) {
    const length = input.shape?.at(-2);
    if (roleOf(input) === "past" && (input.shape?.length ?? 0) >= 4 && typeof length === "number") return length;
  }
  return 0;
}

function twoSizes(dim: string, a: { size: number; input: string }, b: { size: number; input: string }): ExpectedError {
  return new ExpectedError(
    `the model's inputs "${a.input}" and "${b.input}" share the size "${dim}", and the data gives ${a.size} and ${b.size}; ` +
      `make them the same`,
  );
}
