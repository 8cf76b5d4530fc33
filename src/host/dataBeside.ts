import { readdirSync } from "node:fs";
import path from "node:path";

/** More than anyone looks through; a folder of single samples is no list to choose from. */
const MOST_FILES = 200;

/** NumPy files in a model's folder and in the folders there, those beside the model first. Folders that cannot be read have none. */
export function arraysBeside(modelPath: string): readonly string[] {
  const folder = path.dirname(modelPath);
  const { arrays, folders } = content(folder);
  const below = folders.flatMap((one) => content(path.join(folder, one)).arrays.map((name) => path.join(one, name)));
  return [...arrays, ...below].slice(0, MOST_FILES).map((name) => path.join(folder, name));
}

function content(folder: string): { arrays: readonly string[]; folders: readonly string[] } {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith("."));
    const names = (wanted: typeof entries): string[] => wanted.map(({ name }) => name).sort();
    return {
      arrays: names(entries.filter((entry) => entry.isFile() && /\.np[yz]$/i.test(entry.name))),
      folders: names(entries.filter((entry) => entry.isDirectory() && entry.name !== "node_modules")),
    };
  } catch {
    return { arrays: [], folders: [] };
  }
}
