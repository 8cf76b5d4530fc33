import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ExpectedError } from "../errors";
import { fileBytes, hashFiles, listFolder, type RandomBytes } from "./fileBytes";
import type { ArraySource, SourceKind, SourceLabels } from "./source";

/** An image: 3 channels of 32×32, red first. */
const IMAGE_SHAPE = [3, 32, 32];
const IMAGE_BYTES = 3 * 32 * 32;
/** Records read at once while labels are collected: some 3 MB. */
const RECORDS_AT_ONCE = 1000;
/** Class names are a few words each. */
const MOST_NAME_BYTES = 100_000;

/** The two data sets. A record is its label bytes, then an image; the last label byte is the class. */
interface Variant {
  readonly name: string;
  readonly recordBytes: number;
  /** How many values each label byte of a record can have. */
  readonly labelCounts: readonly number[];
  readonly classes: number;
  /** The file with the class names, in the folder of the batches. */
  readonly namesFile: string;
}

const VARIANTS: readonly Variant[] = [
  { name: "CIFAR-10", recordBytes: IMAGE_BYTES + 1, labelCounts: [10], classes: 10, namesFile: "batches.meta.txt" },
  {
    name: "CIFAR-100",
    recordBytes: IMAGE_BYTES + 2,
    labelCounts: [20, 100],
    classes: 100,
    namesFile: "fine_label_names.txt",
  },
];

/** The training files, of which a folder stands for all; a test file is named itself. */
const TRAINING_NAME = /^(data_batch_\d+|train)\.bin$/;

/** The binary version of CIFAR-10 and CIFAR-100: a file of records, or the folder of the training batches. */
export const cifar: SourceKind = {
  name: "CIFAR-10 or CIFAR-100 binary file (.bin) or folder of data_batch_*.bin",
  recognises: (path, isFolder) => (isFolder ? trainingFiles(path).length > 0 : /\.bin$/i.test(path)),
  files: dataFiles,
  open: (path) => Promise.resolve(openCifar(path)),
};

interface Part {
  readonly path: string;
  readonly bytes: RandomBytes;
  readonly records: number;
  /** Index of its first record in the whole. */
  readonly first: number;
}

function trainingFiles(folder: string): string[] {
  const names = listFolder(folder).flatMap(({ name }) => (TRAINING_NAME.test(name) ? [name] : []));
  return names.sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).map((name) => join(folder, name));
}

/** The files with records: one, or the training files of a folder. */
function dataFiles(path: string): string[] {
  return statSync(path).isDirectory() ? trainingFiles(path) : [path];
}

function openCifar(path: string): ArraySource {
  const files = dataFiles(path);
  const variant = variantOf(files[0]);
  const parts: Part[] = [];
  let count = 0;
  for (const file of files) {
    const bytes = fileBytes(file);
    checkSize(file, bytes.size, variant);
    const records = bytes.size / variant.recordBytes;
    parts.push({ path: file, bytes, records, first: count });
    count += records;
  }
  const values = readLabels(parts, variant, count);
  const classNames = readClassNames(join(dirname(files[0]), variant.namesFile), variant);
  const labels: SourceLabels = { values, classNames, folders: null };
  return {
    content: "array",
    kind: `${variant.name} binary`,
    path,
    labels,
    warnings: [],
    samples: {
      path,
      dtype: "uint8",
      sampleShape: IMAGE_SHAPE,
      layout: "NCHW",
      count,
      read: (start, samples) => readImages(parts, variant, start, samples),
    },
    sha256: () => hashFiles(files),
  };
}

/** By the size of the file, and where that leaves a choice by its labels. */
function variantOf(file: string): Variant {
  const bytes = fileBytes(file);
  if (bytes.size === 0) throw new ExpectedError(`${file} is empty: it has 0 bytes`);
  const fitting = VARIANTS.filter(({ recordBytes }) => bytes.size % recordBytes === 0);
  if (fitting.length === 0) {
    throw new ExpectedError(
      `${file} has ${bytes.size} bytes, which is no multiple of 3073 (a CIFAR-10 record) or 3074 (CIFAR-100); ` +
        `is it the binary version of CIFAR, complete?`,
    );
  }
  const plausible = fitting.filter((variant) => {
    const part = { path: file, bytes, records: bytes.size / variant.recordBytes, first: 0 };
    return findBadLabel(part, variant) === null;
  });
  const [variant] = plausible.length > 0 ? plausible : fitting;
  return variant;
}

