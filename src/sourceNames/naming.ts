import { ANY_INDEX } from "./modulePath";

/** One step of a path in a source, and where it is written. */
export interface Component {
  /** An attribute's name, an index, or {@link ANY_INDEX} where the index is not written out. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** The call that makes a module: `nn.Conv2d(3, 64, kernel_size=3)`. */
export interface Construction {
  /** Without what it is imported from: `Conv2d`. */
  readonly callee: string;
  /** Whole numbers among the arguments, by position or keyword. */
  readonly numbers: ReadonlyMap<number | string, number>;
}

/** What a source says of a module: made by a call, a container of modules, or not told. */
export type ModuleValue =
  | { readonly kind: "made"; readonly by: Construction }
  | { readonly kind: "container"; readonly members: Members }
  | { readonly kind: "unknown" };

/** The modules of a container, or of a class's instances. */
export interface Members {
  /** By attribute, key or index. Several values where the source has branches. */
  readonly named: Map<string, ModuleValue[]>;
  /** What all further indices hold (comprehensions); empty where there are none. */
  readonly repeated: ModuleValue[];
  /** Whether there may be members that this source does not show. */
  open: boolean;
}

/** A class, a function that returns a container, or a container on its own. */
export interface Definition {
  /** By which other modules call it. */
  readonly name: string | null;
  /** Names of base classes. */
  readonly bases: readonly string[];
  readonly members: Members;
}

/** A place in a source that may name a layer. */
export type Naming =
  | {
      /** A path from an instance of `owner`: an attribute being set (`defines`), or one being used. */
      readonly kind: "member";
      readonly owner: Definition;
      readonly components: readonly Component[];
      readonly defines: boolean;
      readonly values: readonly ModuleValue[];
    }
  | {
      /** A path from some object: `model.fc1.weight`. */
      readonly kind: "chain";
      /** The variable, or null for another expression. */
      readonly base: string | null;
      readonly components: readonly Component[];
      readonly defines: boolean;
      readonly values: readonly ModuleValue[];
    }
  | {
      readonly kind: "quoted";
      readonly text: string;
      readonly from: number;
      readonly to: number;
      /** Whether a name stands here whatever it looks like (`name="dense_1"`): a bare word counts only then. */
      readonly expected: boolean;
      /** Whether something precedes it: `prefix + "conv1.weight"`. */
      readonly partial: boolean;
    };

export type MemberNaming = Extract<Naming, { kind: "member" }>;
export type ChainNaming = Extract<Naming, { kind: "chain" }>;
export type QuotedNaming = Extract<Naming, { kind: "quoted" }>;

/** What a source defines and names. */
export interface Reading {
  readonly definitions: readonly Definition[];
  readonly namings: readonly Naming[];
}

export function noMembers(): Members {
  return { named: new Map(), repeated: [], open: false };
}

/** The values of one member; undefined where the source shows that there is none of that name. */
export function memberValues({ named, repeated, open }: Members, key: string): readonly ModuleValue[] | undefined {
  const values = named.get(key);
  if (values) return values;
  if (repeated.length > 0 && /^\d+$/.test(key)) return repeated;
  return open ? [] : undefined;
}

export function anyIndex(at: { from: number; to: number }): Component {
  return { name: ANY_INDEX, from: at.from, to: at.to };
}
