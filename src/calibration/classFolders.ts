import { statSync, type Dirent } from "node:fs";
import { extname, join } from "node:path";
import { ExpectedError } from "../errors";
import { listFolder } from "./fileBytes";
import type { ClassFolders, SourceLabels } from "./source";

/** What kind of files a folder is made of. */
export interface FileSort {
  /** "image"; with an s for several. */
  readonly noun: string;
  /** What a file of each format that can be decoded may be called. */
  readonly extensions: readonly string[];
  /** Files of the sort that cannot be decoded: said, where they lie among others. */
  readonly others: readonly string[];
}

/** Names shown in a message. */
const MOST_NAMES = 5;
/** Folders within folders that are searched for a first file: a link may close a circle. */
const MOST_DEPTH = 8;

/** The files of a folder with samples. */
export interface FileList {
  /** Paths relative to the folder, with forward slashes; by class folder, then by name (code point order). */
  readonly files: readonly string[];
  /** Null where the files are not in class folders. */
  readonly labels: SourceLabels | null;
  readonly warnings: readonly string[];
}

/**
 * Lists a folder of files of one sort, or of class folders with such files in them (at any depth). Hidden files and other
 * files are passed over.
 * @param classes the class folders by number, or their numbers; null: numbered alphabetically.
 * @throws ExpectedError if there is no such file, or class folders are missing, unknown, empty or beside files.
 */
export function listFiles(folder: string, classes: ClassFolders | null, sort: FileSort): FileList {
  const { found, byFolder } = collectAll(folder, sort);
  const { noun, extensions } = sort;
  const warnings = leftOut(folder, found.others, sort);
  const filled = [...byFolder].filter(([, files]) => files.length > 0);
  if (filled.length === 0) {
    if (found.files.length > 0 && classes === null) {
      return { files: found.files.sort(byCodePoint), labels: null, warnings };
    }
    const where = found.files.length > 0 ? `class folder with ${noun}s` : noun;
    throw new ExpectedError(
      `${folder} is a folder without any ${where}; ${noun}s are files named ${extensions.join(", ")}`,
    );
  }
  if (found.files.length > 0) {
    throw new ExpectedError(
      `${folder} holds both ${noun}s (${found.files.sort(byCodePoint)[0]}) and folders of ${noun}s (${filled[0][0]}/); ` +
        `put every ${noun} into its class folder, or the ${noun}s alone into a folder`,
    );
  }
  const numbers = classNumbers(folder, byFolder, classes, sort);
  const files = [...byFolder.values()].flat();
  const values = Int32Array.from([...byFolder].flatMap(([name, inside]) => inside.map(() => numbers.get(name) ?? 0)));
  const numbering = classes === null ? "alphabetical" : Array.isArray(classes) ? "listed" : "mapped";
  const labels: SourceLabels = {
    values,
    classNames: numbering === "mapped" ? null : [...numbers].sort(([, a], [, b]) => a - b).map(([name]) => name),
    folders: { count: numbers.size, numbering },
  };
  if (classes === null) warnings.push(...numericNames(folder, [...byFolder.keys()]));
  return { files, labels, warnings };
}

/** The files of one sort in a folder and its class folders, whatever their classes are. */
export function filesWithin(folder: string, sort: FileSort): string[] {
  const { found, byFolder } = collectAll(folder, sort);
  return [found.files, ...byFolder.values()].flat().map((name) => join(folder, name));
}

/** Whether a file of the sort lies in a folder or one of its class folders; looks no further than the first. */
export function holdsAny(folder: string, sort: FileSort, depth = 0): boolean {
  const entries = visible(folder);
  const isOne = (entry: Dirent): boolean =>
    !entry.isDirectory() && sort.extensions.includes(extname(entry.name).toLowerCase());
  if (entries.some(isOne)) return true;
  return (
    depth < MOST_DEPTH &&
    entries.some((entry) => isFolder(folder, entry) && holdsAny(join(folder, entry.name), sort, depth + 1))
  );
}

function collectAll(folder: string, sort: FileSort): { found: Found; byFolder: Map<string, readonly string[]> } {
  const entries = visible(folder);
  const found: Found = { files: [], others: [] };
  collect(folder, "", entries, found, sort, false);
  const folders = entries.filter((entry) => isFolder(folder, entry)).map(({ name }) => name);
  const byFolder = new Map<string, readonly string[]>();
  for (const name of folders.sort(byCodePoint)) {
    const inside: Found = { files: [], others: found.others };
    const path = join(folder, name);
    collect(path, `${name}/`, visible(path), inside, sort, true);
    byFolder.set(name, inside.files.sort(byCodePoint));
  }
  return { found, byFolder };
}

