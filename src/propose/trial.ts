import { resolve } from "node:path";
import { answersOfOriginal, chooseOutput, type ScoreOutput } from "../analysis/accuracy";
import { scoreOriginal, type Scoring } from "../analysis/scoring";
import { openData, openSubject, type Subject, type SubjectData } from "../analysis/prepare";
import { splitMember } from "../calibration/member";
import { cutIntoBatches } from "../calibration/batches";
import { openDataset, type Dataset } from "../calibration/dataset";
import { describeSource } from "../calibration/describe";
import { checkLabels, readLabels } from "../calibration/labels";
import type { DataConfig, ResolvedConfig } from "../config";
import { isExpected } from "../errors";
import { countCorrect, isNearChance } from "../lowrank/accuracy";
import type { ValueInfo } from "../onnx/schema";
import { withPreview } from "./preview";
import { valuesText } from "./phrases";
import { withPreprocess, type Assumption, type Option, type Proposal, type Question } from "./proposal";

/** Samples that the model runs on: a few seconds for a large network, and some 12 points of accuracy. */
const SAMPLES = 64;
/** Right answers more than with the proposed preprocessing that speak for another one. */
const CLEARLY_MORE = 3;
/** Samples of a batch: a few, so that images of any size have room. */
const BATCH = 16;

const RUNS: Assumption = { about: "check", text: "the model runs on a few samples" };

/**
 * Tries a proposed config on a few samples, as an analysis would open them. Where they have labels, the questions about
 * preprocessing are answered by what makes the model right most often; where the model has no class scores, the metric that
 * fits its output is named, and where it has no output that can be measured, validation data is left out.
 * @throws ExpectedError if the model cannot be run on the data so; the message says what does not fit.
 */
export async function tryProposal(modelPath: string, proposal: Proposal): Promise<Proposal> {
  const subject = openSubject(resolve(modelPath));
  try {
    const few = limited(proposal.config, Math.max(SAMPLES, ...firstAxes(subject.index.dataInputs)));
    const data = await openData(subject, few);
    const output = scoresOf(subject, data);
    const seen = withPreview(proposal, data.calibration, subject.index.dataInputs);
    const { labels, labelOrigin } = data.validation ?? {};
    if (output === null || !labels) {
      const scoring = data.output && (await scoreOriginal(subject, data, undefined, () => undefined));
      if (scoring && scoring.metric !== "agreement") return measuredOtherwise(seen, scoring);
      if (output === null) return withoutValidation(seen);
    }
    if (labels && labelOrigin) checkLabels(labels, output.classes, labelOrigin);
    if (proposal.config.validation) await checkAllLabels(proposal.config.validation, output.classes);
    if (!labels) {
      await answers(subject, few, output);
      return { ...seen, assumptions: [...seen.assumptions, RUNS] };
    }
    const done = await settled(proposal, subject, few, output, labels);
    const calibration = await calibrationOf(subject, done.config, few, data.calibration);
    return withPreview(done, calibration, subject.index.dataInputs);
  } finally {
    subject.model.close();
  }
}

/** The calibration data as `config` preprocesses it: `opened`, where that is as `tried` does. */
async function calibrationOf(
  { index, model }: Subject,
  { preprocess = {}, inputs }: ResolvedConfig,
  tried: ResolvedConfig,
  opened: Dataset,
): Promise<Dataset> {
  if (!tried.calibration || JSON.stringify(preprocess) === JSON.stringify(tried.preprocess ?? {})) return opened;
  return openDataset(tried.calibration, preprocess, index.dataInputs, { constants: inputs, modelFolder: model.folder });
}

/** The sizes of fixed first axes, one of which may be the number of samples that the model takes at once. */
function firstAxes(inputs: readonly ValueInfo[]): number[] {
  return inputs.flatMap(({ shape }) => (typeof shape?.[0] === "number" ? [shape[0]] : []));
}

function limited(config: ResolvedConfig, samples: number): ResolvedConfig {
  const few = (data: DataConfig): DataConfig => ({ ...data, limit: Math.min(data.limit ?? samples, samples) });
  return {
    ...config,
    ...(config.calibration === undefined ? {} : { calibration: few(config.calibration) }),
    ...(config.validation === undefined ? {} : { validation: few(config.validation) }),
  };
}

function scoresOf({ index, model }: Subject, { probe }: SubjectData): ScoreOutput | null {
  try {
    return chooseOutput(index, probe, model.path);
  } catch (error) {
    if (isExpected(error)) return null;
    throw error;
  }
}

/** Without class scores, labels say nothing, and neither does a tolerance in right answers. */
function measuredOtherwise({ config, assumptions, questions }: Proposal, { metric, output }: Scoring): Proposal {
  const { calibration, validation } = config;
  return {
    config: {
      ...config,
      ...(calibration === undefined ? {} : { calibration: withoutLabels(calibration) }),
      ...(validation === undefined ? {} : { validation: withoutLabels(validation) }),
    },
    questions,
    assumptions: [
      ...assumptions.filter(({ about }) => about !== "labels" && about !== "tolerance"),
      { about: "metric", text: `${metric} of output "${output.name}" [${output.shape.join(", ")}]: ${output.why}` },
      RUNS,
    ],
  };
}

