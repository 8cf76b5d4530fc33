import type { SyntaxNode } from "@lezer/common";
import { anyIndex, type Component, type Construction } from "./naming";

/** Nested deeper, an expression is not followed: trees of hostile texts are deeper than the call stack. */
const DEEPEST = 200;

/** One argument of a call. */
export interface Argument {
  /** Keyword, where it has one. */
  readonly name: string | null;
  /** "*" or "**" in front of it. */
  readonly starred: boolean;
  readonly value: SyntaxNode;
}

export interface Arguments {
  readonly list: readonly Argument[];
  /** The one argument is followed by `for`: it stands for many. */
  readonly generated: boolean;
}

export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const children: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) children.push(child);
  return children;
}

/** What lies between the commas of a list, in brackets or not; without comments. */
export function itemsOf(node: SyntaxNode): SyntaxNode[] {
  return childrenOf(node).filter(({ name, type }) => !type.isError && !/^([()[\]{},]|Comment)$/.test(name));
}

export function textOf(text: string, node: SyntaxNode): string {
  return text.slice(node.from, node.to);
}

/** The arguments of a call or of a class's bases. */
export function argumentsOf(text: string, call: SyntaxNode): Arguments {
  const list: Argument[] = [];
  const argList = call.getChild("ArgList");
  if (!argList) return { list, generated: false };
  let name: string | null = null;
  let starred = false;
  let generated = false;
  for (const node of itemsOf(argList)) {
    if (node.name === "for") {
      generated = true;
      break;
    }
    if (node.name === "*" || node.name === "**") {
      starred = true;
    } else if (node.name === "VariableName" && node.nextSibling?.name === "AssignOp") {
      name = textOf(text, node);
    } else if (node.name !== "AssignOp") {
      list.push({ name, starred, value: node });
      [name, starred] = [null, false];
    }
  }
  return { list, generated };
}

/** The last name of what is called: `Conv2d` of `nn.Conv2d(…)`; null where another expression is called. */
export function calleeOf(text: string, call: SyntaxNode): string | null {
  return lastName(text, call.firstChild);
}

export function lastName(text: string, node: SyntaxNode | null): string | null {
  const name = node?.name === "MemberExpression" ? node.lastChild : node;
  return name && (name.name === "VariableName" || name.name === "PropertyName") ? textOf(text, name) : null;
}

export function constructionOf(text: string, callee: string, { list }: Arguments): Construction {
  const numbers = new Map<number | string, number>();
  for (const [i, { name, starred, value }] of list.entries()) {
    // What follows a list of unknown length has no position.
    if (starred) break;
    const number = value.name === "Number" ? Number(textOf(text, value).replaceAll("_", "")) : NaN;
    if (Number.isSafeInteger(number)) numbers.set(name ?? i, number);
  }
  return { callee, numbers };
}

/** The content of a plain string: no f-string, no bytes, no escapes, closed; null for everything else. */
export function plainString(text: string, node: SyntaxNode): string | null {
  if (node.name !== "String" || node.firstChild) return null;
  return (
    /^[rRuU]?(?:'''([^]*)'''|"""([^]*)"""|'([^'\n]*)'|"([^"\n]*)")$/
      .exec(textOf(text, node))
      ?.slice(1)
      .find((content) => content !== undefined) ?? null
  );
}

/** A chain of attributes and subscripts: `model.layer1[0].conv1`. */
export interface Chain {
  /** The variable at its beginning, or null for another expression. */
  readonly base: string | null;
  readonly components: readonly Component[];
}

/** Reads a MemberExpression; what is subscripted by an expression is any index. */
export function chainOf(text: string, node: SyntaxNode): Chain {
  const components: Component[] = [];
  let current = node;
  for (let depth = 0; current.name === "MemberExpression" && depth < DEEPEST; depth++) {
    const last = current.lastChild;
    if (!last || !current.firstChild || last.from === current.firstChild.from) break;
    const name = { name: textOf(text, last), from: last.from, to: last.to };
    components.push(last.name === "PropertyName" ? name : subscript(text, current));
    current = current.firstChild;
  }
  return {
    base: current.name === "VariableName" ? textOf(text, current) : null,
    components: components.reverse(),
  };
}

/** Its place is that of the brackets too. */
function subscript(text: string, member: SyntaxNode): Component {
  const at = { from: member.getChild("[")?.from ?? member.from, to: member.to };
  const [, index, ...more] = itemsOf(member);
  if (!index || more.length > 0) return anyIndex(at);
  const key = index.name === "Number" ? textOf(text, index) : plainString(text, index);
  return key === null ? anyIndex(at) : { name: key, ...at };
}
