import { ExpectedError } from "../errors";
import { openSource } from "./index";
import type { SampleArray, SourceLabels } from "./source";

/** Labels are kept as 32-bit integers: no model has more outputs than that. */
const MAX_LABEL = 2 ** 31 - 1;

/**
 * Reads one class number per sample: an array of shape (N) or (N, 1), of integers or of floats without a fraction; or the
 * labels of a source that has its own.
 * @param samples the samples that the labels belong to.
 * @throws ExpectedError if the file is not such an array, has another count, or has a negative label.
 */
export async function readLabels(
  path: string,
  samples: { readonly path: string; readonly count: number },
): Promise<Int32Array> {
  const source = await openSource(path);
  const values = source.labels?.values ?? (source.content === "array" ? labelValues(path, source.samples) : null);
  if (values === null) {
    throw new ExpectedError(
      `${path} is not a file of labels but a ${source.kind}: labels need one class number per sample; name an array, or a ` +
        `column of a table as "data.csv#label"`,
    );
  }
  if (values.length !== samples.count) {
    throw new ExpectedError(
      `${path} has ${values.length} labels, and ${samples.path} has ${samples.count} samples; there must be one label per sample`,
    );
  }
  return values;
}

function labelValues(path: string, array: SampleArray): Int32Array {
  const [width = 1] = array.sampleShape;
  if (array.sampleShape.length > 1 || width !== 1) {
    const shape = [array.count, ...array.sampleShape].join(", ");
    const hint = array.sampleShape.length === 1 ? "; if it is one-hot, save np.argmax(labels, axis=1)" : "";
    throw new ExpectedError(`${path} has the shape (${shape}), and labels need one class number per sample${hint}`);
  }
  return Int32Array.from<number | bigint>(array.read(0, array.count), (value, index) => {
    const label = Number(value);
    const fail = (reason: string) => new ExpectedError(`${path}: label ${index} is ${value}; ${reason}`);
    if (!Number.isInteger(label)) throw fail("labels must be whole numbers");
    if (label < 0) throw fail("labels count from 0, so leave samples without a class out of the data");
    if (label > MAX_LABEL) throw fail(`the largest possible is ${MAX_LABEL}`);
    return label;
  });
}

/** Where labels come from, to name the place in messages. */
export interface LabelOrigin {
  readonly path: string;
  /** For each label its index in the file. */
  readonly indices: Uint32Array;
  /** Where a class is a folder; see {@link SourceLabels}. */
  readonly folders: SourceLabels["folders"];
}

/**
 * Checks labels against the number of the model's outputs.
 * @param classes number of classes that the model tells apart.
 * @param origin where known: else messages count in `labels` itself.
 * @throws ExpectedError for the first label that is `classes` or more, or another number of class folders.
 */
export function checkLabels(labels: Int32Array, classes: number, origin?: LabelOrigin): void {
  if (origin?.folders) checkFolders(origin.path, origin.folders, classes);
  const position = labels.findIndex((label) => label >= classes);
  if (position === -1) return;
  const where = origin === undefined ? "" : `${origin.path}: `;
  const index = origin === undefined ? position : origin.indices[position];
  throw new ExpectedError(
    `${where}label ${index} is ${labels[position]}, and the model has ${classes} classes: ` +
      `labels from 0 to ${classes - 1} are possible; is it the right model for these labels?`,
  );
}

/** With one folder more or less than the model has classes, the classes behind it would have wrong numbers. */
function checkFolders(path: string, { count, numbering }: NonNullable<SourceLabels["folders"]>, classes: number): void {
  if (numbering === "mapped" || count === classes) return;
  const advice = 'number the folders in the config: "classes": {"cat": 3, …}';
  throw new ExpectedError(
    numbering === "listed"
      ? `"classes" lists ${count} class folders of ${path}, and the model has ${classes} classes; list all in the ` +
          `model's order, or ${advice}`
      : `${path} has ${count} class folders, and the model has ${classes} classes; ${advice}`,
  );
}
