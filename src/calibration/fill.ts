import type { Constant } from "../config";
import { ExpectedError } from "../errors";
import type { Dimension, ValueInfo } from "../onnx/schema";
import type { TensorData, TensorValue, TensorValues } from "../runtime/session";
import { TENSOR_TYPES, type TensorType } from "./convert";
import { constantValues } from "./constants";
import { roleOf, type InputRole } from "./inputRoles";
import { sizesOf, type FedShape, type Sizes } from "./sizes";
import { USUAL_RATE } from "./soundFeed";

/** Values of one filled input: more comes from a size that is wrong. */
const MOST_VALUES = 2 ** 28;
/** Names in a note. */
const MOST_NAMES = 4;

/** The inputs that no source feeds. */
export interface Filled {
  readonly inputs: readonly string[];
  /** The batch size that their shapes demand; null where it is free. */
  readonly fixedBatch: { readonly input: string; readonly size: number } | null;
  /** What was assumed for them, in sentences. */
  readonly notes: readonly string[];
  /** Their values beside `rows` samples. */
  tensors(rows: number): TensorValues;
}

/** Where every input has samples. */
export const NONE_FILLED: Filled = { inputs: [], fixedBatch: null, notes: [], tensors: () => new Map() };

/** What decides the values of inputs without a source. */
export interface FillContext {
  /** Values that the config names. */
  readonly constants: Readonly<Record<string, Constant>>;
  readonly sampleRate: number | undefined;
}

/** An axis of an input: a size, or one place for each row of the batch. */
type Axis = number | "rows";

/**
 * Says what is fed to inputs without a source: what the config names, or else what their role asks for.
 * @param fed the inputs with samples, which tell the sizes that symbols stand for.
 * @throws ExpectedError if an input has no role and no value, or a size is unknown.
 */
export function fillInputs(
  inputs: readonly ValueInfo[],
  fed: readonly FedShape[],
  { constants, sampleRate }: FillContext,
): Filled {
  const sizes = sizesOf(fed, inputs);
  const plans = inputs.map((input) => {
    const role = roleOf(input);
    const constant = Object.hasOwn(constants, input.name) ? constants[input.name] : null;
    const axes = axesOf(input, role, sizes, constant);
    const type = typeOf(input);
    return { input, role, constant, axes, type };
  });
  let fixedBatch: Filled["fixedBatch"] = null;
  for (const { input, role, constant, axes } of plans) {
    const size = constant === null && role !== "rate" && role !== "cacheSwitch" ? axes[batchAxis(input, sizes)] : null;
    if (typeof size === "number") fixedBatch ??= { input: input.name, size };
  }
  const rate = sampleRate ?? USUAL_RATE;
  const make = (rows: number): TensorValues =>
    new Map(
      plans.map(({ input, role, constant, axes, type }): [string, TensorValue] => {
        const dims = axes.map((axis) => (axis === "rows" ? rows : axis));
        const size = dims.reduce((product, dim) => product * dim, 1);
        if (size > MOST_VALUES) throw tooLarge(input, dims);
        const data = TENSOR_TYPES[type].allocate(size);
        if (constant !== null) constantValues(input, constant, { dims, axes, data });
        else fillByRole(role, { dims, data, past: sizes.past, rate });
        return [input.name, { type, dims, data }];
      }),
    );
  // What does not fit is said now, and not in the middle of an analysis.
  make(1);
  const assumed = plans.filter(({ constant }) => constant === null);
  return {
    inputs: inputs.map(({ name }) => name),
    fixedBatch,
    notes: notesOf(assumed, sampleRate),
    tensors: make,
  };
}

function typeOf({ name, elementType }: ValueInfo): TensorType {
  if (elementType !== null && Object.hasOwn(TENSOR_TYPES, elementType)) return elementType as TensorType;
  throw new ExpectedError(
    `the model's input "${name}" takes ${elementType ?? "something other than a plain tensor"}, and no source feeds it; ` +
      `RankLens can fill ${Object.keys(TENSOR_TYPES).join(", ")}`,
  );
}

