import { extname } from "node:path";
import { ExpectedError } from "../errors";
import { readTextFile } from "../inputFile";
import { hashFile } from "./fileBytes";
import { DATA_ADVICE, type SourceKind, type TokenSource } from "./source";

/** The file is kept in memory as a whole. */
const MOST_BYTES = 256 * 2 ** 20;
/** Token ids are 32-bit. */
const MOST_ID = 2 ** 31 - 1;
const FORM = "write a list with a list of whole numbers for each sample: [[12, 7], [5, 9]]";

/** Token ids in JSON: a list of lists of whole numbers, which may differ in length. */
export const tokenIds: SourceKind = {
  name: "token ids (.json: a list of lists of integers)",
  recognises: (path, isFolder) => !isFolder && extname(path).toLowerCase() === ".json",
  files: (path) => [path],
  open: (path) => Promise.resolve(openTokenIds(path)),
};

function openTokenIds(path: string): TokenSource {
  let content: unknown;
  try {
    content = JSON.parse(readTextFile(path, "a file of token ids", MOST_BYTES, DATA_ADVICE));
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    throw new ExpectedError(`${path} is not valid JSON; ${FORM}`, { cause: error });
  }
  if (!Array.isArray(content)) throw new ExpectedError(`${path} holds no list; ${FORM}`);
  if (content.length === 0) throw new ExpectedError(`${path} is empty: it holds no samples`);
  const sequences = content.map((sequence: unknown, sample): readonly number[] => {
    if (!Array.isArray(sequence)) throw new ExpectedError(`${path}: sample ${sample} is no list; ${FORM}`);
    if (sequence.length === 0) throw new ExpectedError(`${path}: sample ${sample} is empty; leave it out`);
    return sequence.map((id: unknown, at): number => {
      if (typeof id === "number" && Number.isInteger(id) && id >= 0 && id <= MOST_ID) return id;
      throw new ExpectedError(
        `${path}: sample ${sample} has ${shown(id)} at place ${at}, and token ids are whole numbers from 0 to ${MOST_ID}`,
      );
    });
  });
  return {
    ...{ content: "tokens", kind: "list of token ids", path, sequences, labels: null, warnings: [] },
    sha256: () => hashFile(path),
  };
}

function shown(value: unknown): string {
  return Array.isArray(value) ? "a list" : (JSON.stringify(value) ?? typeof value).slice(0, 40);
}
