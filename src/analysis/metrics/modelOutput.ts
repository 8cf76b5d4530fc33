import type { Batch } from "../../calibration/batches";
import { ExpectedError } from "../../errors";
import { classCount } from "../../lowrank/accuracy";
import type { GraphIndex } from "../../onnx/graphIndex";
import { elementCount } from "../../onnx/tensor";
import type { Probe } from "../../runtime/probe";
import { createSession, type TensorValue } from "../../runtime/session";

/** The output of a model that is measured. */
export interface ModelOutput {
  readonly name: string;
  /** Of a batch of `rows` samples. */
  readonly dims: readonly number[];
  readonly rows: number;
}

/**
 * The output that is measured: the one that is named, else the only one of floating point, else the largest with one score
 * per class, else the first. Null where none is of floating point, or could be run.
 * @throws ExpectedError where the one that is named is not there, or not of floating point.
 */
export function chooseModelOutput(
  index: GraphIndex,
  { outputs, rows }: Probe,
  path: string,
  wanted?: string,
): ModelOutput | null {
  const found = index.graph.outputs.flatMap(({ name }) => {
    const value = outputs.get(name);
    return value ? [{ name, value, dims: value.dims, rows }] : [];
  });
  const floating = found.filter(({ value }) => isFloating(value));
  if (wanted !== undefined && !floating.some(({ name }) => name === wanted)) {
    const list = found.map(({ name, dims, value }) => `"${name}" [${dims.join(", ")}] ${value.type}`).join("; ");
    throw new ExpectedError(`${path} has no floating-point output "${wanted}" to measure; its outputs are ${list}.`);
  }
  const size = ({ dims }: ModelOutput): number => (classCount(dims, rows) === null ? 0 : elementCount(dims));
  const [first] = floating;
  if (!first) return null;
  const { name, dims } =
    floating.find((one) => one.name === wanted) ?? floating.reduce((a, b) => (size(b) > size(a) ? b : a), first);
  return { name, dims, rows };
}

/**
 * The output as it is on other data than that of the probe: sequences of each data set have a length of their own.
 * @param first a batch of that data, which is run unless its shapes are the probe's.
 */
export async function outputOn(output: ModelOutput, probe: Probe, path: string, first: Batch): Promise<ModelOutput> {
  const { rows, values } = first;
  const isAlike = (value: TensorValue, name: string): boolean => String(value.dims) === String(probe.dims.get(name));
  if (rows === probe.rows && [...values].every(([name, value]) => isAlike(value, name))) return output;
  const session = await createSession(path, path);
  try {
    const { dims } = (await session.run(values, [output.name])).get(output.name)!;
    return { name: output.name, dims, rows };
  } finally {
    await session.release();
  }
}

function isFloating({ type }: TensorValue): boolean {
  return type === "float32" || type === "float64" || type === "float16";
}

/** "[N, 128, 512]": N where the axis counts the samples. */
export function outputShape({ dims, rows }: ModelOutput): (number | "N")[] {
  return dims.map((dim, axis) => (axis === 0 && dim === rows ? "N" : dim));
}
