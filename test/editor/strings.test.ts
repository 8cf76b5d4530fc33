import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "..", "..");

/** Where a string is no text that users read, or is translated. */
function isNoText(node: ts.Node): boolean {
  const { parent } = node;
  // Of markup the texts are parts of their own; a case names a kind.
  if (ts.isTaggedTemplateExpression(parent) || ts.isCaseClause(parent) || ts.isTypeNode(parent)) return true;
  if (ts.isPropertyAssignment(parent) && parent.name.getText() === "class") return true;
  if (ts.isCallExpression(parent)) {
    const called = parent.expression.getText();
    // Logs are for reports of problems, and in English; nobody but us reads why something is impossible.
    return /(^|\.)t$|\blog\.\w+$/.test(called);
  }
  return ts.isSourceFile(parent) ? false : !ts.isStatement(parent) && isNoText(parent);
}

/** Strings of at least two words that users may read as they are. */
function untranslated(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(path.join(root, file), "utf8"), ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText && /\p{L}{2,} \p{L}{2,}/u.test(node.text) && !isNoText(node)) found.push(`${file}: ${node.text}`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe("what users read", () => {
  const inFolder = (folder: string): string[] =>
    readdirSync(path.join(root, folder))
      .filter((name) => name.endsWith(".ts") && name !== "panelStrings.ts")
      .map((name) => `${folder}/${name}`);

  it.each(["src/editor", "webview/panel"])("in %s can be translated", (folder) => {
    const files = inFolder(folder);
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap(untranslated)).toEqual([]);
  });

  it("is found where it cannot", () => {
    expect(untranslated("src/worker/endings.ts").length).toBeGreaterThan(3);
  });
});
