import { statSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { cifar } from "../calibration/cifar";
import { columnNames, csv } from "../calibration/csv";
import { describeSource, type SourceDescription } from "../calibration/describe";
import { listFolder } from "../calibration/fileBytes";
import { IMAGES } from "../calibration/imageFolder";
import { sourceKinds } from "../calibration/index";
import { splitMember } from "../calibration/member";
import { arrayNames } from "../calibration/npz";
import { soundFile, soundFolder } from "../calibration/soundFiles";
import { ExpectedError, isExpected } from "../errors";
import { unreadable } from "../inputFile";
import { isLabelWord, isSplitWord, splitOfName, splitOfPath, type Split } from "./names";

/** Data files of one folder that are looked at: more are samples one by one, which no source can be. */
const MOST_FILES = 100;
/** Folders of a data set that is divided, beside one another: more are classes, unless they are called just "train" and "val". */
const MOST_DIVISIONS = 5;
/** Files of words and settings that lie beside models and data, and are no samples. */
const NO_SAMPLES =
  /^(tokenizer.*|special_tokens_map|added_tokens|vocab|merges|config|generation_config|package(-lock)?|tsconfig.*|.*\.ranklens|report.*|readme.*|licen[cs]e.*|requirements.*|notes?)\.(json|txt)$/i;

/** Test sets beside CIFAR's training batches. */
const CIFAR_TEST = /^test(_batch)?\.bin$/;

/** Something among the user's data that could be a source of samples, or labels. */
export interface Candidate {
  /** Absolute; may name an array: "/data/train.npz#x". */
  readonly path: string;
  readonly description: SourceDescription;
  /** What its name, or the folder that it is in, says that it is for. */
  readonly split: Split | null;
  /** The folder or archive that the user named; null for a file named by itself. */
  readonly container: string | null;
}

export interface Found {
  readonly candidates: readonly Candidate[];
  /** What was found but is of no use, in sentences. */
  readonly passedOver: readonly string[];
}

/**
 * Everything that the paths could mean: a file or a folder of images itself, the arrays of an archive, the data files of
 * a folder, and its folders for training and validation.
 * @throws ExpectedError if a path is missing, or nothing in it can be used.
 */
export async function findCandidates(paths: readonly string[]): Promise<Found> {
  const absolute = [...new Set(paths.map((path) => resolve(path)))];
  // The folder of all of them tells nothing: a project may well be called "test".
  const folderTells = new Set(absolute.map((path) => dirname(path))).size > 1;
  const found: Found[] = [];
  for (const path of absolute) {
    checkExists(path);
    const split = splitOfPath(path, folderTells);
    found.push(await (isFolder(path) ? inFolder(path, path, split) : inFile(path, null, split)));
  }
  return joined(...found);
}

/** @param split what the file's name or folder says; an array's own name goes before it. */
async function inFile(path: string, container: string | null, split: Split | null): Promise<Found> {
  const { file, member } = splitMember(path);
  if (csv.recognises(file, false) && member === null) return inTable(path, container, split);
  const names = extname(file).toLowerCase() === ".npz" && member === null ? await arrayNames(file) : [];
  if (names.length < 2) return asItIs(path, container, split);
  return usableOf(names, (name) => asItIs(`${file}#${name}`, container ?? file, splitOfName(name) ?? split));
}

/** A table with a column that is called like labels: its samples are the others. */
async function inTable(path: string, container: string | null, split: Split | null): Promise<Found> {
  const whole = await asItIs(path, container, split);
  const column = columnNames(path)?.find((name) => isLabelWord(name));
  const [table] = whole.candidates;
  const width = table.description.sampleShape?.[0] ?? 0;
  if (column === undefined || width < 2) return whole;
  const samples = { ...table, description: { ...table.description, sampleShape: [width - 1] } };
  return joined({ candidates: [samples], passedOver: [] }, await asItIs(`${path}#${column}`, container, split));
}

/** @param container the folder that the user named, in which this one may lie. */
async function inFolder(folder: string, container: string, split: Split | null): Promise<Found> {
  const entries = listFolder(folder).filter(({ name }) => !name.startsWith("."));
  const sorted = entries.map(({ name }) => name).sort((a, b) => (a < b ? -1 : 1));
  const folders = sorted.filter((name) => isFolder(join(folder, name)));
  const files = sorted.filter((name) => !folders.includes(name));
  const splits = folders.filter((name) => splitOfName(name) !== null);
  if (isDivided(splits, folders)) {
    return usableOf(splits, (name) => inFolder(join(folder, name), container, splitOfName(name)));
  }
  if (cifar.recognises(folder, true)) {
    const training = await asItIs(folder, container, "training");
    const test = files.filter((name) => CIFAR_TEST.test(name));
    return joined(training, await usableOf(test, (name) => asItIs(join(folder, name), container, "test")));
  }
  const isPackedTwin = (name: string): boolean => name.endsWith(".gz") && files.includes(name.slice(0, -".gz".length));
  const isSound = soundFolder.recognises(folder, true);
  const isData = (name: string): boolean =>
    !isPackedTwin(name) && !NO_SAMPLES.test(name) && !(isSound && soundFile.recognises(name, false));
  const data = files.filter((name) => isData(name) && sourceKinds.some((kind) => kind.recognises(name, false)));
  if (data.length === 0) return asItIs(folder, container, split);
  if (data.length > MOST_FILES) {
    throw new ExpectedError(
      `${folder} has ${data.length} data files (${data[0]}, …), and at most ${MOST_FILES} are looked at; all samples ` +
        `of a set belong into one file. Name the files to use.`,
    );
  }
  const arrays = await usableOf(data, (name) => inFile(join(folder, name), container, splitOfName(name) ?? split));
  const hasImages = files.some((name) => IMAGES.extensions.includes(extname(name).toLowerCase()));
  return hasImages || isSound ? joined(await asItIs(folder, container, split), arrays) : arrays;
}

async function asItIs(path: string, container: string | null, split: Split | null): Promise<Found> {
  return { candidates: [{ path, description: await describeSource(path), split, container }], passedOver: [] };
}

function checkExists(path: string): void {
  try {
    statSync(splitMember(path).file);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function joined(...found: readonly Found[]): Found {
  return {
    candidates: found.flatMap(({ candidates }) => candidates),
    passedOver: found.flatMap(({ passedOver }) => passedOver),
  };
}

/** Whether the folders are sets of samples, and no classes: there is a class "train" among vehicles. */
function isDivided(splits: readonly string[], folders: readonly string[]): boolean {
  if (splits.length === 0) return false;
  const isBoth = (names: readonly string[]): boolean =>
    new Set(names.map((name) => splitOfName(name) === "training")).size === 2;
  const few = folders.length <= MOST_DIVISIONS;
  return splits.length === folders.length || isBoth(few ? splits : splits.filter(isSplitWord));
}

/** Looks at each of the names; those that cannot be used are passed over, as long as one can. */
async function usableOf(names: readonly string[], look: (name: string) => Promise<Found>): Promise<Found> {
  const found: Found[] = [];
  const refused: string[] = [];
  for (const name of names) {
    try {
      found.push(await look(name));
    } catch (error) {
      if (!isExpected(error)) throw error;
      refused.push(error.message);
    }
  }
  if (found.length === 0 && refused.length > 0) throw new ExpectedError(refused[0]);
  return joined(...found, { candidates: [], passedOver: refused });
}
