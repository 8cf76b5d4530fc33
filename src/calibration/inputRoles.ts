import type { ValueInfo } from "../onnx/schema";

/**
 * What an input of a model is for, by the names that exporters give: token ids, an attention mask, token types, positions;
 * a state of an earlier run (a past of keys and values, or of a recurrent layer); the sampling rate of sound; a switch
 * between graphs with and without a past.
 */
export type InputRole = "ids" | "mask" | "types" | "positions" | "past" | "state" | "rate" | "cacheSwitch";

/** What can be fed without a source, since beside samples of one sequence each it is always the same. */
const FILLED: readonly InputRole[] = ["mask", "types", "positions", "past", "state", "rate", "cacheSwitch"];

/** Words of a state's name; names of one of the short words alone are those of recurrent layers. */
const STATE_WORDS: readonly string[] = ["state", "states", "cache", "mems", "hidden", "cell"];
const SHORT_STATE = /^(?:lstm_|gru_|rnn_|prev_|init_|initial_)?[hc](?:x|n|_?in|_?prev|_?init|_?\d+)?$/i;
/** What one network gives another is data, although it is called a state. */
const OTHER_NETWORK = /encoder|last_hidden|hidden_states/i;

/** 1 where a token is. In a padding mask 1 says that there is none, and other masks are of other things. */
const ATTENTION_MASK = /(?:^|[^a-z])(?:(?:attention|attn|input|text|token|tokens|sequence)_?)?mask(?:_?\d+)?$/i;
const OTHER_MASK = /pad|causal|global|masked/i;

/** The role that an input's name and type say; null where they say none. */
export function roleOf({ name, elementType, shape }: ValueInfo): InputRole | null {
  // "serving_default_input_ids:0" is how TensorFlow's names go.
  const plain = name.replace(/:\d+$/, "");
  const isFloat = elementType?.includes("float") ?? false;
  if (elementType === "bool" && /use_cache/i.test(plain)) return "cacheSwitch";
  if (/^(?:sr|sample_?rate|sampling_?rate)$/i.test(plain) && (shape?.length ?? 0) <= 1) return "rate";
  if (isFloat) return floatRole(plain);
  if (!isInteger(elementType) && elementType !== "bool") return null;
  if (ATTENTION_MASK.test(plain) && !OTHER_MASK.test(plain)) return "mask";
  if (/token_?type|segment/i.test(plain)) return "types";
  if (/position/i.test(plain)) return "positions";
  return /(?:^|_)(?:ids?|tokens?)(?:_|$)/i.test(plain) ? "ids" : null;
}

function floatRole(name: string): InputRole | null {
  if (/attention_mask/i.test(name)) return "mask";
  if (OTHER_NETWORK.test(name) && !/past/i.test(name)) return null;
  const words = name.toLowerCase().split(/[^a-z]+/);
  if (words.includes("past") || /past_?key|key_?cache|value_?cache/i.test(name)) return "past";
  return SHORT_STATE.test(name) || words.some((word) => STATE_WORDS.includes(word)) ? "state" : null;
}

/** Whether an input can do without a source. */
export function isFilled(input: ValueInfo): boolean {
  const role = roleOf(input);
  return role !== null && FILLED.includes(role);
}

export function isInteger(type: ValueInfo["elementType"]): boolean {
  return type === "int64" || type === "int32";
}

/** The inputs that a list of token ids is for: those called so, or else the only one of whole numbers that is nothing else. */
export function idInputs(inputs: readonly ValueInfo[]): readonly ValueInfo[] {
  const whole = inputs.filter(({ elementType }) => isInteger(elementType));
  const called = whole.filter((input) => roleOf(input) === "ids");
  if (called.length > 0) return called;
  const open = whole.filter((input) => roleOf(input) === null);
  return open.length === 1 ? open : [];
}

/** Whether inputs belong to the same side of a model with an encoder and a decoder. */
export function isSameSide(a: ValueInfo, b: ValueInfo): boolean {
  return /decoder/i.test(a.name) === /decoder/i.test(b.name);
}
