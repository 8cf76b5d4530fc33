import { readFileSync } from "node:fs";
import path from "node:path";
import { findNamedLayers } from "../../src/sourceNames/findLayers";
import { indexLayers, type NamedLayer } from "../../src/sourceNames/layerIndex";
import { parseSource, type SourceLanguage } from "../../src/sourceNames/source";

/** A layer as the report of a PyTorch model has it: `["fc.weight", "/fc/Gemm"]`, or the weight's name alone. */
export function namedLayer(names: string | readonly [string, string], change: Partial<NamedLayer> = {}): NamedLayer {
  const [name, node] = typeof names === "string" ? [names, ""] : names;
  const op = /conv|downsample|patch_embed/i.test(name) ? "Conv" : "Gemm";
  return { name, nodes: [node], initializer: name, op, groups: 1, rows: 8, columns: 12, ...change };
}

export function sample(name: string): string {
  return readFileSync(path.join(import.meta.dirname, "samples", name), "utf8");
}

/** Names in a text, as `line: text [kind] → layers`, the models separated by `|`. */
export function placesIn(
  text: string,
  models: readonly (readonly NamedLayer[])[],
  language: SourceLanguage = "python",
): string[] {
  return findNamedLayers(parseSource(language, text), models.map(indexLayers)).map(({ from, to, names, layers }) => {
    const line = text.slice(0, from).split("\n").length;
    const found = layers.map((model) => model.map(({ name }) => name).join(", ")).join(" | ");
    return `${line}: ${text.slice(from, to)} [${names}] → ${found}`;
  });
}
