import { closest, distance } from "fastest-levenshtein";
import * as z from "zod";

/** Problems named in one message. More would bury the first, which often causes the rest. */
const MAX_PROBLEMS = 3;

/** Characters of an offending value or key in a message: enough to recognise it, and a message stays one line. */
const MAX_VALUE_CHARACTERS = 60;

type Issue = z.core.$ZodIssue;
type Key = PropertyKey;

/** One line that says what is wrong with `value` by `issues`, which come from checking it with `schema`. */
export function describeProblems(schema: z.ZodType, value: unknown, issues: readonly Issue[]): string {
  const problems = issues.flatMap((issue) => describeIssue(schema, value, issue, []));
  if (problems.length <= 1) return problems.join("");
  const shown = problems.slice(0, MAX_PROBLEMS).map((problem, index) => `(${index + 1}) ${problem}`);
  const hidden = problems.length - shown.length;
  return `${problems.length} problems: ${shown.join("; ")}${hidden > 0 ? `; and ${hidden} more` : ""}`;
}

function describeIssue(schema: z.ZodType, root: unknown, issue: Issue, parent: readonly Key[]): string[] {
  const path = [...parent, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${keyPath([...path, key])}: unknown key; ${suggest(key, knownKeys(schema, path))}`);
  }
  // A list with a wrong entry: name the entry, not the whole list.
  const inner = issue.code === "invalid_union" ? issue.errors.find((branch) => branch[0]?.path.length) : undefined;
  if (inner !== undefined) return inner.flatMap((part) => describeIssue(schema, root, part, path));
  const value = valueAt(root, path);
  const name = path.length === 0 ? "" : `${keyPath(path)}: `;
  if (value === undefined) return [`${name}missing; needs ${issue.message}`];
  return [`${name}${showValue(value)} is not allowed; needs ${issue.message}`];
}

/** `["preprocess", "std", 1]` → `preprocess.std[1]`. */
function keyPath(path: readonly Key[]): string {
  return path
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      return `${index > 0 ? "." : ""}${shorten(String(key))}`;
    })
    .join("");
}

function suggest(key: string, known: readonly string[]): string {
  const near = closest(key.toLowerCase(), known);
  // One typo in three letters; a wider net would offer "std" for "end".
  const typos = Math.max(1, Math.floor(Math.max(key.length, near.length) / 3));
  if (distance(key.toLowerCase(), near.toLowerCase()) <= typos) return `did you mean "${near}"?`;
  return `the known keys are ${known.join(", ")}`;
}

/** The keys that the object at `path` may have. */
function knownKeys(schema: z.ZodType, path: readonly Key[]): string[] {
  let current: unknown = schema;
  for (const key of path) {
    const object = unwrap(current);
    current = object instanceof z.ZodObject ? object.shape[String(key)] : undefined;
  }
  const object = unwrap(current);
  return object instanceof z.ZodObject ? Object.keys(object.shape) : [];
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional ? schema.unwrap() : schema;
}

function valueAt(root: unknown, path: readonly Key[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key) as unknown;
  }
  return value;
}

function showValue(value: unknown): string {
  // JSON has no NaN or infinities and would show them as null; and for a function it returns undefined.
  if (typeof value === "number") return String(value);
  return shorten(jsonOf(value) ?? typeof value);
}

/** Undefined for what JSON does not have. */
function jsonOf(value: unknown): string | undefined {
  try {
    const text: unknown = JSON.stringify(value);
    return typeof text === "string" ? text : undefined;
  } catch (error) {
    // Lists within lists, thousands deep.
    if (error instanceof RangeError) return "a deeply nested value";
    throw error;
  }
}

function shorten(text: string): string {
  return text.length <= MAX_VALUE_CHARACTERS ? text : `${text.slice(0, MAX_VALUE_CHARACTERS)}…`;
}
