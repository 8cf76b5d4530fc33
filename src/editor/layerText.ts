import { l10n } from "vscode";
import type { LayerReport } from "../report";
import type { NamedPlace } from "../sourceNames/findLayers";
import { sizeText } from "../text/layer";
import { visible } from "../text/names";
import { percent, thousands } from "../text/numbers";
import type { AnalyzedModel } from "./analyzedModels";
import { showLayerLink } from "./showLayer";

type Place = NamedPlace<LayerReport>;

/** Layers that a hover lists by name; it says how many more there are. */
const MOST_LISTED = 24;

/** Text of any origin as Markdown that shows it as it is: nothing in it is a link, an element or a list. */
export function escapedMarkdown(text: string): string {
  return visible(text)
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[!-/:-@[-`{-~]/g, "\\$&");
}

/**
 * What a hover says of a place, in Markdown. All that comes from reports is escaped; the only links are to the command
 * that shows a layer.
 */
export function hoverMarkdown({ layers }: Place, models: readonly AnalyzedModel[]): string {
  const parts = models.flatMap((model, i) => {
    const [layer, ...more] = layers[i];
    if (!layer) return [];
    return [more.length === 0 ? layerMarkdown(model, layer) : candidatesMarkdown(model, layers[i])];
  });
  return parts.join("\n\n---\n\n");
}

function layerMarkdown({ modelUri, modelName }: AnalyzedModel, layer: LayerReport): string {
  const title = `**${escapedMarkdown(layer.name)}** · ${escapedMarkdown(modelName)}`;
  const link = `[${l10n.t("Show in RankLens")}](${showLayerLink(modelUri, layer.name)})`;
  const facts = [`${escapedMarkdown(layer.op)} ${sizeText(layer)}`, rankText(layer), savingsText(layer)];
  return [title, facts.map((fact) => `- ${fact}`).join("\n"), link].join("\n\n");
}

function rankText(layer: LayerReport): string {
  const { utilizedRank, utilization, weightRank } = layer;
  const largest = Math.min(layer.rows, layer.columns);
  return utilizedRank === null
    ? l10n.t("Weight rank {0} of {1}; the utilized rank was not measured", weightRank, largest)
    : l10n.t("Utilized rank {0} of {1}, utilization {2}", utilizedRank, largest, percent(utilization));
}

function savingsText({ parameters, outcome }: LayerReport): string {
  const before = thousands(parameters.before);
  if (outcome.kind === "kept") {
    return l10n.t("Parameters {0}, kept: {1}", before, escapedMarkdown(outcome.reason));
  }
  const { after } = parameters;
  if (after === null || parameters.before === 0) return l10n.t("Parameters {0}", before);
  const saved = percent(1 - after / parameters.before);
  return l10n.t("Parameters {0} → {1} ({2} saved), as two layers of rank {3}", before, thousands(after), saved, outcome.rank); // prettier-ignore
}

/** Where the name may be several layers', none is said to be it. */
function candidatesMarkdown({ modelUri, modelName }: AnalyzedModel, layers: readonly LayerReport[]): string {
  const links = layers
    .slice(0, MOST_LISTED)
    .map(({ name }) => `[${escapedMarkdown(name)}](${showLayerLink(modelUri, name)})`)
    .join(", ");
  const model = escapedMarkdown(modelName);
  return layers.length > MOST_LISTED
    ? l10n.t("In {0} this could be {1} and {2} more.", model, links, layers.length - MOST_LISTED)
    : l10n.t("In {0} this could be {1}.", model, links);
}

/**
 * The text of the hint at a place, or null where there is none: where a layer is only used in passing, and where it is not
 * clear which layer it is.
 */
export function hintText({ names, layers }: Place, models: readonly AnalyzedModel[]): string | null {
  if (names === "use") return null;
  const clear = models.flatMap(({ modelName }, i) => {
    const [layer, ...more] = layers[i];
    return layer && more.length === 0 ? [{ rank: shortRank(layer), modelName }] : [];
  });
  if (clear.length === 0) return null;
  if (clear.length === 1) return clear[0].rank;
  return clear.map(({ rank, modelName }) => `${rank} (${visible(modelName)})`).join(", ");
}

function shortRank({ utilizedRank, weightRank, rows, columns }: LayerReport): string {
  const largest = Math.min(rows, columns);
  return utilizedRank === null
    ? l10n.t("weight rank {0}/{1}", weightRank, largest)
    : l10n.t("rank {0}/{1}", utilizedRank, largest);
}
