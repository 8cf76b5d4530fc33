import { readdirSync } from "node:fs";
import path from "node:path";

/** More than anyone looks through; a folder of single samples is no list to choose from. */
const MOST_FILES = 200;

/** Files that mostly hold samples; JSON is mostly something else. */
const DATA = /\.(np[yz]|csv|tsv|txt|jsonl|wav)$/i;

const NO_DATA = /^(readme|licen[cs]e|notice|changelog|requirements)\b/i;

/** Whether a file is an array: others beside a model may be a licence, or a log. */
export function isArray(file: string): boolean {
  return /\.np[yz]$/i.test(file);
}

/**
 * Files that may have samples, in a model's folder and in the folders there: arrays first, and those beside the model.
 * Folders that cannot be read have none.
 */
export function dataBeside(modelPath: string): readonly string[] {
  const folder = path.dirname(modelPath);
  const { files, folders } = content(folder);
  const below = folders.flatMap((one) => content(path.join(folder, one)).files.map((name) => path.join(one, name)));
  const all = [...files, ...below];
  const arraysFirst = [...all.filter(isArray), ...all.filter((name) => !isArray(name))];
  return arraysFirst.slice(0, MOST_FILES).map((name) => path.join(folder, name));
}

function content(folder: string): { files: readonly string[]; folders: readonly string[] } {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith("."));
    const names = (wanted: typeof entries): string[] => wanted.map(({ name }) => name).sort();
    return {
      files: names(entries.filter((entry) => entry.isFile() && DATA.test(entry.name) && !NO_DATA.test(entry.name))),
      folders: names(entries.filter((entry) => entry.isDirectory() && entry.name !== "node_modules")),
    };
  } catch {
    return { files: [], folders: [] };
  }
}