function checkSize(file: string, size: number, { name, recordBytes }: Variant): void {
  if (size > 0 && size % recordBytes === 0) return;
  throw new ExpectedError(
    `${file} has ${size} bytes, which is no multiple of ${recordBytes} (a ${name} record); copy it again`,
  );
}

/** Calls `use` with every record's index in the part and the bytes from its start on; stops where it returns false. */
function eachRecord(part: Part, { recordBytes }: Variant, use: (index: number, record: Uint8Array) => boolean): void {
  for (let at = 0; at < part.records; at += RECORDS_AT_ONCE) {
    const records = readRecords(part, recordBytes, at, Math.min(RECORDS_AT_ONCE, part.records - at));
    for (let i = 0; i * recordBytes < records.length; i++) {
      if (!use(at + i, records.subarray(i * recordBytes, (i + 1) * recordBytes))) return;
    }
  }
}

function findBadLabel(part: Part, variant: Variant): { record: number; label: number; count: number } | null {
  let bad: { record: number; label: number; count: number } | null = null;
  eachRecord(part, variant, (record, bytes) => {
    const at = variant.labelCounts.findIndex((count, position) => bytes[position] >= count);
    if (at >= 0) bad = { record, label: bytes[at], count: variant.labelCounts[at] };
    return at < 0;
  });
  return bad;
}

function readLabels(parts: readonly Part[], variant: Variant, count: number): Int32Array {
  const labels = new Int32Array(count);
  for (const part of parts) {
    const bad = findBadLabel(part, variant);
    if (bad !== null) {
      throw new ExpectedError(
        `${part.path}: record ${bad.record} has the label ${bad.label}, and ${variant.name} has labels from 0 to ` +
          `${bad.count - 1}; is it the binary version of CIFAR?`,
      );
    }
    eachRecord(part, variant, (record, bytes) => {
      labels[part.first + record] = bytes[variant.labelCounts.length - 1];
      return true;
    });
  }
  return labels;
}

/** The images [start, start + samples), without the label bytes. */
function readImages(
  parts: readonly Part[],
  { recordBytes }: Variant,
  start: number,
  samples: number,
): Uint8Array<ArrayBuffer> {
  const total = parts.reduce((sum, { records }) => sum + records, 0);
  if (start < 0 || samples < 0 || start + samples > total) {
    throw new RangeError(`samples ${start} to ${start + samples} of ${total}`);
  }
  const images = new Uint8Array(samples * IMAGE_BYTES);
  const labelBytes = recordBytes - IMAGE_BYTES;
  for (const part of parts) {
    const from = Math.max(start, part.first);
    const to = Math.min(start + samples, part.first + part.records);
    if (from >= to) continue;
    const records = readRecords(part, recordBytes, from - part.first, to - from);
    for (let i = 0; i < to - from; i++) {
      const image = records.subarray(i * recordBytes + labelBytes, (i + 1) * recordBytes);
      images.set(image, (from + i - start) * IMAGE_BYTES);
    }
  }
  return images;
}

function readRecords({ path, bytes }: Part, recordBytes: number, first: number, count: number): Uint8Array {
  const records = new Uint8Array(count * recordBytes);
  if (bytes.readAt(records, first * recordBytes) === records.length) return records;
  throw new ExpectedError(`${path} became shorter while it was in use; write or copy it again`);
}

/** The names that come with the data set, one per line; null where they are not there. */
function readClassNames(file: string, { classes }: Variant): string[] | null {
  let text: string;
  try {
    const bytes = readFileSync(file);
    if (bytes.length > MOST_NAME_BYTES) return null;
    text = bytes.toString("utf8");
  } catch {
    return null;
  }
  const names = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return names.length === classes ? names : null;
}
