import { gramKey, type Layer } from "../layers/layer";
import type { GramMatrices } from "../runtime/gramGraph";
import type { FoundRanks } from "./layerReport";
import type { KeptResults } from "./kept";

/**
 * Gram matrices of `layers`: those that are kept, and the others by `calibrate`, which are kept from then on if `worth` says
 * so.
 */
export async function gramsOf(
  layers: readonly Layer[],
  kept: KeptResults | null,
  calibrate: (layers: readonly Layer[]) => Promise<Map<string, GramMatrices>>,
  worth: () => boolean,
): Promise<Map<string, GramMatrices>> {
  const grams = new Map<string, GramMatrices>();
  for (const layer of layers) {
    const known = grams.has(gramKey(layer)) ? null : kept?.grams(layer);
    if (known) grams.set(gramKey(layer), known);
  }
  const missing = layers.filter((layer) => !grams.has(gramKey(layer)));
  if (kept) kept.recalled.calibrated += layers.length - missing.length;
  if (missing.length === 0) return grams;
  for (const [key, matrices] of await calibrate(missing)) grams.set(key, matrices);
  if (!worth()) return grams;
  const unkept = new Map(missing.map((layer) => [gramKey(layer), layer]));
  for (const [key, layer] of unkept) kept?.keepGrams(layer, grams.get(key)!);
  return grams;
}

/** Ranks of a layer: those that are kept, else by `search`. */
export async function ranksOf(
  layer: Layer,
  kept: KeptResults | null,
  search: () => Promise<FoundRanks>,
): Promise<FoundRanks> {
  const known = kept?.ranks(layer);
  if (known) return known;
  const ranks = await search();
  kept?.keepRanks(layer, ranks);
  return ranks;
}
