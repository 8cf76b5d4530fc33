import type { NewInitializer, NewNode } from "../onnx/encode";
import type { Node } from "../onnx/schema";
import { elementCount } from "../onnx/tensor";
import { ELLIPSIS, parseEquation, writeEquation, type Equation, type Labels } from "./equation";
import { joined } from "./emit";
import { gramOfFeatures, type GramEmission } from "./gram";
import {
  skipped,
  type Emission,
  type LayerType,
  type LayerUse,
  type Recognition,
  type WeightConstant,
  type WeightView,
} from "./layer";
import { axisFeatures, repeated } from "./matrixRows";
import { nodeLabel, stringAttribute, withInput } from "./nodes";
import { constantOperand } from "./operands";
import { transposedGroups } from "./weights";

/**
 * Einsum of two operands, one of them constant (ONNX operator Einsum). Labels of both operands that the output lacks are the
 * columns of W, labels of the weight that the output has are its rows, and labels of all three tell the groups; every
 * other label is of the input and the output, and its places are rows of X.
 */
export const einsum: LayerType = {
  ops: ["Einsum"],

  recognise(node, index): readonly Recognition[] {
    const operand = constantOperand(node, index);
    if (!("weight" in operand)) return operand;
    const { position } = operand;
    const text = stringAttribute(node, "equation", "");
    const equation = parseEquation(text);
    if (!equation) return skipped(`its equation "${text}" cannot be read`);
    const product = productOf(equation, position, operand.weight.dims);
    if (typeof product === "string") return skipped(`${product} in its equation "${text}"`);
    const { order, perm, sizes } = product;
    const weight: WeightConstant = perm
      ? {
          ...operand.weight,
          dims: perm.map((axis) => operand.weight.dims[axis]),
          steps: [...operand.weight.steps, { kind: "transpose", perm }],
        }
      : operand.weight;
    const view: WeightView = {
      groups: elementCount(sizes.groups),
      rows: elementCount(sizes.rows),
      columns: elementCount(sizes.columns),
      transposed: order === "columns first",
      scale: 1,
    };
    if (view.groups > 1 && Math.min(view.rows, view.columns) === 1) {
      return skipped("one input or output per group, so its rank is 1 and cannot fall");
    }
    return [{ kind: "layer", weight, view, use: einsumUse(node, position, product, view) }];
  },
};

/** What the labels of an equation stand for, where it is a product with a weight. */
interface Product {
  readonly input: Labels;
  readonly output: Labels;
  /** Labels of the weight: in the order of its axes, but in one in which rows and columns do not mix. */
  readonly weight: Labels;
  readonly groups: Labels;
  readonly rows: Labels;
  readonly columns: Labels;
  readonly sizes: { readonly [part in "groups" | "rows" | "columns"]: readonly number[] };
  readonly order: "rows first" | "columns first";
  /** The weight's axes in the order of `weight`; null where that is their own. */
  readonly perm: readonly number[] | null;
  /** A label that the equation leaves free. */
  readonly rank: string;
}

/** The equation as a product with the weight; or what stands against it, as "WHAT in its equation". */
function productOf({ operands, output }: Equation, position: 0 | 1, dims: readonly number[]): Product | string {
  if (operands.length !== 2) return `there are ${operands.length} operands, not two,`;
  const [input, own] = [operands[1 - position], operands[position]];
  if (own.includes(ELLIPSIS)) return "its weight has an ellipsis";
  if (own.length !== dims.length) return `its weight of shape [${dims.join(", ")}] has ${own.length} labels`;
  for (const labels of [input, own, output]) {
    const twice = labels.find((label, at) => labels.indexOf(label) !== at);
    if (twice !== undefined) return `the label ${twice} occurs twice in one term`;
  }
  const alone = [...input, ...own].find(
    (label) => !output.includes(label) && !(input.includes(label) && own.includes(label)),
  );
  if (alone !== undefined) return `the label ${alone} of one operand is summed over`;
  const groups = own.filter((label) => input.includes(label) && output.includes(label));
  const rows = own.filter((label) => !input.includes(label));
  const columns = own.filter((label) => !output.includes(label));
  if (columns.length === 0) return "no label of both operands is summed over";
  const sizesOf = (labels: Labels): number[] => labels.map((label) => dims[own.indexOf(label)]);
  const single = columns.find((label) => dims[own.indexOf(label)] === 1);
  if (single !== undefined) return `its weight has one place only along the label ${single}`;
  const rank = LETTERS.find((letter) => ![...input, ...own].includes(letter));
  if (rank === undefined) return "every letter is taken";
  const orders = { "rows first": [...groups, ...rows, ...columns], "columns first": [...groups, ...columns, ...rows] };
  const order = orders["columns first"].every((label, at) => label === own[at]) ? "columns first" : "rows first";
  const weight = orders[order];
  const perm = weight.map((label) => own.indexOf(label));
  const sizes = { groups: sizesOf(groups), rows: sizesOf(rows), columns: sizesOf(columns) };
  const isOwn = perm.every((axis, at) => axis === at);
  return { input, output, weight, groups, rows, columns, sizes, order, perm: isOwn ? null : perm, rank };
}

