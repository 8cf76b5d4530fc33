import { statSync, type Dirent } from "node:fs";
import { extname, join } from "node:path";
import { ExpectedError } from "../errors";
import { listFolder } from "./fileBytes";
import type { ClassFolders, SourceLabels } from "./source";

/** What a file of each image format that can be decoded may be called. */
export const IMAGE_EXTENSIONS: readonly string[] = [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif"];
/** Images that cannot be decoded: said, where they lie among others. */
const OTHER_IMAGES: readonly string[] = [".bmp", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".ppm", ".pgm"];
/** Names shown in a message. */
const MOST_NAMES = 5;

/** The images of a folder. */
export interface ImageList {
  /** Paths relative to the folder, with forward slashes; by class folder, then by name (code point order). */
  readonly files: readonly string[];
  /** Null where the images are not in class folders. */
  readonly labels: SourceLabels | null;
  readonly warnings: readonly string[];
}

/**
 * Lists a folder of images, or of class folders with images in them (at any depth). Hidden files and other files are
 * passed over.
 * @param classes the class folders by number, or their numbers; null: numbered alphabetically.
 * @throws ExpectedError if there is no image, or class folders are missing, unknown, empty or beside images.
 */
export function listImages(folder: string, classes: ClassFolders | null): ImageList {
  const { found, byFolder } = collectAll(folder);
  const warnings = otherImages(folder, found.others);
  const filled = [...byFolder].filter(([, images]) => images.length > 0);
  if (filled.length === 0) {
    if (found.images.length > 0 && classes === null) {
      return { files: found.images.sort(byCodePoint), labels: null, warnings };
    }
    const where = found.images.length > 0 ? "class folder with images" : "image";
    throw new ExpectedError(
      `${folder} is a folder without any ${where}; images are files named ${IMAGE_EXTENSIONS.join(", ")}`,
    );
  }
  if (found.images.length > 0) {
    throw new ExpectedError(
      `${folder} holds both images (${found.images.sort(byCodePoint)[0]}) and folders of images (${filled[0][0]}/); ` +
        `put every image into its class folder, or the images alone into a folder`,
    );
  }
  const numbers = classNumbers(folder, byFolder, classes);
  const files = [...byFolder.values()].flat();
  const values = Int32Array.from([...byFolder].flatMap(([name, images]) => images.map(() => numbers.get(name) ?? 0)));
  const numbering = classes === null ? "alphabetical" : Array.isArray(classes) ? "listed" : "mapped";
  const labels: SourceLabels = {
    values,
    classNames: numbering === "mapped" ? null : [...numbers].sort(([, a], [, b]) => a - b).map(([name]) => name),
    folders: { count: numbers.size, numbering },
  };
  if (classes === null) warnings.push(...numericNames(folder, [...byFolder.keys()]));
  return { files, labels, warnings };
}

/** The images of a folder and of its class folders, whatever their classes are. */
export function imageFiles(folder: string): string[] {
  const { found, byFolder } = collectAll(folder);
  return [found.images, ...byFolder.values()].flat().map((name) => join(folder, name));
}

function collectAll(folder: string): { found: Found; byFolder: Map<string, readonly string[]> } {
  const entries = visible(folder);
  const found: Found = { images: [], others: [] };
  collect(folder, "", entries, found, false);
  const folders = entries.filter((entry) => isFolder(folder, entry)).map(({ name }) => name);
  const byFolder = new Map<string, readonly string[]>();
  for (const name of folders.sort(byCodePoint)) {
    const inside: Found = { images: [], others: found.others };
    const path = join(folder, name);
    collect(path, `${name}/`, visible(path), inside, true);
    byFolder.set(name, inside.images.sort(byCodePoint));
  }
  return { found, byFolder };
}

interface Found {
  readonly images: string[];
  /** Images of kinds that cannot be decoded. */
  readonly others: string[];
}

function visible(path: string): Dirent[] {
  return listFolder(path).filter(({ name }) => !name.startsWith("."));
}

function collect(path: string, prefix: string, entries: readonly Dirent[], found: Found, deep: boolean): void {
  for (const entry of entries) {
    const extension = extname(entry.name).toLowerCase();
    if (entry.isDirectory()) {
      const inner = join(path, entry.name);
      if (deep) collect(inner, `${prefix}${entry.name}/`, visible(inner), found, true);
    } else if (IMAGE_EXTENSIONS.includes(extension)) {
      found.images.push(prefix + entry.name);
    } else if (OTHER_IMAGES.includes(extension)) {
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
): Map<string, number> {
  const present = [...byFolder.keys()];
  if (classes === null) {
    const empty = present.filter((name) => byFolder.get(name)?.length === 0);
    if (empty.length === 0) return new Map(present.map((name, index) => [name, index]));
    throw new ExpectedError(
      `${folder}: the class ${folderNames(empty)} without images, which would shift the numbers of later classes; ` +
        `add images, remove it, or list the classes in the config as "classes": ["${present[0]}", …]`,
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

function otherImages(folder: string, others: readonly string[]): string[] {
  if (others.length === 0) return [];
  const are = others.length === 1 ? "1 image is" : `${others.length} images are`;
  return [
    `${folder}: ${are} left out (${others[0]}): ` +
      `only ${IMAGE_EXTENSIONS.map((extension) => extension.slice(1)).join(", ")} can be decoded.`,
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
