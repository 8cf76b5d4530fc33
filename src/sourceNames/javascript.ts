import type { SyntaxNode } from "@lezer/common";
import type { QuotedNaming, Reading } from "./naming";
import type { Source } from "./source";

/** Finds the quoted names of a JavaScript or TypeScript source (TensorFlow.js). Never throws. */
export function readJavaScript({ text, tree }: Source): Reading {
  const namings: QuotedNaming[] = [];
  tree.iterate({
    enter: ({ name, node }) => {
      if (name === "ImportDeclaration" || name === "TemplateString") return false;
      if (name !== "String") return true;
      const { from, to } = node;
      const quoted = text.slice(from + 1, to - 1);
      const closed = to - from > 2 && text[from] === text[to - 1];
      // A string that is a statement is a directive; one with escapes is no name.
      if (!closed || /[\\\n]/.test(quoted) || node.parent?.name === "ExpressionStatement") return false;
      const partial = node.parent?.name === "BinaryExpression" || argumentOf(text, node) === "endsWith";
      namings.push({ kind: "quoted", text: quoted, from, to, expected: isName(text, node), partial });
      return false;
    },
  });
  return { definitions: [], namings };
}

/** `{ name: "dense_1" }` and `model.getLayer("dense_1")`. */
function isName(text: string, node: SyntaxNode): boolean {
  const { parent, prevSibling } = node;
  if (parent?.name === "Property" && prevSibling) {
    const key = parent.firstChild;
    return key !== null && /^["']?name["']?$/.test(text.slice(key.from, key.to));
  }
  return argumentOf(text, node) === "getLayer";
}

/** The name of the method that a node is an argument of. */
function argumentOf(text: string, { parent }: SyntaxNode): string | null {
  const callee = parent?.name === "ArgList" ? parent.parent?.firstChild?.lastChild : null;
  return callee?.name === "PropertyName" ? text.slice(callee.from, callee.to) : null;
}
