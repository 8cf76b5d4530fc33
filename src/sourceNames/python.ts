import type { SyntaxNode, SyntaxNodeRef } from "@lezer/common";
import { entry } from "./layerIndex";
import { ModuleReader, isContainer } from "./pythonModules";
import { noMembers, type Component, type Definition, type ModuleValue, type Naming, type Reading } from "./naming";
import { argumentsOf, calleeOf, chainOf, childrenOf, lastName, plainString, textOf, type Chain } from "./pythonSyntax";
import type { Source } from "./source";

/** A class or function around what is being read. */
type Scope =
  | { readonly kind: "class"; readonly definition: Definition }
  | {
      readonly kind: "function";
      readonly name: string;
      readonly self: string | null;
      readonly owner: Definition | null;
    };

/** Calls that take the name of a member or layer, and the position of that argument. */
const NAME_ARGUMENTS = new Map([
  ["getattr", 1],
  ["setattr", 1],
  ["hasattr", 1],
  ["delattr", 1],
  ["get_submodule", 0],
  ["get_layer", 0],
]);
const ADDS_MEMBER = /^(add_module|register_module|register_buffer|register_parameter)$/;

/** Finds the modules that a Python source defines, and the places that may name a layer. Never throws. */
export function readPython(source: Source): Reading {
  const reader = new PythonReader(source.text);
  source.tree.iterate({ enter: (node) => reader.enter(node), leave: (node) => reader.leave(node) });
  return { definitions: reader.definitions, namings: reader.namings };
}

class PythonReader {
  readonly definitions: Definition[] = [];
  readonly #scopes: Scope[] = [];
  readonly #modules: ModuleReader;

  constructor(private readonly text: string) {
    this.#modules = new ModuleReader(text);
  }

  get namings(): readonly Naming[] {
    return this.#modules.namings;
  }

  /** Returns false where nothing inside the node can name a layer. */
  enter(ref: SyntaxNodeRef): boolean {
    switch (ref.name) {
      case "FormatString":
      case "ContinuedString":
      case "ImportStatement":
        return false;
      case "ClassDefinition":
        this.#enterClass(ref.node);
        return true;
      case "FunctionDefinition":
        this.#enterFunction(ref.node);
        return true;
      case "AssignStatement":
        this.#assignment(ref.node);
        return true;
      case "CallExpression":
        this.#call(ref.node);
        return true;
      case "MemberExpression":
        this.#use(ref.node);
        return true;
      case "String":
        this.#string(ref.node);
        return false;
      default:
        return true;
    }
  }

  leave({ name }: SyntaxNodeRef): void {
    if (name === "ClassDefinition" || name === "FunctionDefinition") this.#scopes.pop();
  }