/** A column of the samples' own table stays named, so that it is not fed. */
function withoutLabels({ labels, ...rest }: DataConfig): DataConfig {
  const isColumn = labels !== undefined && splitMember(labels).file === rest.source;
  return isColumn ? { ...rest, labels } : rest;
}

/** Of a model that gives no floating-point numbers no accuracy can be measured. */
function withoutValidation({ config, assumptions, questions }: Proposal): Proposal {
  const { calibration, preprocess = {} } = config;
  const sources = {
    ...(calibration === undefined ? {} : { calibration }),
    ...(config.inputs === undefined ? {} : { inputs: config.inputs }),
    ...(config.tolerance === undefined ? {} : { tolerance: config.tolerance }),
  };
  const text =
    "none: the model has no floating-point output, so ranks are chosen by energy and no accuracy is measured";
  return {
    config: withPreprocess(sources, preprocess),
    questions,
    assumptions: [
      ...assumptions
        .filter(({ about }) => about !== "labels" && about !== "tolerance")
        .map((one) => (one.about === "validation" ? { ...one, text } : one)),
      RUNS,
    ],
  };
}

/** A label that is no class of the model may be any of them, and not among the few. */
async function checkAllLabels({ source, labels }: DataConfig, classes: number): Promise<void> {
  if (labels === undefined) return;
  const path = typeof source === "string" ? source : Object.values(source)[0];
  const { count } = await describeSource(path);
  const values = await readLabels(labels, { path, count });
  checkLabels(values, classes, { path: labels, indices: Uint32Array.from(values.keys()), folders: null });
}

/** The model's answers for a few validation samples. @throws ExpectedError if they are no numbers. */
async function answers(
  { model, index }: Subject,
  { validation, preprocess, inputs }: ResolvedConfig,
  output: ScoreOutput,
): Promise<Int32Array> {
  if (!validation) throw new TypeError("a proposal without validation data has nothing to be tried on");
  const dataset = await openDataset(validation, preprocess ?? {}, index.dataInputs, {
    constants: inputs,
    modelFolder: model.folder,
  });
  const batches = cutIntoBatches(dataset, index.dataInputs, BATCH);
  const context = { batches, outputName: output.name, signal: undefined, onWork: () => undefined };
  return (await answersOfOriginal(model.path, context, null)).predicted;
}

interface Tried {
  readonly option: Option;
  /** Right answers. */
  readonly right: number;
}

async function settled(
  proposal: Proposal,
  subject: Subject,
  few: ResolvedConfig,
  output: ScoreOutput,
  labels: Int32Array,
): Promise<Proposal> {
  const [question] = proposal.questions;
  const first: Tried = {
    option: question?.options[0] ?? { label: "", preprocess: proposal.config.preprocess ?? {} },
    right: countCorrect(await answers(subject, few, output), labels, 0),
  };
  const others: Tried[] = [];
  for (const option of question?.options.slice(1) ?? []) {
    const predicted = await answers(subject, withPreprocess(few, option.preprocess), output).catch(refusedOnly);
    others.push({ option, right: predicted === null ? 0 : countCorrect(predicted, labels, 0) });
  }
  const best = others.reduce((a, b) => (b.right > a.right ? b : a), first);
  const chosen = best.right >= first.right + CLEARLY_MORE ? best : first;
  const rest = [first, ...others].filter((one) => one !== chosen);
  const shown = rest.map(({ option, right }) => `${option.label}: ${right}`).join(", ");
  const why = `${chosen.right} of ${labels.length} samples are right so (${shown})`;
  const answered = (one: Assumption): Assumption =>
    one.about === question?.about ? { ...one, text: valuesText(chosen.option.label, why, true) } : one;
  return {
    config: withPreprocess(proposal.config, chosen.option.preprocess),
    assumptions: [...proposal.assumptions.map(answered), checked(chosen.right, labels.length, output.classes)],
    questions: question ? [withFirst(question, chosen.option)] : [],
  };
}

function checked(right: number, samples: number, classes: number): Assumption {
  const text = `the model runs, and ${right} of ${samples} samples are right`;
  if (!isNearChance(right / samples, samples, classes)) return { about: "check", text };
  return {
    about: "check",
    text:
      `${text}, near chance for ${classes} classes: correct the values (scale, mean, std) or the order of the classes ` +
      `before you believe any rank`,
  };
}

function withFirst({ about, options }: Question, first: Option): Question {
  return { about, options: [first, ...options.filter((option) => option !== first)] };
}

function refusedOnly(error: unknown): null {
  if (isExpected(error)) return null;
  throw error;
}