interface Found {
  readonly files: string[];
  /** Files of formats that cannot be decoded. */
  readonly others: string[];
}

function visible(path: string): Dirent[] {
  return listFolder(path).filter(({ name }) => !name.startsWith("."));
}

function collect(
  path: string,
  prefix: string,
  entries: readonly Dirent[],
  found: Found,
  sort: FileSort,
  deep: boolean,
): void {
  for (const entry of entries) {
    const extension = extname(entry.name).toLowerCase();
    if (entry.isDirectory()) {
      const inner = join(path, entry.name);
      if (deep) collect(inner, `${prefix}${entry.name}/`, visible(inner), found, sort, true);
    } else if (sort.extensions.includes(extension)) {
      found.files.push(prefix + entry.name);
    } else if (sort.others.includes(extension)) {
      found.others.push(prefix + entry.name);
    }
  }
}

/** A class folder may be a link to a folder elsewhere. */
function isFolder(parent: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(join(parent, entry.name), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Python's order of strings, which numbered the classes where the model was trained; JavaScript's is by UTF-16 unit. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The number of each class folder. */
function classNumbers(
  folder: string,
  byFolder: ReadonlyMap<string, readonly string[]>,
  classes: ClassFolders | null,
  { noun }: FileSort,
): Map<string, number> {
  const present = [...byFolder.keys()];
  if (classes === null) {
    const empty = present.filter((name) => byFolder.get(name)?.length === 0);
    if (empty.length === 0) return new Map(present.map((name, index) => [name, index]));
    throw new ExpectedError(
      `${folder}: the class ${folderNames(empty)} without ${noun}s, which would shift the numbers of later classes; ` +
        `add ${noun}s, remove it, or list the classes in the config as "classes": ["${present[0]}", …]`,
    );
  }
  const listed: [string, number][] = isList(classes)
    ? classes.map((name, index) => [name, index])
    : Object.entries(classes);
  const numbers = new Map(listed);
  const twice = listed.find(([name, number]) => numbers.get(name) !== number)?.[0];
  if (twice !== undefined) {
    throw new ExpectedError(`${folder}: "classes" lists "${twice}" twice; list every class once`);
  }
  const missing = [...numbers.keys()].filter((name) => !byFolder.has(name));
  const unknown = present.filter((name) => !numbers.has(name));
  const problems = [
    ...(missing.length > 0 ? [`no ${folderNames(missing, "")}, which "classes" names`] : []),
    ...(unknown.length > 0 ? [`the ${folderNames(unknown, "")}, which "classes" does not name`] : []),
  ];
  if (problems.length === 0) return numbers;
  throw new ExpectedError(`${folder} has ${problems.join(", and ")}; correct "classes" or the folders`);
}

function isList(classes: ClassFolders): classes is readonly string[] {
  return Array.isArray(classes);
}

/** `folder cat is`, `folders cat, dog are`. */
function folderNames(names: readonly string[], verb = names.length === 1 ? " is" : " are"): string {
  const shown = names.slice(0, MOST_NAMES).map((name) => `"${name}"`);
  const rest = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  return `folder${names.length === 1 ? "" : "s"} ${shown.join(", ")}${rest}${verb}`;
}

function leftOut(folder: string, others: readonly string[], { noun, extensions }: FileSort): string[] {
  if (others.length === 0) return [];
  const are = others.length === 1 ? `1 ${noun} is` : `${others.length} ${noun}s are`;
  return [
    `${folder}: ${are} left out (${others[0]}): ` +
      `only ${extensions.map((extension) => extension.slice(1)).join(", ")} can be decoded.`,
  ];
}

/** 0, 1, 10, 2: as torchvision numbers them, but not everyone. */
function numericNames(folder: string, names: readonly string[]): string[] {
  if (!names.every((name) => /^\d+$/.test(name))) return [];
  const at = names.findIndex((name, index) => index > 0 && Number(name) < Number(names[index - 1]));
  if (at < 0) return [];
  return [
    `${folder}: class folders are numbered alphabetically, as torchvision does: "${names[at - 1]}" is class ${at - 1} and ` +
      `"${names[at]}" class ${at}. If the model counts them as numbers, list them in "classes".`,
  ];
}
