import { Tree, TreeFragment } from "@lezer/common";
import type { LRParser } from "@lezer/lr";
import { parser as javascript } from "@lezer/javascript";
import { parser as python } from "@lezer/python";

/** VS Code's identifiers of the languages in which layer names are looked for. */
export const sourceLanguages = ["python", "javascript", "javascriptreact", "typescript", "typescriptreact"] as const;
export type SourceLanguage = (typeof sourceLanguages)[number];

/** A text and its syntax tree; text with mistakes has one too. */
export interface Source {
  readonly language: SourceLanguage;
  readonly text: string;
  readonly tree: Tree;
}

const parsers: Readonly<Record<SourceLanguage, LRParser>> = {
  python,
  javascript: javascript.configure({ dialect: "jsx" }),
  javascriptreact: javascript.configure({ dialect: "jsx" }),
  typescript: javascript.configure({ dialect: "ts" }),
  typescriptreact: javascript.configure({ dialect: "ts jsx" }),
};

export function isSourceLanguage(language: string): language is SourceLanguage {
  return sourceLanguages.some((known) => known === language);
}

/** Milliseconds after which parsing stops: some texts that nobody writes by hand take the parser minutes. */
const LONGEST_PARSE = 1000;
/** Steps between two looks at the clock. */
const STEPS = 1000;

/**
 * Parses a text, or its beginning where that takes too long; never throws. A text nested deeper than the parser can
 * recurse has an empty tree, so that nothing is found in it.
 * @param previous the same document earlier: what did not change since is taken over from its tree.
 */
export function parseSource(language: SourceLanguage, text: string, previous?: Source): Source {
  try {
    return { language, text, tree: parseTree(language, text, previous) };
  } catch (error) {
    if (error instanceof RangeError) return { language, text, tree: Tree.empty }; // the call stack is full
    throw error;
  }
}

function parseTree(language: SourceLanguage, text: string, previous: Source | undefined): Tree {
  const fragments = previous?.language === language ? unchanged(previous, text) : undefined;
  const parse = parsers[language].startParse(text, fragments);
  const end = performance.now() + LONGEST_PARSE;
  let tree = parse.advance();
  for (let step = 1; !tree; step++) {
    if (step % STEPS === 0 && parse.stoppedAt === null && performance.now() > end) parse.stopAt(parse.parsedPos);
    tree = parse.advance();
  }
  return tree;
}

/** The parts of the tree before and after the one region in which the texts differ. */
function unchanged({ text: before, tree }: Source, after: string): readonly TreeFragment[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  let end = 0;
  while (
    end < shorter - start &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  ) {
    end++;
  }
  const change = { fromA: start, toA: before.length - end, fromB: start, toB: after.length - end };
  return TreeFragment.applyChanges(TreeFragment.addTree(tree), [change]);
}
