import type { Constant } from "../config";
import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import type { TensorData } from "../runtime/session";

/** Where a value goes. */
export interface Place {
  readonly dims: readonly number[];
  /** The same, with the axis that counts the samples. */
  readonly axes: readonly (number | "rows")[];
  readonly data: TensorData;
}

/**
 * Writes a value of the config into an input: a single number everywhere; nested lists as they are, or where the input
 * counts samples, for each sample the same.
 * @throws ExpectedError if the shapes differ, or a number is none of the input's type.
 */
export function constantValues(input: ValueInfo, constant: Constant, { dims, axes, data }: Place): void {
  const write = (at: number, value: number | boolean): void => {
    const number = Number(value);
    if (data instanceof BigInt64Array) {
      if (!Number.isSafeInteger(number)) throw notWhole(input, number);
      data[at] = BigInt(number);
      return;
    }
    data[at] = number;
    const kept = data[at];
    if (data instanceof Float32Array ? !Number.isFinite(kept) : kept !== number) throw notWhole(input, number);
  };
  if (!isList(constant)) {
    for (let at = 0; at < data.length; at++) write(at, constant);
    return;
  }
  const shape = shapeOf(input, constant);
  const values = flat(constant);
  const rows = axes.indexOf("rows");
  const ofOne = rows < 0 ? dims : dims.filter((_, axis) => axis !== rows);
  const ofBatch = dims.map((dim, axis) => (axis === rows ? 1 : dim));
  if (
    ![ofOne, ofBatch].some(
      (wanted) => wanted.length === shape.length && wanted.every((dim, axis) => dim === shape[axis]),
    )
  ) {
    throw new ExpectedError(
      `"inputs" gives "${input.name}" lists of [${shape.join(", ")}], and the model takes [${ofOne.join(", ")}]` +
        `${rows < 0 ? "" : " for each sample"}; correct the config`,
    );
  }
  // Behind the axis of the samples everything is repeated for each of them.
  const inner = rows < 0 ? data.length : dims.slice(rows + 1).reduce((product, dim) => product * dim, 1);
  const count = rows < 0 ? 1 : dims[rows];
  for (let at = 0; at < data.length; at++) {
    const outer = Math.floor(at / (inner * count));
    write(at, values[outer * inner + (at % inner)]);
  }
}

function isList(constant: Constant): constant is readonly Constant[] {
  return Array.isArray(constant);
}

function shapeOf(input: ValueInfo, list: readonly Constant[]): number[] {
  const shapes = list.map((one) => (isList(one) ? shapeOf(input, one) : []));
  const [first] = shapes;
  if (shapes.some((shape) => shape.join() !== first.join())) {
    throw new ExpectedError(`"inputs" gives "${input.name}" lists of different lengths; correct the config`);
  }
  return [list.length, ...first];
}

function flat(list: readonly Constant[]): (number | boolean)[] {
  return list.flatMap((one) => (isList(one) ? flat(one) : [one]));
}

function notWhole({ name, elementType }: ValueInfo, value: number): ExpectedError {
  return new ExpectedError(
    `"inputs" gives "${name}" the value ${value}, and the model takes ${elementType ?? "another type"}; correct the config`,
  );
}
