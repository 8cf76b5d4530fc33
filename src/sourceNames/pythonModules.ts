import type { SyntaxNode } from "@lezer/common";
import {
  anyIndex,
  noMembers,
  type Component,
  type Definition,
  type Members,
  type ModuleValue,
  type Naming,
} from "./naming";
import { argumentsOf, calleeOf, constructionOf, itemsOf, plainString, type Arguments } from "./pythonSyntax";

/** Containers in containers, deeper than any model: the rest is not known. */
const DEEPEST = 32;

const CONTAINERS = /^(Sequential|ModuleList|ModuleDict)$/;

/** Functions that give back the module they are given. */
const SAME_MODULE =
  /^(weight_norm|spectral_norm|quant_noise|script|compile|checkpoint_wrapper|init_|orthogonal|parametrize)$/;

const UNKNOWN: ModuleValue = { kind: "unknown" };

export function isContainer(callee: string | null): callee is string {
  return callee !== null && CONTAINERS.test(callee);
}

/** Reads the expressions that make modules, and collects the layers named in them. */
export class ModuleReader {
  readonly namings: Naming[] = [];
  /** Where expressions begin that are read as part of another. */
  readonly read = new Set<number>();

  constructor(private readonly text: string) {}

  /**
   * A member of an instance of `owner` is set to `value`: what it may be, by branches.
   * @param path from the instance to the member; the last component is what names it
   */
  member(owner: Definition, path: readonly Component[], value: SyntaxNode | null): ModuleValue[] {
    const values = value ? this.#values(owner, path, value) : [UNKNOWN];
    if (values.some(({ kind }) => kind !== "container")) {
      const defines = values.some(({ kind }) => kind === "made");
      this.namings.push({ kind: "member", owner, components: path, defines, values });
    }
    return values;
  }

  /** The modules of a container's call. */
  container(owner: Definition, path: readonly Component[], call: SyntaxNode): Members {
    this.read.add(call.from);
    const members = noMembers();
    const { list, generated } = argumentsOf(this.text, call);
    if (path.length > DEEPEST) return { ...members, open: true };
    const callee = calleeOf(this.text, call);
    list.forEach(({ name, starred, value }, i) => {
      const inner = value.name === "CallExpression" ? calleeOf(this.text, value) : null;
      if (generated || (starred && isComprehension(value))) {
        this.#repeated(owner, path, members, generated ? value : value.firstChild?.nextSibling);
      } else if (isComprehension(value) && value.name !== "DictionaryComprehensionExpression") {
        this.#repeated(owner, path, members, value.firstChild?.nextSibling);
      } else if (inner === "OrderedDict") {
        const content = argumentsOf(this.text, value).list.at(0)?.value;
        this.#keyed(owner, path, members, content);
      } else if (value.name === "DictionaryExpression") {
        this.#keyed(owner, path, members, value);
      } else if (value.name === "ArrayExpression" && callee === "ModuleList") {
        itemsOf(value).forEach((item, index) => this.#positional(owner, path, members, index, item));
      } else if (starred) {
        members.repeated.push(UNKNOWN);
      } else if (value.name === "ArrayExpression" || callee === "ModuleDict" || name !== null) {
        // Keras lists its layers, and names them itself.
        members.open = true;
      } else if (callee === "ModuleList") {
        members.repeated.push(UNKNOWN);
      } else {
        this.#positional(owner, path, members, i, value);
      }
    });
    return members;
  }

  #values(owner: Definition, path: readonly Component[], expression: SyntaxNode): ModuleValue[] {
    if (path.length > DEEPEST) return [UNKNOWN];
    let value = expression;
    while (value.name === "ParenthesizedExpression" && value.firstChild?.nextSibling) {
      value = value.firstChild.nextSibling;
    }
    if (value.name === "CallExpression") return this.#called(owner, path, value);
    const items = itemsOf(value);
    if (value.name === "ConditionalExpression") {
      const branches = [items.at(0), items.at(-1)].filter((item) => item !== undefined);
      return branches.flatMap((item) => (item.name === "CallExpression" ? this.#called(owner, path, item) : [UNKNOWN]));
    }
    // Keras tracks modules in lists, by names of their own.
    if (/^Array/.test(value.name) && items.some(({ name }) => name === "CallExpression")) owner.members.open = true;
    return [UNKNOWN];
  }

  #called(owner: Definition, path: readonly Component[], call: SyntaxNode): ModuleValue[] {
    const callee = calleeOf(this.text, call);
    if (callee === null) return [UNKNOWN];
    if (isContainer(callee)) return [{ kind: "container", members: this.container(owner, path, call) }];
    const args = argumentsOf(this.text, call);
    const first = args.list.at(0)?.value;
    if (
      SAME_MODULE.test(callee) &&
      first?.name === "CallExpression" &&
      !SAME_MODULE.test(calleeOf(this.text, first) ?? "")
    ) {
      return this.#called(owner, path, first);
    }
    this.#nameArgument(owner, path, args);
    return [{ kind: "made", by: constructionOf(this.text, callee, args) }];
  }

  /** Keras layers are called by `name="…"`, whatever attribute holds them. */
  #nameArgument(owner: Definition, path: readonly Component[], { list }: Arguments): void {
    const argument = list.find(({ name }) => name === "name");
    if (!argument || path.length !== 1) return;
    const name = plainString(this.text, argument.value);
    if (name === null) owner.members.open = true;
    else owner.members.named.set(name, [UNKNOWN]);
  }

  #positional(owner: Definition, path: readonly Component[], members: Members, index: number, value: SyntaxNode): void {
    this.read.add(value.from);
    const component = { name: String(index), from: value.from, to: value.to };
    members.named.set(component.name, this.member(owner, [...path, component], value));
  }

  #repeated(
    owner: Definition,
    path: readonly Component[],
    members: Members,
    value: SyntaxNode | null | undefined,
  ): void {
    if (!value) return;
    this.read.add(value.from);
    members.repeated.push(...this.member(owner, [...path, anyIndex(value)], value));
  }

  /** `[("conv1", nn.Conv2d(…)), …]` or `{"conv1": nn.Conv2d(…), …}`. */
  #keyed(owner: Definition, path: readonly Component[], members: Members, content: SyntaxNode | undefined): void {
    for (const [key, value] of keyedItems(content)) {
      const name = key ? plainString(this.text, key) : null;
      if (!key || name === null || !value) {
        members.open = true;
        continue;
      }
      this.read.add(key.from).add(value.from);
      const component = { name, from: key.from, to: key.to };
      members.named.set(name, this.member(owner, [...path, component], value));
    }
  }
}

function keyedItems(content: SyntaxNode | undefined): [SyntaxNode | undefined, SyntaxNode | undefined][] {
  if (content?.name === "ArrayExpression") {
    return itemsOf(content).map((pair) => {
      const [key, value] = pair.name === "TupleExpression" ? itemsOf(pair) : [];
      return [key, value];
    });
  }
  if (content?.name === "DictionaryExpression") {
    const items = itemsOf(content).filter(({ name }) => name !== ":");
    return items.flatMap((key, i) => (i % 2 === 0 ? [[key, items.at(i + 1)]] : []));
  }
  return [[undefined, undefined]];
}

function isComprehension({ name }: SyntaxNode): boolean {
  return /Comprehension/.test(name);
}
