/** Elements of small tensors that are picked, joined or reordered; the counterpart of slicing.ts and reshaping.ts. */
import type { Dimension, Shape } from "../schema";
import { axisOf, int, type RuleContext, type ValueRule } from "./context";
import { permutation } from "./reshaping";
import { sliceExtent, sliceRanges, splitSizes } from "./slicing";
import { elementCount, numbers, smallTensor, strides, view, type SmallTensor } from "./smallTensor";
import { spread } from "./values";

/** A view of `tensor`, copied. */
function viewed(
  tensor: SmallTensor,
  offset: number,
  shape: readonly number[],
  steps: readonly number[],
): SmallTensor | null {
  const elements = view(tensor.elements, offset, shape, steps);
  return elements && smallTensor(shape, elements, tensor.arithmetic);
}

export const sliceValue: ValueRule = (context) => {
  const x = context.value(0);
  const ranges = x && sliceRanges(context, x.shape.length);
  if (!x || !ranges) return [null];
  const shape = [...x.shape];
  const steps = strides(x.shape);
  let offset = 0;
  for (const range of ranges) {
    const { first, count } = sliceExtent(x.shape[range.axis], range);
    shape[range.axis] = count;
    offset += first * steps[range.axis];
    steps[range.axis] *= range.step;
  }
  return [viewed(x, offset, shape, steps)];
};

export const transposeValue: ValueRule = (context) => {
  const x = context.value(0);
  const perm = x && permutation(context, x.shape.length);
  if (!x || !perm) return [null];
  const steps = strides(x.shape);
  return [
    viewed(
      x,
      0,
      perm.map((axis) => x.shape[axis]),
      perm.map((axis) => steps[axis]),
    ),
  ];
};

/** Both ways, as in the shape rule: the result has the inferred shape. */
export const expandValue: ValueRule = ({ value }, [output]) => {
  const x = value(0);
  const elements = x && elementCount(output) !== null ? spread(x, output) : null;
  return [x && elements && smallTensor(output, elements, x.arithmetic)];
};

export const gatherValue: ValueRule = ({ node, value }, [output]) => {
  const data = value(0);
  const indices = numbers(value(1));
  const axis = data && axisOf(int(node, "axis", 0), data.shape.length);
  const count = elementCount(output ?? null);
  if (!data || !indices || axis === null || count === null) return [null];
  const rows = indices.map((index) => axisOf(index, data.shape[axis]));
  const inner = strides(data.shape)[axis];
  const block = inner * rows.length;
  const elements = Array.from({ length: count }, (_, at) => {
    const row = rows[Math.floor((at % block) / inner)];
    const outer = Math.floor(at / block) * data.shape[axis] * inner;
    return row === null ? null : data.elements[outer + row * inner + (at % inner)];
  });
  return [smallTensor(output, elements, data.arithmetic)];
};

/** The elements of a vector of known length, even if none of them is known. */
function vector({ shape, value }: RuleContext, index: number): readonly Dimension[] | null {
  const known = value(index);
  const dims: Shape = known?.shape ?? shape(index);
  const count = dims?.length === 1 ? elementCount(dims) : null;
  return count === null ? null : (known?.elements ?? new Array<Dimension>(count).fill(null));
}

/** Vectors only. One that was computed in an unknown way leaves unknown elements, and the others keep theirs. */
export const concatValue: ValueRule = (context, [output]) => {
  const { node, value } = context;
  const known = node.inputs.map((_, index) => value(index)).find((tensor) => tensor !== null);
  if (!known || output?.length !== 1 || elementCount(output) === null) return [null];
  const parts = node.inputs.map((_, index) => vector(context, index));
  return [
    smallTensor(
      output,
      parts.flatMap((part) => part ?? []),
      known.arithmetic,
    ),
  ];
};

/** Vectors only. */
export const splitValue: ValueRule = (context) => {
  const x = context.value(0);
  const sizes = x?.shape.length === 1 ? splitSizes(context, x.shape[0]) : null;
  if (!x || !sizes) return [];
  let at = 0;
  return sizes.map((size) => {
    if (typeof size !== "number") return null;
    const part = x.elements.slice(at, at + size);
    at += size;
    return smallTensor([size], part, x.arithmetic);
  });
};