  #enterClass(node: SyntaxNode): void {
    const bases = argumentsOf(this.text, node).list.filter(({ name }) => name === null);
    const names = bases.map(({ value }) => lastName(this.text, value) ?? "?");
    const name = node.getChild("VariableName");
    const definition = { name: name ? textOf(this.text, name) : null, bases: names, members: noMembers() };
    this.definitions.push(definition);
    this.#scopes.push({ kind: "class", definition });
  }

  #enterFunction(node: SyntaxNode): void {
    const scope = this.#scopes.at(-1);
    const name = node.getChild("VariableName");
    const first = node.getChild("ParamList")?.getChild("VariableName");
    // A function within a method sees the method's instance.
    const [self, owner] =
      scope?.kind === "class"
        ? [first ? textOf(this.text, first) : null, scope.definition]
        : [scope?.self ?? null, scope?.owner ?? null];
    this.#scopes.push({ kind: "function", name: name ? textOf(this.text, name) : "", self, owner });
  }

  /** The class whose instance a variable is, here. */
  #instance(variable: string | null): Definition | null {
    const scope = this.#scopes.at(-1);
    return scope?.kind === "function" && variable !== null && scope.self === variable ? scope.owner : null;
  }

  #assignment(node: SyntaxNode): void {
    const sides: SyntaxNode[][] = [[]];
    for (const child of childrenOf(node)) {
      if (child.name === "AssignOp") sides.push([]);
      else if (!/^(,|TypeDef|Comment|\*)$/.test(child.name)) sides[sides.length - 1].push(child);
    }
    const values = sides.length > 1 ? sides.pop()! : [];
    for (const targets of sides) {
      targets.forEach((target, i) => {
        if (target.name !== "MemberExpression") return;
        this.#target(target, targets.length === values.length ? values[i] : null);
      });
    }
  }

  #target(target: SyntaxNode, value: SyntaxNode | null): void {
    const { base, components } = chainOf(this.text, target);
    const owner = this.#instance(base);
    if (components.length === 0) return;
    if (owner && components.length === 1) {
      this.#modules.read.add(target.from);
      this.#setMember(owner, components[0], value);
    } else if (value?.name === "CallExpression") {
      this.#modules.read.add(target.from);
      // The module that is put there: its parts are named from the place it is put to, which is not a class's.
      const put: Definition = { name: null, bases: [], members: noMembers() };
      const values = new ModuleReader(this.text).member(put, [], value);
      this.#chain({ base, components }, owner, values);
    }
  }

  #setMember(owner: Definition, component: Component, value: SyntaxNode | null): void {
    const values = this.#modules.member(owner, [component], value);
    entry(owner.members.named, component.name, (): ModuleValue[] => []).push(...values);
  }

  #chain({ base, components }: Chain, owner: Definition | null, values: readonly ModuleValue[]): void {
    const defines = values.some(({ kind }) => kind === "made");
    this.#modules.namings.push(
      owner
        ? { kind: "member", owner, components, defines, values }
        : { kind: "chain", base, components, defines, values },
    );
  }

  #use(node: SyntaxNode): void {
    const { parent } = node;
    // A part of a longer chain, which is read as a whole.
    if (parent?.name === "MemberExpression" && parent.firstChild?.from === node.from) return;
    if (this.#modules.read.has(node.from)) return;
    const chain = chainOf(this.text, node);
    if (chain.components.length > 0) this.#chain(chain, this.#instance(chain.base), []);
  }

  #call(node: SyntaxNode): void {
    const callee = calleeOf(this.text, node);
    if (isContainer(callee) && !this.#modules.read.has(node.from)) this.#freeContainer(node);
    if (callee !== null && (ADDS_MEMBER.test(callee) || callee === "setattr")) this.#addMember(callee, node);
  }

  /** `self.add_module("fc", …)`, `setattr(self, "fc", …)`. */
  #addMember(callee: string, call: SyntaxNode): void {
    const { list } = argumentsOf(this.text, call);
    const [object, [name, value]] =
      callee === "setattr" ? [list.at(0)?.value, list.slice(1)] : [call.firstChild?.firstChild, list];
    const owner = object?.name === "VariableName" ? this.#instance(textOf(this.text, object)) : null;
    if (!owner || !name) return;
    const written = plainString(this.text, name.value);
    if (written === null) {
      owner.members.open = true;
      return;
    }
    this.#modules.read.add(name.value.from);
    const { from, to } = name.value;
    this.#setMember(owner, { name: written, from, to }, value?.value ?? null);
  }

  /** A container that is no class's member: in a variable, given back by a function, or handed on. */
  #freeContainer(call: SyntaxNode): void {
    const scope = this.#scopes.at(-1);
    const returned = call.parent?.name === "ReturnStatement" && scope?.kind === "function";
    const definition: Definition = { name: returned ? scope.name : null, bases: [], members: noMembers() };
    const members = this.#modules.container(definition, [], call);
    for (const [name, values] of members.named) definition.members.named.set(name, values);
    definition.members.repeated.push(...members.repeated);
    definition.members.open = members.open;
    this.definitions.push(definition);
  }

  #string(node: SyntaxNode): void {
    if (this.#modules.read.has(node.from)) return;
    // A string that is a statement: a docstring.
    if (node.parent?.name === "ExpressionStatement") return;
    const text = plainString(this.text, node);
    if (text === null || text === "") return;
    const callee = this.#calledWith(node);
    const partial = node.parent?.name === "BinaryExpression" || callee === "endswith";
    const expected = this.#isKeyword(node, "name") || this.#position(node, 2) === NAME_ARGUMENTS.get(callee ?? "");
    this.#modules.namings.push({ kind: "quoted", text, from: node.from, to: node.to, expected, partial });
  }

  /** The name of what is called with a node as an argument. */
  #calledWith({ parent }: SyntaxNode): string | null {
    return parent?.name === "ArgList" && parent.parent ? calleeOf(this.text, parent.parent) : null;
  }

  #isKeyword({ parent, prevSibling }: SyntaxNode, keyword: string): boolean {
    const name = prevSibling?.name === "AssignOp" ? prevSibling.prevSibling : null;
    return parent?.name === "ArgList" && name !== null && textOf(this.text, name) === keyword;
  }

  /** The position of an argument, up to `most`. */
  #position(node: SyntaxNode, most: number): number {
    let position = 0;
    for (let before = node.prevSibling; before && position < most; before = before.prevSibling) {
      if (before.name === ",") position++;
    }
    return position;
  }
}
