import type { LayerReport } from "../report";
import { ANY_INDEX, endsWith, isIndex, modulePath, type ModulePath } from "./modulePath";

/** What names a layer, and what it must be to be the one that a source defines. */
export interface NamedLayer extends Readonly<
  Pick<LayerReport, "name" | "initializer" | "op" | "groups" | "rows" | "columns">
> {
  readonly nodes: readonly string[];
}

/** A module of the model, as far as the names of its layers tell: what lies under it, and the layers that are itself. */
export interface ModuleNode<L> {
  readonly children: Map<string, ModuleNode<L>>;
  readonly layers: L[];
}

/** The layers of one model by all names that a source may use. */
export interface LayerIndex<L> {
  readonly root: ModuleNode<L>;
  /** Each layer's place in the model. */
  readonly order: ReadonlyMap<L, number>;
  /** The last components of all paths. */
  readonly lastComponents: ReadonlySet<string>;
  /** Layers whose name, weight or node is called exactly so. */
  readonly called: (name: string) => readonly L[];
  /** Layers whose path ends so; none for a path of indices alone. */
  readonly endingWith: (suffix: ModulePath) => readonly L[];
}

/** @param layers of one model; their names are untrusted. */
export function indexLayers<L extends NamedLayer>(layers: readonly L[]): LayerIndex<L> {
  const root = moduleNode<L>();
  const names = new Map<string, L[]>();
  const byLast = new Map<string, { path: ModulePath; layer: L }[]>();
  for (const layer of layers) {
    for (const name of new Set([layer.name, layer.initializer, ...layer.nodes])) {
      if (name !== "") entry(names, name, () => []).push(layer);
    }
    for (const path of pathsOf(layer)) {
      moduleAt(root, path).layers.push(layer);
      entry(byLast, path[path.length - 1], () => []).push({ path, layer });
    }
  }
  return {
    root,
    order: new Map(layers.map((layer, i) => [layer, i])),
    lastComponents: new Set(byLast.keys()),
    called: (name) => names.get(name) ?? [],
    endingWith: (suffix) => {
      if (suffix.every(isIndex)) return [];
      const last = suffix[suffix.length - 1];
      const candidates = last === ANY_INDEX ? [...byLast.values()].flat() : (byLast.get(last) ?? []);
      const found = candidates.filter(({ path }) => endsWith(path, suffix));
      return [...new Set(found.map(({ layer }) => layer))];
    },
  };
}

/**
 * The module of the weight's name, and those of the nodes that apply it: a weight may be shared by modules, and where it
 * is no module's `weight` (a buffer, say) the node tells the module.
 */
function pathsOf({ name, nodes }: NamedLayer): ModulePath[] {
  const paths = new Map<string, ModulePath>();
  for (const one of [name, ...nodes.filter((node) => node.includes("/"))]) {
    const path = modulePath(one);
    if (path) paths.set(path.join("/"), path);
  }
  return [...paths.values()];
}

/** The layers at a path under `node`; {@link ANY_INDEX} in it stands for any index. */
export function layersAt<L>(node: ModuleNode<L>, path: ModulePath): readonly L[] {
  let reached: ModuleNode<L> | undefined = node;
  for (const [i, part] of path.entries()) {
    if (part === ANY_INDEX) {
      const rest = path.slice(i + 1);
      const indexed = [...reached.children].filter(([key]) => isIndex(key));
      return [...new Set(indexed.flatMap(([, child]) => layersAt(child, rest)))];
    }
    reached = reached.children.get(part);
    if (!reached) return [];
  }
  return reached.layers;
}

function moduleNode<L>(): ModuleNode<L> {
  return { children: new Map(), layers: [] };
}

function moduleAt<L>(root: ModuleNode<L>, path: ModulePath): ModuleNode<L> {
  return path.reduce((node, part) => entry(node.children, part, moduleNode<L>), root);
}

/** The map's value for the key, made where there is none. */
export function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