/** Where the batch is counted: at its symbol; in a recurrent state ([layers, batch, size]) and the old form of a past
 * ([2, batch, heads, length, size]) at the second axis, else at the first. */
function batchAxis(input: ValueInfo, sizes: Sizes): number {
  const shape = input.shape ?? [];
  const named = shape.findIndex((dim) => sizes.isBatch(dim));
  if (named >= 0) return named;
  const role = roleOf(input);
  return (role === "state" || role === "past") && (shape.length === 3 || shape.length === 5) ? 1 : 0;
}

function axesOf(input: ValueInfo, role: InputRole | null, sizes: Sizes, constant: Constant | null): readonly Axis[] {
  const { shape } = input;
  if (shape === null) {
    if (role === "rate" || role === "cacheSwitch" || constant !== null) return [];
    throw unknownSize(input, null);
  }
  const batch = batchAxis(input, sizes);
  return shape.map((dim, axis): Axis => {
    if (typeof dim === "number") return dim;
    if (role === "rate" || role === "cacheSwitch") return 1;
    if (sizes.isBatch(dim) || (axis === batch && sizes.sizeOf(dim) === null)) return "rows";
    const known = sizes.sizeOf(dim) ?? usualSize(role, axis, sizes);
    if (known !== null) return known;
    throw unknownSize(input, dim);
  });
}

/** What a free axis of an input of that role is. */
function usualSize(role: InputRole | null, axis: number, { past, sequence }: Sizes): number | null {
  if (role === "past") return past;
  if (sequence === null || axis > 1) return null;
  if (role === "mask") return past + sequence;
  return role === "types" || role === "positions" ? sequence : null;
}

function fillByRole(
  role: InputRole | null,
  { dims, data, past, rate }: { dims: readonly number[]; data: TensorData; past: number; rate: number },
): void {
  if (role !== "mask" && role !== "positions" && role !== "rate") return;
  const width = dims.at(-1) ?? 1;
  for (let i = 0; i < data.length; i++) {
    const at = i % width;
    // There is no past: its places hold nothing that may be looked at.
    const value = role === "rate" ? rate : role === "positions" ? at : Number(at >= past);
    data[i] = data instanceof BigInt64Array ? BigInt(value) : value;
  }
}

function notesOf(
  filled: readonly { readonly input: ValueInfo; readonly role: InputRole | null }[],
  rate: number | undefined,
): string[] {
  const groups: [what: string, roles: readonly InputRole[]][] = [
    ["zeros (no past)", ["past"]],
    ["zeros (an initial state)", ["state"]],
    ["ones", ["mask"]],
    ["zeros", ["types"]],
    ["positions from 0", ["positions"]],
    ["false", ["cacheSwitch"]],
    [`${rate ?? USUAL_RATE} Hz${rate === undefined ? ", a guess" : ""}`, ["rate"]],
  ];
  const parts = groups.flatMap(([what, roles]) => {
    const names = filled
      .filter(({ role }) => role !== null && roles.includes(role))
      .map(({ input }) => `"${input.name}"`);
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES + 1} more` : "";
    const shown = more === "" ? names : names.slice(0, MOST_NAMES - 1);
    return names.length === 0 ? [] : [`${shown.join(", ")}${more} with ${what}`];
  });
  return parts.length === 0
    ? []
    : [`Inputs that no source names are filled: ${parts.join("; ")}. Other values go under "inputs" in the config.`];
}

function unknownSize({ name }: ValueInfo, dim: Dimension): ExpectedError {
  const which = dim === null ? "an axis" : `the axis "${String(dim)}"`;
  return new ExpectedError(
    `no source feeds the model's input "${name}", and nothing tells how long ${which} of it is; name a source for it, or its ` +
      `value in the config: "inputs": {"${name}": …}`,
  );
}

function tooLarge({ name }: ValueInfo, dims: readonly number[]): ExpectedError {
  return new ExpectedError(
    `the model's input "${name}" would be filled with [${dims.join(", ")}] values, and at most ${MOST_VALUES} are; name a ` +
      `source for it`,
  );
}
