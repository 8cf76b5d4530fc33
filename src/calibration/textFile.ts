import { extname } from "node:path";
import { ExpectedError } from "../errors";
import { readTextFile } from "../inputFile";
import { hashFile } from "./fileBytes";
import { splitMember } from "./member";
import { DATA_ADVICE, type SampleSource, type SourceKind, type SourceLabels, type TextSource } from "./source";

/** Text is kept in memory as a whole. */
const MOST_BYTES = 256 * 2 ** 20;
/** Fields that hold the text, where none is named. */
const TEXT_FIELDS: readonly string[] = ["text", "content", "sentence"];
const LABEL_FIELD = "label";
/** Fields shown in a message. */
const MOST_NAMES = 8;

/** Text files with a sample on each line. */
export const textLines: SourceKind = {
  name: "text, a sample per line (.txt)",
  recognises: (path, isFolder) => !isFolder && extname(path).toLowerCase() === ".txt",
  files: (path) => [path],
  open: (path) =>
    Promise.resolve(
      textSource(
        path,
        path,
        "text file",
        linesOf(path).map(([, line]) => line),
        null,
        [],
      ),
    ),
};

/** JSON Lines: on each line a text, or an object with one in a field. */
export const jsonLines: SourceKind = {
  name: 'text in JSON Lines (.jsonl; "file.jsonl#name" chooses a field)',
  recognises: (path, isFolder) => !isFolder && extname(path).toLowerCase() === ".jsonl",
  files: (path) => [splitMember(path).file],
  open: (path) => Promise.resolve(openJsonLines(path)),
};

type Row = readonly [number: number, value: unknown];

function textSource(
  path: string,
  file: string,
  kind: string,
  texts: readonly string[],
  labels: SourceLabels | null,
  warnings: readonly string[],
): TextSource {
  if (texts.length === 0) throw new ExpectedError(`${file} has no text: all of its lines are blank`);
  return { content: "text", kind, path, texts, labels, warnings, sha256: () => hashFile(file) };
}

/** The lines that are not blank, with their numbers in the file, counted from 1. */
function linesOf(file: string): [number, string][] {
  const lines = readTextFile(file, "a text file", MOST_BYTES, DATA_ADVICE).split(/\r\n|\n|\r/);
  return lines.flatMap((line, at): [number, string][] => (line.trim() === "" ? [] : [[at + 1, line]]));
}

function openJsonLines(path: string): SampleSource {
  const { file, member } = splitMember(path);
  const rows = linesOf(file).map(([number, line]): Row => [number, parsed(file, number, line)]);
  if (rows.length === 0) throw new ExpectedError(`${file} has no text: all of its lines are blank`);
  if (member === null) return textRows(path, file, rows);
  const values = rows.map(([number, row]) => fieldOf(file, number, row, member));
  // A field of class numbers can be named as labels.
  return values.every((value) => typeof value === "number") ? numbers(path, file, values) : textRows(path, file, rows);
}

function textRows(path: string, file: string, rows: readonly Row[]): TextSource {
  const { member } = splitMember(path);
  const [[firstNumber, first]] = rows;
  const field = typeof first === "string" ? null : (member ?? textField(file, firstNumber, first));
  const texts = rows.map(([number, row]) => {
    const value = field === null ? row : fieldOf(file, number, row, field);
    if (typeof value === "string") return value;
    const where = field === null ? "the line" : `the field "${field}"`;
    throw new ExpectedError(`${file}:${number}: ${where} is no text; write {"text": "…"} on every line`);
  });
  const { labels, warning } = ownLabels(file, rows);
  return textSource(path, file, "JSON Lines file", texts, labels, warning === null ? [] : [warning]);
}

function parsed(file: string, number: number, line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (error) {
    throw new ExpectedError(`${file}:${number}: not valid JSON; write a text or an object on every line`, {
      cause: error,
    });
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textField(file: string, number: number, row: unknown): string {
  const names = isRecord(row) ? Object.keys(row) : [];
  const found = TEXT_FIELDS.find((name) => names.includes(name));
  if (found !== undefined) return found;
  const fields = names.length === 0 ? "no fields" : `the fields ${names.slice(0, MOST_NAMES).join(", ")}`;
  throw new ExpectedError(
    `${file}:${number}: the line has ${fields}, and none is called ${TEXT_FIELDS.join(", ")}` +
      (names.length === 0 ? "" : `; name the one with the text: "${file}#${names[0]}"`),
  );
}

function fieldOf(file: string, number: number, row: unknown, field: string): unknown {
  if (isRecord(row) && Object.hasOwn(row, field)) return row[field];
  throw new ExpectedError(`${file}:${number}: the line has no field "${field}"; every line needs it`);
}

/** Class numbers that come with the texts, where every line has one. */
function ownLabels(file: string, rows: readonly Row[]): { labels: SourceLabels | null; warning: string | null } {
  const values = rows.map(([, row]) =>
    isRecord(row) && Object.hasOwn(row, LABEL_FIELD) ? row[LABEL_FIELD] : undefined,
  );
  if (values.every((value) => value === undefined)) return { labels: null, warning: null };
  const at = values.findIndex(
    (value) => typeof value !== "number" || !Number.isInteger(value) || value < 0 || value >= 2 ** 31,
  );
  if (at < 0) {
    return { labels: { values: Int32Array.from(values, Number), classNames: null, folders: null }, warning: null };
  }
  const found = values[at] === undefined ? "there is none" : `it is ${JSON.stringify(values[at])}`;
  return {
    labels: null,
    warning: `${file}: the field "label" is not used, since labels are class numbers from 0 on every line, and on line ${rows[at][0]} ${found}.`,
  };
}

function numbers(path: string, file: string, values: readonly number[]): SampleSource {
  return {
    content: "array",
    kind: "JSON Lines file",
    path,
    labels: null,
    warnings: [],
    samples: {
      ...{ path, dtype: "float64", sampleShape: [1], layout: null, count: values.length },
      read: (start, count) => Float64Array.from(values.slice(start, start + count)),
    },
    sha256: () => hashFile(file),
  };
}
