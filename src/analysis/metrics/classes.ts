import { checkLabels } from "../../calibration/labels";
import { classCount } from "../../lowrank/accuracy";
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
  fit({ index, output }: Measured, wanted) {
    const classes = classCount(output.dims, output.rows);
    if (classes === null) return NO_CLASSES;
    const last = lastOperator(index, output.name);
    if (!wanted && NO_SCORES.has(last ?? "")) {
      return { fits: false, why: `it ends in ${last}`, telling: true };
    }
    return { fits: true, why: `it has a score for each of ${classes} classes, and there are no labels` };
  },
  questions: () => ({ perSample: 1, targets: null, asked: null, likelihood: false }),
};

/** What classifiers do not end in: masks and switches, controls, embeddings. */
const NO_SCORES: ReadonlySet<string> = new Set([
  ...["Sigmoid", "HardSigmoid", "Tanh", "LpNormalization", "LayerNormalization"],
]);
const REARRANGING: ReadonlySet<string> = new Set([
  ...["Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Cast"],
]);

/** The operator that computes a value, but for those that only rearrange it. */
export function lastOperator(index: GraphIndex, value: string): string | null {
  const node = index.producers.get(value);
  if (!node) return null;
  return REARRANGING.has(node.opType) ? lastOperator(index, node.inputs[0]) : node.opType;
}
