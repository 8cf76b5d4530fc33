import { dirname } from "node:path";
import { ExpectedError } from "../errors";
import type { ValueInfo } from "../onnx/schema";
import type { Feed, FeedContext, LoadedFeed } from "./feed";
import { hashOfHashes } from "./fileBytes";
import { isInteger, roleOf } from "./inputRoles";
import { splitMember } from "./member";
import { cutSequence, padSequences, type PaddedSequences } from "./sequences";
import type { SampleArray, TextSource, TokenSource } from "./source";
import { findTokenizer, loadTokenizer, type TextTokenizer } from "./tokenizer";

/** Tokens of a sample where neither the config, the model nor the tokenizer says how many: BERT's context. */
const USUAL_LENGTH = 512;
/** The share of positions without a token from which on it is said: layers are measured on them, too. */
const MUCH_PADDING = 0.25;

/** Text or lists of token ids, for the input of the ids and those that go with it. @throws ExpectedError if they do not fit. */
export async function sequenceFeed(
  path: string,
  source: TextSource | TokenSource,
  inputs: readonly ValueInfo[],
  { preprocess, modelFolder }: FeedContext,
): Promise<Feed> {
  const [main] = inputs;
  if (!isInteger(main.elementType) && (source.content === "text" || roleOf(main) !== "mask")) {
    throw new ExpectedError(
      `${path} is a ${source.kind}, and the model's input "${main.name}" takes ${main.elementType ?? "no plain tensor"}; ` +
        `token ids need an input of int64 or int32`,
    );
  }
  const fixed = fixedLength(inputs);
  const folders = [modelFolder, dirname(splitMember(path).file)].filter((folder) => folder !== null);
  const found = findTokenizer(preprocess.tokenizer, folders);
  if (found === null && source.content === "text") {
    throw new ExpectedError(
      `${path} is text, and no tokenizer.json turns it into token ids: there is none in ` +
        `${[...new Set(folders)].join(" nor in ")}; put it there, or name it in preprocess.tokenizer`,
    );
  }
  // Beside token ids it only tells how to fill up, so that one that cannot be read is no reason to stop.
  const tokenizer = found === null ? null : await loadTokenizer(found, source.content === "text");
  if (fixed !== null && preprocess.maxLength !== undefined && preprocess.maxLength > fixed.length) {
    throw new ExpectedError(
      `preprocess.maxLength is ${preprocess.maxLength}, and the model's input "${fixed.name}" takes sequences of ` +
        `${fixed.length}; set it to ${fixed.length} or less`,
    );
  }
  const longest = preprocess.maxLength ?? fixed?.length ?? tokenizer?.maxLength ?? USUAL_LENGTH;
  const count = source.content === "text" ? source.texts.length : source.sequences.length;
  return {
    ...{ path, source, inputs, count, labels: source.labels, warnings: source.warnings },
    load: (indices, { signal }) => {
      const sequences: (readonly number[])[] = [];
      let cut = 0;
      for (const index of indices) {
        signal?.throwIfAborted();
        const whole = source.content === "text" ? tokenizer!.encode(source.texts[index]) : source.sequences[index];
        if (whole.length > longest) cut++;
        sequences.push(cutSequence(whole, longest, tokenizer ?? undefined));
      }
      const padded = padSequences(sequences, fixed?.length ?? null, tokenizer ?? undefined);
      return Promise.resolve(loaded(path, source, inputs, indices, padded, { count, cut, longest, tokenizer }));
    },
    async sha256() {
      const own = await source.sha256();
      if (tokenizer === null) return own;
      return hashOfHashes([{ hash: own, name: "text" }, ...(await tokenizer.hashes())]);
    },
  };
}

/** The length of sequences that the inputs demand; null where it is free. */
function fixedLength(inputs: readonly ValueInfo[]): { name: string; length: number } | null {
  for (const { name, shape } of inputs) {
    const length = shape?.[1];
    if (typeof length === "number" && shape?.length === 2) return { name, length };
  }
  return null;
}

function loaded(
  path: string,
  { content }: TextSource | TokenSource,
  inputs: readonly ValueInfo[],
  indices: Uint32Array,
  { length, ids, mask, positions }: PaddedSequences,
  { count, cut, longest, tokenizer }: { count: number; cut: number; longest: number; tokenizer: TextTokenizer | null },
): LoadedFeed {
  const [main] = inputs;
  const place = new Map([...indices].map((index, at) => [index, at]));
  const arrayOf = (values: Int32Array): SampleArray => ({
    ...{ path, count, dtype: "int32", sampleShape: [length], layout: null },
    read(start, samples) {
      const result = new Int32Array(samples * length);
      for (let i = 0; i < samples; i++) {
        const at = place.get(start + i);
        if (at === undefined) throw new RangeError(`sample ${start + i} of ${path} was not loaded`);
        result.set(values.subarray(at * length, (at + 1) * length), i * length);
      }
      return result;
    },
  });
  const valuesFor = (input: ValueInfo): Int32Array => {
    // Numbers that are named for an input are its own, whatever it is called.
    const role = input === main && content === "tokens" ? "ids" : roleOf(input);
    return role === "mask" ? mask : role === "positions" ? positions : ids;
  };
  const warnings: string[] = [];
  if (cut > 0) warnings.push(`${path}: ${cut} of ${indices.length} samples are cut to ${longest} tokens.`);
  const empty = mask.reduce((sum, one) => sum + 1 - one, 0) / mask.length;
  if (empty > MUCH_PADDING) {
    warnings.push(
      `${path}: ${(100 * empty).toFixed(0)}% of all positions are filled up to ${length} tokens, and layers are measured on ` +
        `them too: use samples of similar length, or a smaller preprocess.maxLength.`,
    );
  }
  return {
    samples: new Map(inputs.map((input) => [input.name, arrayOf(valuesFor(input))])),
    attended: arrayOf(mask),
    indices,
    keptBytes: ids.byteLength + mask.byteLength + positions.byteLength,
    warnings,
    ...(tokenizer === null ? {} : { tokenText: (id: number) => tokenizer.textOf(id) }),
  };
}
