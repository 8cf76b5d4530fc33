import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import * as z from "zod";
import { ExpectedError } from "../errors";
import { readTextFile } from "../inputFile";
import { hashFile } from "./fileBytes";
import type { SequenceForm } from "./sequences";

const FILE = "tokenizer.json";
/** Beside it: what the file itself does not say. */
const CONFIG_FILE = "tokenizer_config.json";
/** The largest vocabularies (256,000 entries with their merges) are some 35 MB. */
const MOST_BYTES = 256 * 2 ** 20;
const ADVICE = "name the tokenizer.json in preprocess.tokenizer";
/** A context that is given as longer means that there is no limit: transformers writes 1e30. */
const LONGEST_CONTEXT = 2 ** 20;
/** What padding tokens are called. */
const PAD_TOKENS: readonly string[] = ["[PAD]", "<pad>", "<|pad|>", "<|endoftext|>", "</s>", "<eos>"];

/** Turns text into token ids. */
export interface TextTokenizer extends SequenceForm {
  /** The longest sequence that its model takes, as far as it says. */
  readonly maxLength: number | null;
  /** Token ids of a text, with the special tokens that the model is used to. @throws ExpectedError if it cannot. */
  encode(text: string): readonly number[];
  /** How a token is written in the vocabulary; null for an id that it does not have. */
  textOf(id: number): string | null;
  /** Of the files that it consists of. */
  hashes(): Promise<{ hash: string; name: string }[]>;
}

/**
 * The tokenizer.json to use.
 * @param named by the config: the file, or its folder.
 * @param folders where one may lie otherwise, the first first.
 * @returns null where there is none. @throws ExpectedError if the named one is missing.
 */
export function findTokenizer(named: string | undefined, folders: readonly string[]): string | null {
  if (named === undefined) return folders.map((folder) => join(folder, FILE)).find((file) => existsSync(file)) ?? null;
  const file = statSync(named, { throwIfNoEntry: false })?.isDirectory() ? join(named, FILE) : named;
  if (existsSync(file)) return file;
  throw new ExpectedError(
    `${file}: no such file, and preprocess.tokenizer names it; correct the path in the config file`,
  );
}

const token = z.union([z.string(), z.object({ content: z.string() })]).nullish();
const text = z.enum(["left", "right", "Left", "Right"]).optional().catch(undefined);

/** What is read here; the library reads the rest. */
const tokenizerSchema = z.looseObject({
  model: z.looseObject({}),
  truncation: z.object({ max_length: z.number(), direction: text }).nullish().catch(null),
  padding: z.object({ pad_id: z.int().nonnegative(), direction: text }).nullish().catch(null),
});
const configSchema = z.looseObject({
  model_max_length: z.number().nullish().catch(null),
  pad_token: token.catch(null),
  padding_side: text,
  truncation_side: text,
});

/**
 * Reads a tokenizer.json, and the tokenizer_config.json beside it where there is one.
 * @param required whether one that cannot be used is an error, or null.
 * @throws ExpectedError if it is none, or of a kind that is not supported.
 */
export async function loadTokenizer(file: string, required: true): Promise<TextTokenizer>;
export async function loadTokenizer(file: string, required: boolean): Promise<TextTokenizer | null>;
export async function loadTokenizer(file: string, required: boolean): Promise<TextTokenizer | null> {
  try {
    return await Promise.resolve(openTokenizer(file));
  } catch (error) {
    if (required || !(error instanceof ExpectedError)) throw error;
    return null;
  }
}

function openTokenizer(file: string): TextTokenizer {
  const content = readJson(file, tokenizerSchema);
  const beside = join(dirname(file), CONFIG_FILE);
  const config = existsSync(beside) ? readJson(beside, configSchema) : {};
  const use = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
      throw new ExpectedError(`${file} cannot be used: ${reason}; save token ids as .json or .npy instead`, {
        cause: error,
      });
    }
  };
  const tokenizer = use(() => new Tokenizer(content, config));
  const encode = (text: string): readonly number[] => use(() => tokenizer.encode(text).ids);
  const names = [padName(config.pad_token), ...PAD_TOKENS].filter((name) => name !== null);
  const padId =
    content.padding?.pad_id ?? names.map((name) => tokenizer.token_to_id(name)).find((id) => id !== undefined);
  const longest = content.truncation?.max_length ?? config.model_max_length ?? null;
  return {
    encode,
    padId: padId ?? 0,
    padSide: sideOf(content.padding?.direction ?? config.padding_side),
    cutSide: sideOf(content.truncation?.direction ?? config.truncation_side),
    frame: use(() => frameOf(tokenizer)),
    maxLength: longest !== null && longest >= 1 && longest <= LONGEST_CONTEXT ? Math.floor(longest) : null,
    textOf: (id) => tokenizer.id_to_token(id) ?? null,
    async hashes() {
      const files = [file, ...(existsSync(beside) ? [beside] : [])];
      return Promise.all(
        files.map(async (path, at) => ({ hash: await hashFile(path), name: at === 0 ? FILE : CONFIG_FILE })),
      );
    },
  };
}

function readJson<Schema extends z.ZodType>(file: string, schema: Schema): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(readTextFile(file, "a tokenizer", MOST_BYTES, ADVICE));
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    throw new ExpectedError(`${file} is not a tokenizer: it is not valid JSON; ${ADVICE}`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new ExpectedError(`${file} is not a tokenizer: ${path.join(".") || "content"}: ${message}; ${ADVICE}`);
}

function padName(pad: z.infer<typeof token>): string | null {
  return typeof pad === "object" ? (pad?.content ?? null) : (pad ?? null);
}

function sideOf(side: z.infer<typeof text>): "left" | "right" {
  return side?.toLowerCase() === "left" ? "left" : "right";
}

/** How many special tokens stand in front of a text and behind it: found out with a text of one word. */
function frameOf(tokenizer: Tokenizer): SequenceForm["frame"] {
  const framed = tokenizer.encode("a").ids;
  const plain = tokenizer.encode("a", { add_special_tokens: false }).ids;
  for (let before = 0; before + plain.length <= framed.length; before++) {
    if (plain.every((id, at) => framed[before + at] === id)) {
      return { before, after: framed.length - plain.length - before };
    }
  }
  return { before: 0, after: 0 };
}