const LETTERS = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

function einsumUse(node: Node, position: 0 | 1, product: Product, view: WeightView): LayerUse {
  const { input: inputLabels, output: outputLabels, sizes, order, perm } = product;
  const { groups, rows, columns } = view;
  const input = node.inputs[1 - position];
  const output = node.outputs[0];
  const label = nodeLabel(node);

  const features = (source: string, result: string, inputRank: number): Emission => {
    const hidden = inputRank - inputLabels.filter((it) => it !== ELLIPSIS).length;
    const axes = inputLabels.flatMap((it) => (it === ELLIPSIS ? new Array<string>(hidden).fill(ELLIPSIS) : [it]));
    // Along a label of a group where the weight has one place, all places are rows of the same group.
    const sizeOf = new Map(
      (["groups", "columns"] as const).flatMap((part) =>
        product[part].flatMap((it, at) => (sizes[part][at] > 1 ? [[it, sizes[part][at]] as const] : [])),
      ),
    );
    const axesOf = (labels: Labels): number[] => labels.filter((it) => sizeOf.has(it)).map((it) => axes.indexOf(it));
    const roles = { rank: axes.length, groups: axesOf(product.groups), features: axesOf(product.columns) };
    const whole = `${result}/repeated`;
    return joined(
      repeated(
        source,
        whole,
        axes.map((it) => sizeOf.get(it) ?? 1),
      ),
      axisFeatures(whole, result, roles, view),
    );
  };

  const between = [...inputLabels.filter((it) => !product.columns.includes(it)), product.rank];
  const isColumnsFirst = order === "columns first";
  const factorOf = (columnLabels: Labels, rowLabels: Labels): Labels => [
    ...product.groups,
    ...(isColumnsFirst ? [...columnLabels, ...rowLabels] : [...rowLabels, ...columnLabels]),
  ];
  const rankLabel = [product.rank];

  return {
    node,
    input,
    weight: node.inputs[position],
    output,
    counted: { value: output, perRow: groups * rows },
    featuresKey: JSON.stringify(["einsum", inputLabels, product.groups, product.columns, sizes.groups, sizes.columns]),
    featureGroups: groups,
    features,

    gram(source, result, inputDims): GramEmission {
      const found = `${result}/features`;
      return gramOfFeatures(features(source, found, inputDims.length), found, result, view);
    },

    withWeight(value, current): readonly NewNode[] {
      const replaced = withInput(current, position, value);
      if (!perm) return [replaced];
      const operands = position === 0 ? [product.weight, inputLabels] : [inputLabels, product.weight];
      const equation = writeEquation(operands, outputLabels);
      return [{ ...replaced, attributes: { ...replaced.attributes, equation } }];
    },

    factorLayout: JSON.stringify(["einsum", order, sizes]),

    factorInitializers({ rank, a, b }, names): readonly NewInitializer[] {
      const first = isColumnsFirst ? [...sizes.columns, rank] : [rank, ...sizes.columns];
      const second = isColumnsFirst ? [rank, ...sizes.rows] : [...sizes.rows, rank];
      const stored = (values: Float64Array, height: number, width: number): Float64Array =>
        isColumnsFirst ? transposedGroups(values, groups, height, width) : values;
      return [
        { name: names.first, dims: [...sizes.groups, ...first], data: stored(b, rank, columns) },
        { name: names.second, dims: [...sizes.groups, ...second], data: stored(a, rows, rank) },
      ];
    },

    decomposed(names, hidden): readonly NewNode[] {
      const [first, second] = [factorOf(product.columns, rankLabel), factorOf(rankLabel, product.rows)];
      return [
        {
          opType: "Einsum",
          name: `${label}/low_rank_in`,
          inputs: [input, names.first],
          outputs: [hidden],
          attributes: { equation: writeEquation([inputLabels, first], between) },
        },
        {
          opType: "Einsum",
          name: node.name,
          inputs: [hidden, names.second],
          outputs: [output],
          attributes: { equation: writeEquation([between, second], outputLabels) },
        },
      ];
    },
  };
}
