import { basename } from "node:path";
import { rowShape } from "../calibration/feed";
import { isFilled, isInteger } from "../calibration/inputRoles";
import { arrange, canArrange, LAYOUTS, showBatch } from "../calibration/layout";
import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import type { Candidate } from "./candidates";
import { isNamedAs, saysLabels, saysSamples, type Split } from "./names";

/** Samples for every input of the model, and their labels. */
export interface SampleSet {
  /** By the model's input, in its order. */
  readonly sources: ReadonlyMap<ValueInfo, Candidate>;
  /** The file with their labels; null where they bring their own, or have none. */
  readonly labels: Candidate | null;
  readonly split: Split | null;
}

export interface Roles {
  readonly calibration: SampleSet;
  /** The same as {@link calibration} where there is only one set. */
  readonly validation: SampleSet;
  readonly unused: readonly Candidate[];
}

/** How the channels of an array can lie. */
const ARRANGEMENTS = [undefined, ...LAYOUTS] as const;

/**
 * Which of the candidates is calibration data, which validation data, and which are their labels: by their names, then
 * by their shapes, then by their order.
 * @throws ExpectedError if samples do not fit the model, or there is more than one way.
 */
export function assignRoles(candidates: readonly Candidate[], inputs: readonly ValueInfo[]): Roles {
  const labels = candidates.filter((candidate) => isLabels(candidate, inputs));
  const samples = candidates.filter((candidate) => !labels.includes(candidate));
  if (samples.length === 0) {
    throw new ExpectedError(
      `${candidates.map(({ path }) => path).join(", ")}: only labels (one number per sample); name the samples too`,
    );
  }
  const groups = [...new Set(samples.map(groupOf))];
  // What goes along with samples needs none of its own, but may have some.
  const isNamed = (input: ValueInfo): boolean => samples.some(({ path }) => isNamedAs(path, input.name));
  const needy = inputs.filter((input) => !isFilled(input) || isNamed(input));
  const taking = needy.length > 0 ? needy : inputs;
  const sets = groups.flatMap((group) => {
    const own = samples.filter((candidate) => groupOf(candidate) === group);
    return taking.length === 1 ? ofOneInput(own, taking[0]) : [ofSeveralInputs(own, taking)];
  });
  const labelled = withLabels(sets, labels);
  const { calibration, validation } = choose(labelled);
  const used = [calibration, validation].flatMap((set) => [...set.sources.values(), set.labels]);
  return { calibration, validation, unused: candidates.filter((candidate) => !used.includes(candidate)) };
}

/** What belongs together: the same split, or what is in one archive or folder, or the files that were named one by one. */
function groupOf({ split, container }: Candidate): string {
  return split === null ? `in ${container ?? ""}` : `split ${split}`;
}

function isLabels(candidate: Candidate, inputs: readonly ValueInfo[]): boolean {
  const { path, description } = candidate;
  const { isImages, sampleShape, dtype } = description;
  if (isImages || sampleShape === null || inputs.some(({ name }) => isNamedAs(path, name))) return false;
  const single = sampleShape.length === 0 || (sampleShape.length === 1 && sampleShape[0] === 1);
  if (single) return !dtype.startsWith("float") || saysLabels(path);
  return saysLabels(path) && !inputs.some((input) => fits(candidate, input));
}

/**
 * Inputs that nothing among the data is for, and that have an output of the same fixed shape: a state that the model hands on
 * from run to run, which begins with zeros.
 */
export function stateInputs(
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
  candidates: readonly Candidate[],
): readonly ValueInfo[] {
  const needy = inputs.filter((input) => !isFilled(input));
  const states = needy.filter(({ name, shape, elementType }) => {
    const isFixed = shape?.every((dim) => typeof dim === "number") ?? false;
    const isSame = (other: ValueInfo): boolean =>
      other.elementType === elementType && other.shape?.join() === shape?.join();
    const hasData = candidates.some((one) => isNamedAs(one.path, name) || fits(one, { name, shape, elementType }));
    return isFixed && !hasData && outputs.some(isSame);
  });
  return states.length < needy.length ? states : [];
}

/** Whether samples can be fed to an input; images are cut to its size. */
function fits({ description }: Candidate, input: ValueInfo): boolean {
  const { content, isImages, isTable, sampleShape, path, layout } = description;
  if (content === "text" || content === "tokens") return isInteger(input.elementType);
  if (content === "sound") return !isInteger(input.elementType) && (input.shape?.length ?? 2) <= 3;
  if (isImages || sampleShape === null) return input.shape === null || [2, 3, 4].includes(input.shape.length);
  const form = { path, sampleShape: isTable ? rowShape(sampleShape, input) : sampleShape, layout };
  return ARRANGEMENTS.some((wanted) => canArrange(form, wanted, input));
}

