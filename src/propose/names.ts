import { basename, dirname } from "node:path";
import { splitMember } from "../calibration/member";

/** What a set of samples is for, as its name says. */
export type Split = "training" | "validation" | "test";

/** The names that the field gives them; t10k is MNIST's test set. */
const SPLIT_WORDS: Readonly<Record<Split, readonly string[]>> = {
  training: ["train", "training", "tr", "cal", "calib", "calibration"],
  validation: ["val", "valid", "validation", "dev", "eval", "holdout"],
  test: ["test", "testing", "te", "t10k"],
};
const LABEL_WORDS: readonly string[] = ["label", "labels", "y", "target", "targets", "class", "classes"];
const SAMPLE_WORDS: readonly string[] = ["x", "image", "images", "img", "imgs", "data", "sample", "samples"];

/** `X_train` → x, train; `trainImages` → train, images; `train-images-idx3-ubyte.gz` → train, images, idx3, ubyte, gz. */
function words(name: string): string[] {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\d]+/u)
    .filter((word) => word !== "");
}

function splitOfWord(word: string): Split | null {
  const splits: Split[] = ["training", "validation", "test"];
  return splits.find((split) => SPLIT_WORDS[split].includes(word)) ?? null;
}

/** Whether a name is nothing but a word for a split. */
export function isSplitWord(name: string): boolean {
  return splitOfWord(name.toLowerCase()) !== null;
}

/** What one name says; null where it says nothing, or two things (`train_test.npy`). */
export function splitOfName(name: string): Split | null {
  const found = new Set(words(name).flatMap((word) => splitOfWord(word) ?? []));
  return found.size === 1 ? [...found][0] : null;
}

/**
 * What the name of a file, folder or array in a file says.
 * @param folderTells whether it may also lie in a folder that is called just so (`val/images.npy`).
 */
export function splitOfPath(path: string, folderTells: boolean): Split | null {
  const { file, member } = splitMember(path);
  const own = (member === null ? null : splitOfName(member)) ?? splitOfName(basename(file));
  return own ?? (folderTells ? splitOfWord(basename(dirname(file)).toLowerCase()) : null);
}

/** The name of an array in an archive, or of the file or folder, without its extension. */
function ownName(path: string): string {
  const { file, member } = splitMember(path);
  return member ?? basename(file).replace(/\.(npy|npz|idx|gz|csv|tsv|txt|jsonl|json|wav)$/i, "");
}

/** Whether a name is nothing but a word for labels. */
export function isLabelWord(name: string): boolean {
  return LABEL_WORDS.includes(name.toLowerCase());
}

export function saysLabels(path: string): boolean {
  return words(ownName(path)).some((word) => LABEL_WORDS.includes(word));
}

export function saysSamples(path: string): boolean {
  return words(ownName(path)).some((word) => SAMPLE_WORDS.includes(word));
}

/** Whether it is called as the model's input, but for the words of its split: `train_left.npy` and "left". */
export function isNamedAs(path: string, input: string): boolean {
  const plain = (name: string): string => words(name).filter((word) => splitOfWord(word) === null).join(" "); // prettier-ignore
  return ownName(path) === input || (plain(input) !== "" && plain(ownName(path)) === plain(input));
}
