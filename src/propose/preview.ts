import type { Dataset } from "../calibration/dataset";
import { roleOf } from "../calibration/inputRoles";
import { showBatch } from "../calibration/layout";
import type { ValueInfo } from "../onnx/schema";
import type { TensorValue, TensorValues } from "../runtime/session";
import type { Assumption, Proposal } from "./proposal";

/** Values shown of a sample. */
const MOST_VALUES = 8;
/** Tokens shown of a text. */
const MOST_TOKENS = 10;
/** Images have so many channels. */
const CHANNELS: readonly number[] = [1, 3, 4];

const FIRST_SAMPLE = "first sample";

/** The proposal with what the model gets of the first sample, and what inputs without a source get. */
export function withPreview(proposal: Proposal, dataset: Dataset, inputs: readonly ValueInfo[]): Proposal {
  const { filled } = dataset;
  const first = dataset.batch(0, 1);
  const isText = inputs.some((input) => first.has(input.name) && roleOf(input) === "ids");
  const rows = inputs.flatMap((input): string[] => {
    const value = first.get(input.name);
    const goesAlong = isText && ["mask", "positions", "types"].includes(roleOf(input) ?? "");
    return value === undefined || goesAlong
      ? []
      : [`"${input.name}" ${sampleText(input, value, first, dataset.tokenText)}`];
  });
  const notes = filled.notes.map((text): Assumption => ({ about: "other inputs", text }));
  // A proposal that is tried once more, with another answer, has them already.
  const before = proposal.assumptions.filter(
    ({ about, text }) => about !== FIRST_SAMPLE && !notes.some((note) => note.about === about && note.text === text),
  );
  return { ...proposal, assumptions: [...before, ...notes, { about: FIRST_SAMPLE, text: rows.join("; ") }] };
}

function sampleText(
  input: ValueInfo,
  { dims, data }: TensorValue,
  all: TensorValues,
  tokenText: Dataset["tokenText"],
): string {
  const shape = showBatch(dims.slice(1));
  const values = Array.from(data, Number);
  if (roleOf(input) === "ids" || tokenText !== null) {
    return `${shape}: ${tokensText(values, maskBeside(all), tokenText)}`;
  }
  const [, first] = dims;
  if (dims.length === 4) {
    const isLast = CHANNELS.includes(dims[3]) && !CHANNELS.includes(first);
    const channels = isLast ? dims[3] : first;
    const size = values.length / channels;
    const ranges = Array.from({ length: channels }, (_, channel) =>
      range(values.filter((__, at) => (isLast ? at % channels : Math.floor(at / size)) === channel)),
    );
    if (channels <= MOST_VALUES) return `${shape}: channels ${ranges.join(", ")}`;
  }
  const shown = values.slice(0, MOST_VALUES).map(short).join(", ");
  return `${shape}: ${shown}${values.length > MOST_VALUES ? `, … (${range(values)})` : ""}`;
}

/** Ids with the tokens that they stand for, and how many of them count. */
function tokensText(ids: readonly number[], used: number | null, tokenText: Dataset["tokenText"]): string {
  const shown = ids.slice(0, Math.min(MOST_TOKENS, used ?? ids.length));
  const words = tokenText === null ? "" : ` (${shown.map((id) => tokenText(id) ?? "?").join(" ")})`;
  const more = (used ?? ids.length) > shown.length ? " …" : "";
  return `${shown.join(" ")}${more}${words}${used === null ? "" : `, ${used} of ${ids.length} are tokens`}`;
}

/** The ones in the attention mask of the first sample; null where the model takes none. */
function maskBeside(all: TensorValues): number | null {
  for (const [name, { data }] of all) {
    if (roleOf({ name, elementType: "int64", shape: null }) === "mask") {
      return Array.from(data, Number).reduce((sum, one) => sum + one, 0);
    }
  }
  return null;
}

function range(values: readonly number[]): string {
  let [least, greatest] = [Infinity, -Infinity];
  for (const value of values) [least, greatest] = [Math.min(least, value), Math.max(greatest, value)];
  return `from ${short(least)} to ${short(greatest)}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}
