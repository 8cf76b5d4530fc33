import { basename } from "node:path";
import type { Candidate } from "./candidates";
import type { SampleSet } from "./roles";

/** Class names shown in a line. */
const MOST_NAMES = 4;

/** (1281, "sample") → "1,281 samples". */
export function counted(count: number, what: string): string {
  return `${count.toLocaleString("en-US")} ${what}${count === 1 ? "" : "s"}`;
}

/** The name of a file or folder, as in a sentence. */
export function shortPath(path: string): string {
  return basename(path);
}

/** Which data it is, how much of it is used, and why it. */
export function dataText({ sources, split }: SampleSet, role: "calibration" | "validation", limit: number): string {
  const all = [...sources.values()];
  const paths = [...sources].map(([input, { path }]) => (all.length === 1 ? shortPath(path) : `${shortPath(path)} for "${input.name}"`)); // prettier-ignore
  const { kind, count, isImages } = all[0].description;
  const number =
    count > limit
      ? `${limit.toLocaleString("en-US")} of ${counted(count, isImages ? "image" : "sample")} (limit)`
      : counted(count, isImages ? "image" : "sample");
  return `${paths.join(", ")}: ${kind}, ${number}${reason(split, role)}`;
}

function reason(split: SampleSet["split"], role: "calibration" | "validation"): string {
  if (split === null) return role === "calibration" ? "; the first that is named" : "; the second that is named";
  const usual = role === "calibration" ? "training" : "validation";
  return split === usual ? "; by its name" : `; by its name it is ${split} data, and there is no better`;
}

/** What becomes of the values, why, and what to do about it where that is open. */
export function valuesText(label: string, why: string, isOpen: boolean): string {
  return `${label}: ${why}${isOpen ? "; another is set by scale, mean and std under preprocess" : ""}`;
}

/** @param values the class numbers of the set's label file; null where it has none. */
export function labelsText({ sources, labels }: SampleSet, values: Int32Array | null): string {
  if (labels !== null && values !== null) {
    const largest = values.reduce((most, label) => Math.max(most, label), 0);
    return `${shortPath(labels.path)} (class numbers up to ${largest})`;
  }
  const labelled = [...sources.values()].find(({ description }) => description.hasLabels);
  if (!labelled) return `none for ${shortPath([...sources.values()][0].path)}: accuracy is agreement with the original`;
  const { kind, classNames } = labelled.description;
  return `${shortPath(labelled.path)} brings its own (${kind}${namesText(labelled, classNames)})`;
}

function namesText({ description }: Candidate, names: readonly string[] | null): string {
  if (names === null) return "";
  const shown = names.slice(0, MOST_NAMES).map((name, index) => `${index} is "${name}"`);
  const rest = names.length > MOST_NAMES ? ` … ${names.length - 1} is "${names[names.length - 1]}"` : "";
  return `${description.isImages ? ", alphabetically" : ""}: ${shown.join(", ")}${rest}`;
}