/** Files that are named one by one are sets of their own; of what is found in a folder or archive one is chosen. */
function ofOneInput(samples: readonly Candidate[], input: ValueInfo): SampleSet[] {
  const fitting = samples.filter((candidate) => fits(candidate, input));
  const set = (source: Candidate): SampleSet => ({
    sources: new Map([[input, source]]),
    labels: null,
    split: source.split,
  });
  const wrong = samples.find((one) => !fitting.includes(one) && (one.container === null || fitting.length === 0));
  if (wrong) throw misfit(wrong, input);
  if (fitting.length === 1 || fitting.every(({ split, container }) => split === null && container === null)) {
    return fitting.map(set);
  }
  const named = fitting.filter(({ path }) => isNamedAs(path, input.name));
  const likely = named.length > 0 ? named : fitting.filter(({ path }) => saysSamples(path));
  if (likely.length === 1) return [set(likely[0])];
  throw new ExpectedError(
    `${listed(fitting)} could each be the samples for the model's input "${input.name}"` +
      `${fitting[0].split === null ? "" : ` (${fitting[0].split} data, by their names)`}; name only those to use`,
  );
}

/** By name; what is left over by shape, if there is only one way. */
function ofSeveralInputs(samples: readonly Candidate[], inputs: readonly ValueInfo[]): SampleSet {
  const sources = new Map<ValueInfo, Candidate>();
  const free = (): Candidate[] => samples.filter((one) => ![...sources.values()].includes(one));
  for (const input of inputs) {
    const named = free().filter(({ path }) => isNamedAs(path, input.name));
    if (named.length === 1) sources.set(input, named[0]);
  }
  for (const input of inputs.filter((one) => !sources.has(one))) {
    const fitting = free().filter((candidate) => fits(candidate, input));
    const rivals = inputs.filter((one) => !sources.has(one) && fitting.some((candidate) => fits(candidate, one)));
    if (fitting.length === 1 && rivals.length === 1) {
      sources.set(input, fitting[0]);
      continue;
    }
    const takes = showBatch(input.shape?.slice(1) ?? []);
    throw new ExpectedError(
      `the model's input "${input.name}" takes ${takes}, and ` +
        (fitting.length === 0
          ? `${listed(samples)} ${samples.length === 1 ? "has another shape" : "have other shapes"}; name its data too, ` +
            `as "${input.name}.npy" or in an archive`
          : `${listed(fitting)} could be meant; call the right one "${input.name}"`),
    );
  }
  return {
    sources: new Map(inputs.map((input) => [input, sources.get(input)!])),
    labels: null,
    split: samples[0].split,
  };
}

function misfit({ path, description }: Candidate, input: ValueInfo): ExpectedError {
  const { sampleShape, layout, isImages } = description;
  try {
    if (!isImages && sampleShape !== null) arrange({ path, sampleShape, layout }, undefined, input);
  } catch (error) {
    if (error instanceof ExpectedError) return error;
    throw error;
  }
  return new ExpectedError(
    `the model's input "${input.name}" takes ${showBatch(input.shape?.slice(1) ?? [])}; ${basename(path)} is a ${isImages ? "folder of images" : description.kind}`,
  );
}

/** Labels go to the samples of their split, or else of their number; the first ones to the first samples. */
function withLabels(sets: readonly SampleSet[], labels: readonly Candidate[]): SampleSet[] {
  const free = new Set(labels);
  const result = [...sets];
  const give = (matches: (set: SampleSet, label: Candidate) => boolean): void => {
    result.forEach((set, at) => {
      const [first] = set.sources.values();
      if (set.labels !== null || first.description.hasLabels) return;
      const own = [...free].find((label) => matches(set, label));
      if (!own) return;
      free.delete(own);
      result[at] = { ...set, labels: own };
    });
  };
  const count = (set: SampleSet): number => [...set.sources.values()][0].description.count;
  const sameGroup = (set: SampleSet, label: Candidate): boolean =>
    groupOf([...set.sources.values()][0]) === groupOf(label);
  give((set, label) => sameGroup(set, label) && label.description.count === count(set));
  give((set, label) => label.split === null && label.description.count === count(set));
  // Another number is a mistake, which reading the labels will name.
  give(sameGroup);
  return result;
}

function choose(sets: readonly SampleSet[]): { calibration: SampleSet; validation: SampleSet } {
  const of = (split: Split | null): SampleSet[] => sets.filter((set) => set.split === split);
  const [calibration] = [...of("training"), ...of(null), ...of("validation"), ...of("test")];
  const rest = [...of("validation"), ...of("test"), ...of(null)].filter((set) => set !== calibration);
  if (of(null).length > 2 || (of(null).length === 2 && rest.length > 1)) {
    const several = of(null).map(({ sources }) => [...sources.values()][0]);
    throw new ExpectedError(
      `${listed(several)} could each be calibration or validation data; name two sources, the calibration data first`,
    );
  }
  return { calibration, validation: rest[0] ?? calibration };
}

function listed(candidates: readonly Candidate[]): string {
  return candidates.map(({ path }) => basename(path)).join(", ");
}
