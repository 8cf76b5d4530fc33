/** Where a text stops being JSON (both counted from 1), and what is wrong there. */
export interface JsonSyntaxError {
  readonly line: number;
  readonly column: number;
  readonly problem: string;
}

/** What may come next. */
type Expected = "value" | "value or ]" | "key" | "key or }" | "colon" | "comma or end" | "nothing";

const SPACE = /[ \t\r\n]*/y;
// In a string: everything from the space on but " and \; control characters must be escaped.
const TOKEN =
  /(?<string>"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?<word>true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|[{}[\]:,]/y;

/**
 * The first place where `text` is not JSON, or null if it is. `JSON.parse` knows the place too, but says it in words
 * that differ between JavaScript engines, and often not at all.
 */
export function findJsonSyntaxError(text: string): JsonSyntaxError | null {
  const open: ("{" | "[")[] = [];
  let expected: Expected = "value";
  let position = 0;
  for (;;) {
    position = skipSpace(text, position);
    TOKEN.lastIndex = position;
    const match = TOKEN.exec(text);
    if (match === null) {
      if (position === text.length && expected === "nothing") return null;
      return failure(text, position, expected, open);
    }
    const next = step(expected, match, open);
    if (next === null) return failure(text, position, expected, open);
    expected = next;
    position = TOKEN.lastIndex;
  }
}

/** What may follow the token; null if the token may not stand there. Keeps the list of open brackets. */
function step(expected: Expected, match: RegExpExecArray, open: ("{" | "[")[]): Expected | null {
  const token = match[0];
  const isString = match.groups?.["string"] !== undefined;
  const isWord = match.groups?.["word"] !== undefined;
  const afterValue = (): Expected => (open.length === 0 ? "nothing" : "comma or end");
  switch (expected) {
    case "value":
    case "value or ]":
      if (isString || isWord) return afterValue();
      if (token === "{" || token === "[") {
        open.push(token);
        return token === "{" ? "key or }" : "value or ]";
      }
      if (token !== "]" || expected === "value") return null;
      open.pop();
      return afterValue();
    case "key":
    case "key or }":
      if (isString) return "colon";
      if (token !== "}" || expected === "key") return null;
      open.pop();
      return afterValue();
    case "colon":
      return token === ":" ? "value" : null;
    case "comma or end": {
      const inside = open.at(-1);
      if (token === ",") return inside === "{" ? "key" : "value";
      if (token !== (inside === "{" ? "}" : "]")) return null;
      open.pop();
      return afterValue();
    }
    case "nothing":
      return null;
  }
}

function failure(text: string, position: number, expected: Expected, open: readonly ("{" | "[")[]): JsonSyntaxError {
  const before = text.slice(0, position);
  const line = before.split("\n").length;
  const column = position - before.lastIndexOf("\n");
  return { line, column, problem: describe(text, position, expected, open.at(-1)) };
}

function describe(text: string, position: number, expected: Expected, inside: "{" | "[" | undefined): string {
  const found = text.at(position);
  if (found === undefined) return "the text ends too early";
  if (text.startsWith("//", position) || text.startsWith("/*", position)) return "comments are not allowed in JSON";
  if ((expected === "key" && found === "}") || (expected === "value" && found === "]" && inside === "[")) {
    return "a comma after the last entry is not allowed in JSON";
  }
  return `found ${JSON.stringify(found)}, expected ${describeExpected(expected, inside)}`;
}

function describeExpected(expected: Expected, inside: "{" | "[" | undefined): string {
  switch (expected) {
    case "value":
    case "value or ]":
      return "a value: text in double quotes, a number, true, false, null, { or [";
    case "key":
    case "key or }":
      return "a key in double quotes";
    case "colon":
      return "a colon after the key";
    case "comma or end":
      return inside === "{" ? "a comma or }" : "a comma or ]";
    case "nothing":
      return "nothing more";
  }
}

function skipSpace(text: string, position: number): number {
  SPACE.lastIndex = position;
  SPACE.test(text);
  return SPACE.lastIndex;
}
