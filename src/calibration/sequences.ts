import { ExpectedError } from "../errors";

/** How a tokenizer wants sequences cut and filled up. */
export interface SequenceForm {
  /** The id that stands for no token. */
  readonly padId: number;
  readonly padSide: "left" | "right";
  readonly cutSide: "left" | "right";
  /** Tokens that it puts in front of every text and behind it ([CLS], [SEP]): they survive cutting. */
  readonly frame: { readonly before: number; readonly after: number };
}

/** Where nothing is known of a tokenizer. */
const PLAIN: SequenceForm = { padId: 0, padSide: "right", cutSide: "right", frame: { before: 0, after: 0 } };

/** Values that are kept in memory, in each of the three arrays. */
const MOST_VALUES = 2 ** 28;

/** Sequences of one length, one after the other. */
export interface PaddedSequences {
  readonly length: number;
  readonly ids: Int32Array;
  /** 1 for a token, 0 for what is filled up. */
  readonly mask: Int32Array;
  /** Counted from 0 at the first token; filled-up places go on counting behind it, and are 0 before it. */
  readonly positions: Int32Array;
}

/** The first (or last) tokens of a sequence, at most `longest`, and what the tokenizer frames it with. */
export function cutSequence(
  ids: readonly number[],
  longest: number,
  { cutSide, frame }: Pick<SequenceForm, "cutSide" | "frame"> = PLAIN,
): readonly number[] {
  if (ids.length <= longest) return ids;
  const { before, after } = frame;
  const inner = longest - before - after;
  // A frame that leaves no room for text is cut like text.
  if (inner < 1) return cutSide === "right" ? ids.slice(0, longest) : ids.slice(ids.length - longest);
  const end = ids.length - after;
  const middle = cutSide === "right" ? ids.slice(before, before + inner) : ids.slice(end - inner, end);
  return [...ids.slice(0, before), ...middle, ...ids.slice(end)];
}

/**
 * Fills sequences up to one length.
 * @param fixed that length; null: the longest sequence.
 * @throws ExpectedError if they do not fit in memory.
 */
export function padSequences(
  sequences: readonly (readonly number[])[],
  fixed: number | null,
  { padId, padSide }: Pick<SequenceForm, "padId" | "padSide"> = PLAIN,
): PaddedSequences {
  const length = fixed ?? sequences.reduce((most, { length: own }) => Math.max(most, own), 1);
  const size = sequences.length * length;
  if (size > MOST_VALUES) {
    throw new ExpectedError(
      `${sequences.length} sequences of ${length} tokens are ${size} values, and at most ${MOST_VALUES} are kept in memory; ` +
        `set "limit" to ${Math.max(1, Math.floor(MOST_VALUES / length))} or less, or a smaller preprocess.maxLength`,
    );
  }
  const ids = new Int32Array(size).fill(padId);
  const mask = new Int32Array(size);
  const positions = new Int32Array(size);
  sequences.forEach((sequence, row) => {
    const start = row * length + (padSide === "right" ? 0 : length - sequence.length);
    ids.set(sequence, start);
    mask.fill(1, start, start + sequence.length);
    for (let at = start; at < (row + 1) * length; at++) positions[at] = at - start;
  });
  return { length, ids, mask, positions };
}
