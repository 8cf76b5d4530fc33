import { isWeightClass } from "./construction";
import { entry, type LayerIndex, type ModuleNode, type NamedLayer } from "./layerIndex";
import { memberValues, type Definition, type Members, type ModuleValue } from "./naming";

/** Bases that add no members of their own to a class. */
const PLAIN_BASES = new Set(["Module", "Model", "Layer", "LightningModule", "ABC", "Generic", "object"]);

/** A module of the model that may be an instance of a definition. */
export type Places<L> = ReadonlyMap<Definition, readonly ModuleNode<L>[]>;

/**
 * Where in the model the definitions of a source have their instances. A module may be an instance of a class only if the
 * class declares everything that lies under it, and if what the source says of the modules around it does not make it
 * another class's. A class without a base in sight may have members that the source does not show.
 */
export function placeDefinitions<L extends NamedLayer>(
  definitions: readonly Definition[],
  { root }: LayerIndex<L>,
): Places<L> {
  return new Placement<L>(definitions).places(root);
}

/** What the modules around a module say of it; `null` where one of them leaves it open. */
type Allowed = Set<Definition> | null;

class Placement<L extends NamedLayer> {
  readonly #named = new Map<string, Definition[]>();
  /** Each definition and its bases in the source, nearest first. */
  readonly #families = new Map<Definition, readonly Definition[]>();
  /** With what a class inherits. */
  readonly #members = new Map<Definition, Members>();
  readonly #declaring = new Map<string, Definition[]>();
  readonly #fitting = new Map<Definition, Map<ModuleNode<L>, boolean>>();
  readonly #allowed = new Map<ModuleNode<L>, Allowed>();

  constructor(definitions: readonly Definition[]) {
    for (const definition of definitions) {
      if (definition.name !== null) entry(this.#named, definition.name, () => []).push(definition);
    }
    for (const definition of definitions) {
      this.#families.set(definition, this.#family(definition));
      const members = this.#withInherited(definition);
      this.#members.set(definition, members);
      for (const key of members.named.keys()) entry(this.#declaring, key, () => []).push(definition);
      if (members.repeated.length > 0) entry(this.#declaring, "0", () => []).push(definition);
    }
  }

  places(root: ModuleNode<L>): Places<L> {
    const found = new Map<Definition, Set<ModuleNode<L>>>();
    const pending = [root];
    for (let node = pending.pop(); node; node = pending.pop()) {
      for (const definition of this.#possible(node)) {
        // What a class inherits is written in its bases.
        for (const one of this.#families.get(definition)!) entry(found, one, () => new Set()).add(node);
        this.#constrain(node, this.#members.get(definition)!);
      }
      // Parents come before their children, so that all constraints on a module are known when it is reached; and all in
      // the model's order, so that what is found needs little sorting.
      pending.push(...[...node.children.values()].reverse());
    }
    return new Map([...found].map(([definition, nodes]) => [definition, [...nodes]]));
  }

  #possible(node: ModuleNode<L>): Definition[] {
    const declaring = new Set([...node.children.keys()].flatMap((key) => this.#declaring.get(key) ?? []));
    const allowed = this.#allowed.get(node) ?? null;
    return [...declaring].filter((one) => (allowed === null || allowed.has(one)) && this.#fits(node, one));
  }

  #fits(node: ModuleNode<L>, definition: Definition): boolean {
    const known = entry(this.#fitting, definition, () => new Map<ModuleNode<L>, boolean>());
    return entry(known, node, () => this.#holds(node, this.#members.get(definition)!));
  }

  /** Whether the members account for all that lies under the node. */
  #holds(node: ModuleNode<L>, members: Members): boolean {
    return [...node.children].every(([key, child]) => {
      const values = memberValues(members, key);
      return values !== undefined && (values.length === 0 || values.some((value) => this.#canBe(child, value)));
    });
  }

  #canBe(node: ModuleNode<L>, value: ModuleValue): boolean {
    if (value.kind === "unknown") return true;
    if (value.kind === "container") return this.#holds(node, value.members);
    const definitions = this.#named.get(value.by.callee);
    if (definitions) return definitions.some((definition) => this.#fits(node, definition));
    return !isWeightClass(value.by) || node.children.size === 0;
  }

  /** Notes what the members of a module, being an instance of a definition, say of the modules under it. */
  #constrain(node: ModuleNode<L>, members: Members): void {
    for (const [key, child] of node.children) {
      for (const value of memberValues(members, key) ?? []) {
        if (value.kind === "container") {
          this.#constrain(child, value.members);
        } else {
          const definitions = value.kind === "made" ? this.#named.get(value.by.callee) : undefined;
          this.#allow(child, definitions);
        }
      }
    }
  }

  #allow(node: ModuleNode<L>, definitions: readonly Definition[] | undefined): void {
    const before = this.#allowed.get(node);
    if (before === null) return;
    this.#allowed.set(node, definitions ? new Set([...(before ?? []), ...definitions]) : null);
  }

  #withInherited(definition: Definition): Members {
    const family = this.#families.get(definition)!;
    const named = new Map(family.toReversed().flatMap(({ members }) => [...members.named]));
    const unseen = family.some(({ bases }) => bases.some((base) => !PLAIN_BASES.has(base) && !this.#named.has(base)));
    return {
      named,
      repeated: definition.members.repeated,
      open: unseen || family.some(({ members }) => members.open),
    };
  }

  #family(definition: Definition): Definition[] {
    const found = new Set([definition]);
    // A set that grows while it is read is read to its end; a class that inherits from itself is there already.
    for (const { bases } of found) {
      for (const base of bases) for (const one of this.#named.get(base) ?? []) found.add(one);
    }
    return [...found];
  }
}
