/** The labels of an Einsum's operands and of its output, in the order of the axes; an ellipsis is one label, {@link ELLIPSIS}. */
export interface Equation {
  readonly operands: readonly Labels[];
  readonly output: Labels;
}

export type Labels = readonly string[];

export const ELLIPSIS = "...";

/** There are 52 labels, and operands of some ten axes. */
const LONGEST_EQUATION = 4096;

/** Reads an Einsum's equation, also one without an output; null where it is none. */
export function parseEquation(text: string): Equation | null {
  if (text.length > LONGEST_EQUATION) return null;
  const [left, right, ...rest] = text.replaceAll(/\s/g, "").split("->");
  if (rest.length > 0) return null;
  const operands = left.split(",").map(labelsOf);
  const output = right === undefined ? impliedOutput(operands) : labelsOf(right);
  return operands.every((labels) => labels !== null) && output ? { operands, output } : null;
}

export function writeEquation(operands: readonly Labels[], output: Labels): string {
  return `${operands.map((labels) => labels.join("")).join(",")}->${output.join("")}`;
}

function labelsOf(term: string): string[] | null {
  const labels = term.match(/[A-Za-z]|\.{3}/g) ?? [];
  return labels.join("") === term && labels.filter((label) => label === ELLIPSIS).length <= 1 ? labels : null;
}

/** The ellipsis, then the labels that occur once, in the order of the alphabet (capitals first). */
function impliedOutput(operands: readonly (Labels | null)[]): string[] {
  const all = operands.flatMap((labels) => labels ?? []);
  const once = all.filter((label) => label !== ELLIPSIS && all.indexOf(label) === all.lastIndexOf(label)).sort();
  return all.includes(ELLIPSIS) ? [ELLIPSIS, ...once] : once;
}
