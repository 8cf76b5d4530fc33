import { extname } from "node:path";
import { parse } from "csv-parse/sync";
import { ExpectedError } from "../errors";
import { readTextFile } from "../inputFile";
import { hashFile } from "./fileBytes";
import { splitMember } from "./member";
import { DATA_ADVICE, type ArraySource, type SampleArray, type SourceKind } from "./source";

/** The text is kept in memory while it is read. */
const MOST_BYTES = 256 * 2 ** 20;
/** Columns of one table: images of 256×256 in colour have fewer. */
const MOST_COLUMNS = 2 ** 18;
/** Columns shown in a message. */
const MOST_NAMES = 8;
const SEPARATORS: readonly string[] = [",", ";", "\t"];

/** A table of numbers: a row is a sample. The names of its columns may stand in the first line. */
export const csv: SourceKind = {
  name: 'table of numbers (.csv, .tsv; "file.csv#name" chooses a column)',
  recognises: (path, isFolder) => !isFolder && [".csv", ".tsv"].includes(extname(path).toLowerCase()),
  files: (path) => [splitMember(path).file],
  open: (path) => Promise.resolve(openCsv(path)),
};

interface Table {
  readonly file: string;
  /** Without a first line of names, their numbers, counted from 0. */
  readonly columns: readonly string[];
  readonly rows: number;
  /** rows × columns. */
  readonly values: Float64Array;
}

/** The names of a table's columns; null where it has none. @throws ExpectedError as opening it does. */
export function columnNames(path: string): readonly string[] | null {
  const { columns } = readTable(splitMember(path).file);
  return columns.every((name, at) => name === String(at)) ? null : columns;
}

function openCsv(path: string): ArraySource {
  const { file, member } = splitMember(path);
  const table = readTable(file);
  const all = table.columns.map((_, at) => at);
  return member === null
    ? { ...sourceOf(path, table, all), withoutColumn: (name) => withoutColumn(path, table, name) }
    : sourceOf(path, table, [indexOf(table, member)]);
}

function withoutColumn(path: string, table: Table, name: string): ArraySource {
  const left = indexOf(table, name);
  const rest = table.columns.map((_, at) => at).filter((at) => at !== left);
  if (rest.length === 0) throw new ExpectedError(`${table.file} has the column of labels "${name}" and no other`);
  return { ...sourceOf(path, table, rest), withoutColumn: (other) => withoutColumn(path, table, other) };
}

function sourceOf(path: string, { file, rows, columns, values }: Table, used: readonly number[]): ArraySource {
  const whole = values.every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31);
  const samples: SampleArray = {
    ...{ path, dtype: whole ? "int32" : "float64", sampleShape: [used.length], layout: null, count: rows },
    read(start, count) {
      const result = whole ? new Int32Array(count * used.length) : new Float64Array(count * used.length);
      for (let row = 0; row < count; row++) {
        used.forEach(
          (column, at) => (result[row * used.length + at] = values[(start + row) * columns.length + column]),
        );
      }
      return result;
    },
  };
  return {
    content: "array",
    kind: "table of numbers",
    path,
    samples,
    labels: null,
    warnings: [],
    sha256: () => hashFile(file),
  };
}

function indexOf({ file, columns }: Table, name: string): number {
  const found = columns.indexOf(name);
  if (found >= 0) return found;
  const shown = columns.slice(0, MOST_NAMES).join(", ") + (columns.length > MOST_NAMES ? ", …" : "");
  throw new ExpectedError(`${file} has no column "${name}"; it has ${shown}`);
}

function readTable(file: string): Table {
  const text = readTextFile(file, "a table", MOST_BYTES, DATA_ADVICE);
  let columns: readonly string[] | null = null;
  let values = new Float64Array(1024);
  let rows = 0;
  const take = (cells: readonly string[], line: number): void => {
    if (columns === null) {
      if (cells.length > MOST_COLUMNS) {
        throw new ExpectedError(`${file} has ${cells.length} columns, and at most ${MOST_COLUMNS} are supported`);
      }
      const hasNames = cells.some((cell) => cell !== "" && numberIn(cell) === null);
      columns = cells.map((cell, at) => (hasNames ? cell : String(at)));
      if (hasNames) return;
    }
    const width = columns.length;
    if ((rows + 1) * width > values.length) {
      const larger = new Float64Array(Math.max(2 * values.length, (rows + 1) * width));
      larger.set(values);
      values = larger;
    }
    cells.forEach((cell, at) => {
      const value = numberIn(cell);
      if (value === null) throw badCell(file, line, columns?.[at] ?? String(at), cell);
      values[rows * width + at] = value;
    });
    rows++;
  };
  try {
    parse(text, {
      delimiter: separatorOf(text),
      skip_empty_lines: true,
      trim: true,
      on_record: (cells: string[], { lines }) => {
        take(cells, lines);
        return null;
      },
    });
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new ExpectedError(`${file} is not a table: ${reason}; write it again`, { cause: error });
  }
  if (columns === null || rows === 0) throw new ExpectedError(`${file} is empty: it has no row of numbers`);
  return { file, columns, rows, values: values.subarray(0, rows * (columns as readonly string[]).length) };
}

/** The one that the first line has most of: a comma may be a decimal one where semicolons separate. */
function separatorOf(text: string): string {
  const [line] = text.trimStart().split(/\r|\n/, 1);
  const counts = SEPARATORS.map((separator) => line.split(separator).length);
  return counts[1] > 1 && counts[1] >= counts[0] ? ";" : SEPARATORS[counts.indexOf(Math.max(...counts))];
}

function numberIn(cell: string): number | null {
  const value = Number(cell);
  return cell === "" || !Number.isFinite(value) ? null : value;
}

function badCell(file: string, line: number, column: string, cell: string): ExpectedError {
  const found = cell === "" ? "is empty" : `has the text ${JSON.stringify(cell.slice(0, 40))}`;
  return new ExpectedError(
    `${file}:${line}: the column "${column}" ${found}, and all cells must be numbers; correct the row or leave the column out`,
  );
}
