import { openSource } from "./index";
import type { SampleSource, SampleType } from "./source";

/** What a source says of itself before any sample is read: enough to suggest a config for it. */
export interface SourceDescription {
  readonly path: string;
  /** "NumPy array", "image folder with class folders", "CIFAR-10 binary", … */
  readonly kind: string;
  readonly content: SampleSource["content"];
  /** Whether samples are rows of a table, which take the shape of the model's input. */
  readonly isTable: boolean;
  /** Whether samples are image files, to which preprocess.resize, crop and channels apply. */
  readonly isImages: boolean;
  /** Number of samples; of sound, recordings. */
  readonly count: number;
  /** Dimensions of one sample; null where they differ (images by a few headers), and of text and sound. */
  readonly sampleShape: readonly number[] | null;
  readonly dtype: SampleType;
  /** The order of a sample's axes, where the kind of source fixes it. */
  readonly layout: "NHWC" | "NCHW" | null;
  /** Whether it brings labels along. */
  readonly hasLabels: boolean;
  /** The names of the classes by their number, where it has them. */
  readonly classNames: readonly string[] | null;
  readonly warnings: readonly string[];
}

/**
 * Describes a file or folder with samples (or labels), from headers and names alone.
 * @throws ExpectedError if it cannot be a source.
 */
export async function describeSource(path: string): Promise<SourceDescription> {
  const source = await openSource(path);
  const { content, kind, labels, warnings } = source;
  const isTable = source.content === "array" && source.withoutColumn !== undefined;
  const common = {
    path,
    content,
    kind,
    isTable,
    hasLabels: labels !== null,
    classNames: labels?.classNames ?? null,
    warnings,
  };
  if (source.content === "images") {
    const sampleShape = await source.sampleShape();
    return { ...common, isImages: true, count: source.count, sampleShape, dtype: "uint8", layout: "NHWC" };
  }
  const other = { ...common, isImages: false, sampleShape: null, layout: null };
  if (source.content === "text") return { ...other, count: source.texts.length, dtype: "int32" };
  if (source.content === "tokens") return { ...other, count: source.sequences.length, dtype: "int32" };
  if (source.content === "sound") return { ...other, count: source.recordings.length, dtype: "float32" };
  const { count, sampleShape, dtype, layout } = source.samples;
  return { ...common, isImages: false, count, sampleShape, dtype, layout };
}
