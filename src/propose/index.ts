import { resolve } from "node:path";
import { readLabels } from "../calibration/labels";
import { DEFAULT_TOLERANCE, type DataConfig, type Preprocess } from "../config";
import { ExpectedError } from "../errors";
import { indexGraph } from "../onnx/graphIndex";
import { openModel } from "../onnx/reader";
import { readSmallTensor } from "../onnx/tensor";
import { findCandidates } from "./candidates";
import { counted, dataText, labelsText, shortPath } from "./phrases";
import { proposePreprocess } from "./preprocess";
import { withPreprocess, type Proposal } from "./proposal";
import { assignRoles, stateInputs, type SampleSet } from "./roles";

/** Enough for the Gram matrices of most layers; a row of a Conv is one place of an image. */
const CALIBRATION_SAMPLES = 2000;
/** One sample is 0.05 points of accuracy; the search takes time in proportion. */
const VALIDATION_SAMPLES = 2000;
/** Decoded images are kept in memory. */
const PIXEL_BYTES = 2 ** 30;

/**
 * Proposes a config for a model from its inputs, and the names, shapes and some values of the user's data. Nothing is
 * run, and nothing is written.
 * @param data files and folders; a folder may hold folders for training and validation.
 * @throws ExpectedError if the model or the data cannot be read, or do not go together.
 */
export async function proposeConfig({
  model: modelPath,
  data,
}: {
  readonly model: string;
  readonly data: readonly string[];
}): Promise<Proposal> {
  if (data.length === 0) throw new ExpectedError("No data: name the files or folders with the samples.");
  const model = openModel(resolve(modelPath));
  try {
    const index = indexGraph(model.graph, (tensor) => readSmallTensor(model.wire, tensor));
    if (index.dataInputs.length === 0) throw new ExpectedError(`${model.path} has no input: it takes no data.`);
    const { candidates, passedOver } = await findCandidates(data);
    const states = stateInputs(index.dataInputs, index.graph.outputs, candidates);
    const inputs = index.dataInputs.filter((input) => !states.includes(input));
    const { calibration, validation, unused } = assignRoles(candidates, inputs);
    const preprocess = await proposePreprocess(index, calibration.sources);
    const limits = limitsFor(calibration, preprocess.settings);
    const sources = {
      calibration: dataConfig(calibration, limits.calibration),
      validation: dataConfig(validation, limits.validation),
      ...(states.length === 0 ? {} : { inputs: Object.fromEntries(states.map(({ name }) => [name, 0])) }),
      tolerance: DEFAULT_TOLERANCE,
    };
    const sets = new Set([calibration, validation]);
    const used = Math.min(limits.validation, countOf(validation));
    return {
      config: withPreprocess(sources, preprocess.settings),
      assumptions: [
        {
          about: "calibration",
          text: dataText(calibration, sets.size === 1 ? "both" : "calibration", limits.calibration),
        },
        {
          about: "validation",
          text:
            sets.size === 2
              ? dataText(validation, "validation", limits.validation)
              : `the same samples${countOf(validation) > used ? `, ${counted(used, "sample")} of them` : ""}, since there are no others: ` +
                `accuracy looks better than on new ones, so keep some apart and name them too`,
        },
        { about: "labels", text: await labelsOf([...sets]) },
        ...preprocess.assumptions,
        ...states.map(({ name }) => ({
          about: "other inputs",
          text: `"${name}" with zeros: the model has an output of the same shape, so it is taken for a state`,
        })),
        { about: "tolerance", text: toleranceText(used) },
        ...warningsOf([calibration, validation]).map((text) => ({ about: "warning", text })),
        ...passedOver.map((text) => ({ about: "not used", text })),
        ...unused.map(({ path }) => ({ about: "not used", text: shortPath(path) })),
      ],
      questions: preprocess.question === null ? [] : [preprocess.question],
    };
  } finally {
    model.close();
  }
}

function warningsOf(sets: readonly SampleSet[]): string[] {
  const sources = sets.flatMap((set) => [...set.sources.values()]);
  return [...new Set(sources.flatMap(({ description }) => description.warnings))];
}

function countOf({ sources }: SampleSet): number {
  return [...sources.values()][0].description.count;
}

function dataConfig({ sources, labels }: SampleSet, limit: number): DataConfig {
  const all = [...sources];
  const [[, first]] = all;
  const source =
    all.length === 1 ? first.path : Object.fromEntries(all.map(([input, candidate]) => [input.name, candidate.path]));
  return {
    source,
    ...(labels === null ? {} : { labels: labels.path }),
    // A recording is cut into windows, nobody knows yet how many.
    ...(first.description.count > limit || first.description.content === "sound" ? { limit } : {}),
  };
}

function limitsFor({ sources }: SampleSet, { resize, crop }: Preprocess): { calibration: number; validation: number } {
  let most = Infinity;
  for (const { description } of sources.values()) {
    if (!description.isImages) continue;
    const sides = crop ?? resize;
    const [height, width] = typeof sides === "number" ? [sides, sides] : (sides ?? description.sampleShape ?? [1, 1]);
    most = Math.max(1, Math.floor(PIXEL_BYTES / (3 * height * width)));
  }
  return { calibration: Math.min(CALIBRATION_SAMPLES, most), validation: Math.min(VALIDATION_SAMPLES, most) };
}

/** Reads the label files, so that a wrong one is refused here. */
async function labelsOf(sets: readonly SampleSet[]): Promise<string> {
  const texts: string[] = [];
  for (const set of sets) {
    const [{ path, description }] = set.sources.values();
    const values = set.labels === null ? null : await readLabels(set.labels.path, { path, count: description.count });
    const text = labelsText(set, values);
    if (!texts.includes(text)) texts.push(text);
  }
  return texts.join("; ");
}

function toleranceText(samples: number): string {
  const points = `${DEFAULT_TOLERANCE} points of accuracy for each projection of each layer, the default`;
  const one = 100 / samples;
  if (one <= DEFAULT_TOLERANCE) return points;
  return `${points}; that is less than one of ${counted(samples, "sample")} (${one.toPrecision(2)} points), so no sample more may go wrong`;
}
