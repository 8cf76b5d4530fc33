// The README as users of the extension read it: in VS Code and in the Marketplace, which show no picture but from the web.
import { readFileSync } from "node:fs";

/** Parts that are of use only to who has the repository. */
const REPOSITORY_ONLY = /<!-- repository:begin -->.*?<!-- repository:end -->\n*/gs;
/** Who writes which part of README.md. */
const COMMENT = /<!--.*?-->\n*/gs;
const RELATIVE_PICTURE = /!\[[^\][]*\]\((?!https:)[^)]+\)\n*/g;
const RELATIVE_LINK = /\[([^\][]*)\]\((?!https:|#)[^)]+\)/g;

/**
 * The text of README.md for a VSIX. Where package.json names a repository, vsce makes addresses there of all relative links.
 * Without one they would lead nowhere: pictures are left out, and of other links only their words stay.
 */
export function extensionReadme(hasRepository) {
  const text = readFileSync("README.md", "utf8").replace(REPOSITORY_ONLY, "").replace(COMMENT, "");
  return hasRepository ? text : text.replace(RELATIVE_PICTURE, "").replace(RELATIVE_LINK, "$1");
}
