/**
 * Arithmetic on dimensions whose size may be a symbol. Inside the inference every unknown dimension has a symbol of its
 * own, and a product such as 12·batch is one too: so a Reshape target that was computed from a dynamic batch still
 * cancels against the input it came from. {@link publicDimension} takes these internal symbols out of the results.
 */
import type { Dimension, Shape } from "../schema";

/** First character of the symbol of a dimension that nobody named. */
const UNNAMED = "\u0000";
/** First character, and separator, of a product: coefficient, then the sorted factors. */
const PRODUCT = "\u0001";

/** Attention over windows needs four or five; without a limit a chain of products would double the text at every node. */
const MAX_FACTORS = 8;
/** Longer names are no use to a reader, and products would repeat them. */
const MAX_SYMBOL_LENGTH = 256;
/** numpy stops at 64 and frameworks at 8 to 25; a rank from a file must not set how much memory every node takes. */
export const MAX_RANK = 32;

/** What exporters write where a size is unknown: equal text does not mean equal size. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(["", "?", "None", "none", "-1", "unk", "unknown"]);

/** Hands out a symbol for each dimension that has no name. */
export class SymbolSource {
  private next = 0;

  named(dimension: Dimension): number | string {
    return dimension ?? `${UNNAMED}${String(this.next++)}`;
  }
}

export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A dimension as a file declares it: what is no size and no usable name is unknown. */
export function declaredDimension(dimension: Dimension): Dimension {
  if (typeof dimension === "number") return isSize(dimension) ? dimension : null;
  if (dimension === null || dimension.length > MAX_SYMBOL_LENGTH || PLACEHOLDERS.has(dimension)) return null;
  return dimension.includes(UNNAMED) || dimension.includes(PRODUCT) ? null : dimension;
}

/** What a result shows of a dimension: a product of named symbols as text (`7*batch`), else null for an internal symbol. */
export function publicDimension(dimension: Dimension): Dimension {
  if (typeof dimension !== "string") return dimension;
  if (dimension[0] === PRODUCT) {
    const { coefficient, factors } = monomial(dimension);
    if (factors.some((factor) => factor[0] === UNNAMED)) return null;
    return [...(coefficient === 1 ? [] : [String(coefficient)]), ...factors].join("*");
  }
  return dimension[0] === UNNAMED ? null : dimension;
}

/** Null unless every dimension is a size, a symbol or unknown, and the rank is one that occurs. */
export function boundedShape(shape: Shape | undefined): Shape {
  if (!shape || shape.length > MAX_RANK) return null;
  return shape.some((dim) => typeof dim === "number" && !isSize(dim))
    ? shape.map((dim) => (typeof dim === "number" && !isSize(dim) ? null : dim))
    : shape;
}

export function unknownShape(rank: number): Shape {
  return rank <= MAX_RANK ? new Array<Dimension>(rank).fill(null) : null;
}

interface Monomial {
  readonly coefficient: number;
  readonly factors: readonly string[];
}

function monomial(dimension: number | string): Monomial {
  if (typeof dimension === "number") return { coefficient: dimension, factors: [] };
  if (dimension[0] !== PRODUCT) return { coefficient: 1, factors: [dimension] };
  const [, coefficient, ...factors] = dimension.split(PRODUCT);
  return { coefficient: Number(coefficient), factors };
}

/** The one spelling of a product, so that equal products are equal strings. */
function spell({ coefficient, factors }: Monomial): Dimension {
  if (factors.length === 0) return coefficient;
  if (!isSize(coefficient) || factors.length > MAX_FACTORS) return null;
  if (coefficient === 0) return 0;
  if (coefficient === 1 && factors.length === 1) return factors[0];
  return ["", String(coefficient), ...factors.toSorted()].join(PRODUCT);
}

/** a·b; plain numbers may also be negative or fractions, a symbol stands for a size ≥ 0. */
export function multiply(a: Dimension, b: Dimension): Dimension {
  if (a === 0 || b === 0) return 0;
  if (a === 1) return b;
  if (b === 1) return a;
  if (a === null || b === null) return null;
  const [left, right] = [monomial(a), monomial(b)];
  return spell({
    coefficient: left.coefficient * right.coefficient,
    factors: [...left.factors, ...right.factors],
  });
}

/** a/b where that is a size whatever the symbols are; null also for b = 0. */
export function divideExactly(a: Dimension, b: Dimension): Dimension {
  if (a === null || b === null || b === 0) return null;
  const [left, right] = [monomial(a), monomial(b)];
  const factors = [...left.factors];
  for (const factor of right.factors) {
    const at = factors.indexOf(factor);
    if (at < 0) return null;
    factors.splice(at, 1);
  }
  const coefficient = left.coefficient / right.coefficient;
  return Number.isSafeInteger(coefficient) ? spell({ coefficient, factors }) : null;
}

export function add(a: Dimension, b: Dimension): Dimension {
  if (a === 0) return b;
  if (b === 0) return a;
  return typeof a === "number" && typeof b === "number" ? a + b : null;
}

export function subtract(a: Dimension, b: Dimension): Dimension {
  if (b === 0) return a;
  if (a !== null && a === b) return 0;
  return typeof a === "number" && typeof b === "number" ? a - b : null;
}

/** Number of elements. */
export function product(dimensions: readonly Dimension[]): Dimension {
  return dimensions.reduce(multiply, 1);
}

/**
 * One axis of two operands under multidirectional broadcasting (ONNX, Broadcasting.md). Next to a size above 1 a symbol
 * can only be 1 or that size. Sizes that do not fit make the model invalid: unknown.
 */
export function broadcastDimension(a: Dimension, b: Dimension): Dimension {
  if (a === 1 || a === b) return b;
  if (b === 1) return a;
  if (typeof a === "number") return typeof b === "number" ? null : a;
  return typeof b === "number" ? b : null;
}

/** The common shape of all operands; unknown as soon as one rank is. */
export function broadcast(shapes: readonly Shape[]): Shape {
  let result: readonly Dimension[] = [];
  for (const shape of shapes) {
    if (shape === null) return null;
    const [long, short] = shape.length > result.length ? [shape, result] : [result, shape];
    const offset = long.length - short.length;
    result = long.map((dim, axis) => (axis < offset ? dim : broadcastDimension(dim, short[axis - offset])));
  }
  return result;
}

/** The same dimension seen twice: a size says more than a symbol, a symbol more than nothing; else the first. */
export function sharper(a: Dimension, b: Dimension): Dimension {
  if (typeof a === "number") return a;
  return typeof b === "number" ? b : (a ?? b);
}
