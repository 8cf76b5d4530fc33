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

/** What a set of samples is used for. */
export type Role = "calibration" | "validation" | "both";

/** Which data it is, how much of it is used, and why it. */
export function dataText({ sources, split }: SampleSet, role: Role, limit: number): string {
  const all = [...sources.values()];
  const paths = [...sources].map(([input, { path }]) => (all.length === 1 ? shortPath(path) : `${shortPath(path)} for "${input.name}"`)); // prettier-ignore
  const { kind, count, isImages, content } = all[0].description;
  const what = isImages ? "image" : content === "sound" ? "recording" : "sample";
  const number =
    count > limit ? `${limit.toLocaleString("en-US")} of ${counted(count, what)} (limit)` : counted(count, what);
  return `${paths.join(", ")}: ${kind}, ${number}${reason(split, role)}`;
}

function reason(split: SampleSet["split"], role: Role): string {
  if (role === "both") return "; the only samples";
  if (split === null) return "; by its place among the data";
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
  return ownLabelsText(labelled);
}

function ownLabelsText({ description }: Candidate): string {
  const { isImages, content, kind, classNames } = description;
  const origin = isImages || content === "sound" ? "the class folders, alphabetically" : `those of the ${kind}`;
  if (classNames === null) return origin;
  const shown = classNames.slice(0, MOST_NAMES).map((name, index) => `${index} is "${name}"`);
  const last = classNames.length - 1;
  const rest = classNames.length > MOST_NAMES ? ` … ${last} is "${classNames[last]}"` : "";
  return `${origin}: ${shown.join(", ")}${rest}`;
}
