import { couldBe } from "./construction";
import { readJavaScript } from "./javascript";
import { layersAt, type LayerIndex, type NamedLayer } from "./layerIndex";
import { ANY_INDEX, holdsModel, isIndex, isParameter, modulePath, unwrapped, type ModulePath } from "./modulePath";
import type { ChainNaming, Component, MemberNaming, Naming, QuotedNaming } from "./naming";
import { placeDefinitions, type Places } from "./placement";
import { readPython } from "./python";
import type { Source } from "./source";

/** A place in a source that names a layer. */
export interface NamedPlace<L> {
  /** Offsets of the name in the text. */
  readonly from: number;
  readonly to: number;
  /** Whether the layer is defined here, or named for what it is; elsewhere it is used in passing. */
  readonly names: "definition" | "name" | "use";
  /**
   * For each model the layers that it may be, in the model's order: one where the name is clear, several where it is not,
   * none where the model has no such layer. Some model has one.
   */
  readonly layers: readonly (readonly L[])[];
}

/**
 * The places of a source that name layers of the models, in the order of the text. A name is a path of attributes, matched
 * component by component with the end of a layer's path; what the source tells beyond it (the class that an attribute
 * belongs to, operators and sizes) rules out layers. Never throws, whatever the text or the layers' names.
 */
export function findNamedLayers<L extends NamedLayer>(
  source: Source,
  models: readonly LayerIndex<L>[],
): NamedPlace<L>[] {
  const { definitions, namings } = read(source);
  const resolver = new Resolver(
    models,
    models.map((model) => placeDefinitions(definitions, model)),
  );
  const places = new Map<string, NamedPlace<L>>();
  for (const naming of namings) {
    const place = resolver.resolve(naming);
    const key = place ? `${place.from} ${place.to}` : "";
    if (place && !places.has(key)) places.set(key, { ...place, layers: place.layers.map(inOrder) });
  }
  return [...places.values()].sort((a, b) => a.from - b.from || a.to - b.to);

  function inOrder(layers: readonly L[], model: number): readonly L[] {
    const { order } = models[model];
    return [...layers].sort((a, b) => order.get(a)! - order.get(b)!);
  }
}

/** Nothing of a source nested so deep that the reading of its tree fails: lezer counts in 16 bits there. */
function read(source: Source): ReturnType<typeof readPython> {
  try {
    return source.language === "python" ? readPython(source) : readJavaScript(source);
  } catch {
    return { definitions: [], namings: [] };
  }
}

type PerModel<L> = readonly (readonly L[])[];

class Resolver<L extends NamedLayer> {
  readonly #lastComponents: ReadonlySet<string>;

  constructor(
    private readonly models: readonly LayerIndex<L>[],
    private readonly places: readonly Places<L>[],
  ) {
    this.#lastComponents = new Set(models.flatMap(({ lastComponents }) => [...lastComponents]));
  }

  resolve(naming: Naming): NamedPlace<L> | null {
    switch (naming.kind) {
      case "quoted":
        return this.#quoted(naming);
      case "member":
        return this.#member(naming);
      case "chain":
        return this.#chain(naming);
    }
  }

  #quoted({ text, from, to, expected, partial }: QuotedNaming): NamedPlace<L> | null {
    const path = modulePath(text);
    const bare = path?.length === 1 && path[0] === text && !expected;
    const ends = path && !bare ? [path, unwrapped(path)] : [];
    const whole = partial ? [] : ends;
    const layers = this.#first([
      // Exporters differ in how they call the same layer: its path is as good as its name.
      (model) => (partial ? [] : [...new Set([...model.called(text), ...this.#at(whole.at(0) ?? null)(model)])]),
      ...whole.slice(1).map((one) => this.#at(one)),
      ...ends.map((one) => this.#ending(one)),
    ]);
    return layers && { from, to, names: "name", layers };
  }

  #member(naming: MemberNaming): NamedPlace<L> | null {
    const { owner, components, defines, values } = naming;
    if (this.places.every((places) => !places.has(owner))) {
      // The model is not made of this class as it stands: what is set is looked for by its name alone.
      return this.#chain({ ...naming, kind: "chain", base: null });
    }
    const at = (path: ModulePath): PerModel<L> =>
      this.places.map((places) => {
        const found = new Set<L>();
        for (const node of places.get(owner) ?? []) for (const layer of layersAt(node, path)) found.add(layer);
        return [...found].filter((layer) => values.length === 0 || values.some((value) => couldBe(value, layer)));
      });
    return this.#longest(components, defines, () => true, at);
  }

  #chain({ base, components, defines, values }: ChainNaming): NamedPlace<L> | null {
    const rooted = base !== null && holdsModel(base);
    const fits = (layer: L): boolean => values.length === 0 || values.some((value) => couldBe(value, layer));
    const find = (path: ModulePath): PerModel<L> | null => {
      const inner = unwrapped(path);
      return this.#first(
        [...(rooted ? [this.#at(path)] : []), this.#at(inner), this.#ending(path), this.#ending(inner)],
        fits,
      );
    };
    // `F.linear` or `args.fc` are no layers, whatever a layer is called.
    const made = defines && values.some((value) => value.kind === "made" && /^[A-Z]/.test(value.by.callee));
    const clear = (length: number): boolean => made || length > 1 || isWeight(components[length]);
    return this.#longest(components, defines, clear, find);
  }

  /** The longest beginning of the path that is a layer; the whole path where the layer is defined there. */
  #longest(
    components: readonly Component[],
    defines: boolean,
    clear: (length: number) => boolean,
    find: (path: ModulePath) => PerModel<L> | null,
  ): NamedPlace<L> | null {
    const path = components.map(({ name }) => name);
    const shortest = defines ? path.length : 1;
    for (let length = path.length; length >= shortest; length--) {
      // Most attributes are no layer's: this is what makes long files fast.
      const last = path[length - 1];
      if (last !== ANY_INDEX && !this.#lastComponents.has(last)) continue;
      const layers = clear(length) ? find(path.slice(0, length)) : null;
      if (!layers?.some((found) => found.length > 0)) continue;
      const next = components.at(length);
      const { from, to } = components[length - 1];
      const named = !defines && isWeight(next);
      return { from, to: named ? next.to : to, names: named ? "name" : defines ? "definition" : "use", layers };
    }
    return null;
  }

  /** What the first search that finds anything finds, in all models: a better match in one rules out worse ones elsewhere. */
  #first(
    searches: readonly ((model: LayerIndex<L>) => readonly L[])[],
    fits: (layer: L) => boolean = () => true,
  ): PerModel<L> | null {
    for (const search of searches) {
      const layers = this.models.map((model) => search(model).filter(fits));
      if (layers.some((found) => found.length > 0)) return layers;
    }
    return null;
  }

  #at(path: ModulePath | null): (model: LayerIndex<L>) => readonly L[] {
    return ({ root }) => (path ? layersAt(root, path) : []);
  }

  #ending(path: ModulePath | null): (model: LayerIndex<L>) => readonly L[] {
    return ({ endingWith }) => (path && !path.every(isIndex) ? endingWith(path) : []);
  }
}

function isWeight(component: Component | undefined): component is Component {
  return component !== undefined && isParameter(component.name);
}
