import { checkLabels } from "../../calibration/labels";
import { classCount } from "../../lowrank/accuracy";
import { isFloatType } from "../../onnx/elements";
import type { GraphIndex } from "../../onnx/graphIndex";
import type { Fit, Measured, Metric, Questions } from "./metric";

const NO_CLASSES: Fit = { fits: false, why: "it does not have one score per class for each sample" };

/** The class of the highest score is the label. */
export const top1: Metric = {
  name: "top-1",
  fit({ output, validation }) {
    const classes = classCount(output.dims, output.rows);
    if (classes === null) return NO_CLASSES;
    if (!validation.labels) return { fits: false, why: "there are no labels" };
    return { fits: true, why: `it has a score for each of ${classes} classes, and there are labels` };
  },
  questions({ output, validation: { labels, labelOrigin } }): Questions {
    if (labels && labelOrigin) checkLabels(labels, classCount(output.dims, output.rows)!, labelOrigin);
    return { perSample: 1, targets: labels, asked: null, likelihood: false };
  },
};

/** The class of the highest score is that of the original. */
export const agreement: Metric = {
  name: "agreement",
  fit(measured: Measured, wanted) {
    const { index, output } = measured;
    const classes = classCount(output.dims, output.rows);
    if (classes === null) return NO_CLASSES;
    const values = wanted ? null : (noScores(index, output.name) ?? noClasses(measured, classes));
    if (values) return values;
    return { fits: true, why: `it has a score for each of ${classes} classes, and there are no labels` };
  },
  questions: () => ({ perSample: 1, targets: null, asked: null, likelihood: false }),
};

/** Axes of inputs with images, of which a class may have as many values as a row by chance. */
const IMAGE_AXES = 4;

/** Where the values of a sample are more likely a signal than scores, by what goes in: as of auto-encoders and denoisers. */
function noClasses({ validation: { contents, labels }, context: { batches } }: Measured, classes: number): Fit | null {
  if (labels) return null;
  const { values } = batches.smallest();
  for (const [input, content] of contents) {
    if (content === "sound") {
      return { fits: false, why: `there are no labels, and "${input}" is sound: values, not scores`, telling: true };
    }
    const { type, dims } = values.get(input)!;
    if (content !== "array" || !isFloatType(type) || dims.length >= IMAGE_AXES || dims.at(-1) !== classes) continue;
    const why = `it has ${classes} values for each sample, as many as the input "${input}", and there are no labels`;
    return { fits: false, why: `${why}: not scores`, telling: true };
  }
  return null;
}

/** What the last operator of classifiers is not, even where there is one value for each of some things. */
const NO_SCORES: ReadonlyMap<string, string> = new Map([
  ...["Sigmoid", "HardSigmoid"].map((op) => [op, "yes or no for each value"] as const),
  ["Tanh", "values between −1 and 1"],
  ...["LpNormalization", "LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization"].map(
    (op) => [op, "features"] as const,
  ),
  ...["SkipLayerNormalization", "SkipSimplifiedLayerNormalization"].map((op) => [op, "features"] as const),
]);

/** Where an output is made of other values than scores, of which the highest would be the answer. */
export function noScores(index: GraphIndex, output: string): Fit | null {
  const last = endsInLayerNormalization(index, output) ? "LayerNormalization" : lastOperator(index, output);
  const values = NO_SCORES.get(last ?? "");
  return values === undefined ? null : { fits: false, why: `it ends in ${last}: ${values}, not scores`, telling: true };
}

/** Older files have the operator in parts: … / √(σ² + ε) · γ + β. */
function endsInLayerNormalization({ producers }: GraphIndex, output: string): boolean {
  const from = (value: string, opType: string): string[] => {
    const node = producers.get(value);
    return node?.opType === opType ? [...node.inputs] : [];
  };
  return from(output, "Add").some((product) => from(product, "Mul").some((value) => from(value, "Div").length > 0));
}

const REARRANGING: ReadonlySet<string> = new Set([
  ...["Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Cast"],
]);

/** The operator that computes a value, but for those that only rearrange it. */
export function lastOperator(index: GraphIndex, value: string): string | null {
  const node = index.producers.get(value);
  if (!node) return null;
  return REARRANGING.has(node.opType) ? lastOperator(index, node.inputs[0]) : node.opType;
}
