import { createHash } from "node:crypto";
import type { LayerReport, ModelReport } from "../report";
import { isError } from "../text/accuracy";
import { fileName, visible } from "../text/names";
import { pageScript, pageStyle } from "./assets.generated";
import { figures } from "./figures";
import { layerTable } from "./layerTable";
import { embeddedJson, markup, nameMarkup, trusted, type Markup } from "./markup";
import { howToRead, setup, skippedNodes, stages, warnings } from "./sections";

/** The report as one HTML page that needs no network, no other file and no permission but to run its own script. */
export function reportHtml(report: ModelReport): string {
  const title = fileName(report.model.path);
  return `${
    markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title} – RankLens</title>
<style>${trusted(pageStyle)}</style>
</head>
<body>
<header>
<p class="eyebrow">RankLens report</p>
<h1>${nameMarkup(title)}</h1>
<p class="lede">${lede(report)}</p>
</header>
<main>
${figures(report)}
${warnings(report)}
${layersSections(report)}
${section("setup", "How this was measured", setup(report))}
${costSection(report)}
${section("skipped", "Not analysed", skippedNodes(report))}
${section("reading", "How to read the numbers", howToRead(report))}
</main>
<footer><p>Written by RankLens. This file holds everything it shows and fetches nothing.</p></footer>
<script type="application/json" id="report">${trusted(embeddedJson(pageData(report)))}</script>
<script>${trusted(pageScript)}</script>
</body>
</html>`.text
  }\n`;
}

/** Nothing may load or run but the style and the script that are written into the page. */
function policy(): string {
  return [
    "default-src 'none'",
    `script-src '${hashed(pageScript)}'`,
    `style-src '${hashed(pageStyle)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

function hashed(text: string): string {
  return `sha256-${createHash("sha256").update(text, "utf8").digest("base64")}`;
}

function section(id: string, title: string, content: Markup | readonly Markup[]): Markup {
  return markup`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${content}
</section>`;
}

/** All of the layers, and one of them; nothing where there are none. */
function layersSections(report: ModelReport): readonly (Markup | null)[] {
  if (report.layers.length === 0) return [];
  return [
    section("snapshot", "Utilization snapshot", snapshotFigure(report)),
    section("layers", "Layers", [
      markup`<p class="hint" data-script hidden>Click a header to sort, a layer to see its spectra below.</p>`,
      layerTable(report),
    ]),
    layerSection(report),
  ];
}

function costSection(report: ModelReport): Markup | null {
  const table = stages(report);
  return table && section("cost", "Cost by stage", table);
}

function lede({ totals, settings, layers }: ModelReport): string {
  if (layers.length === 0) return "No layer of this model can be analysed.";
  const count = `${layers.length} ${layers.length === 1 ? "layer" : "layers"}`;
  if (settings.ranks === "none" || totals.mlu === null) return `The rank of the weights of ${count}, without data.`;
  return `How much of ${count} is really used on the data.`;
}

function snapshotFigure({ settings }: ModelReport): Markup {
  const what =
    settings.ranks === "none"
      ? "The rank that the weights of each layer have, of the largest that they could have."
      : "For each layer: the largest rank that it could have, the rank of its weights, and the rank that the data uses.";
  return markup`<figure>
<figcaption>${what}</figcaption>
<noscript><p class="hint">The charts need JavaScript. Every number of this one is in the table below.</p></noscript>
${chart("snapshot-chart", true)}
</figure>`;
}

function chart(id: string, wide: boolean): Markup {
  return markup`<div class="${wide ? "chart wide" : "chart"}" data-script hidden>
<ul class="legend" id="${id}-legend"></ul>
<div class="canvas"><canvas id="${id}" role="img"></canvas></div>
</div>`;
}

/** Filled by the script for the layer that is chosen. */
function layerSection({ layers, accuracy }: ModelReport): Markup {
  const errors = isError(accuracy.metric);
  const [searched, failed] = errors ? ["error of the model’s output", "too large"] : ["accuracy", "too few right"];
  const options = layers.map(({ name }, i) => markup`<option value="${i}">${i + 1}  ${name}</option>`);
  return markup`<section id="layer" aria-labelledby="layer-title" data-script hidden>
<h2 id="layer-title">One layer</h2>
<p class="controls"><label for="layer-choice">Layer</label> <select id="layer-choice">${options}</select>
<button type="button" id="layer-previous">Previous</button> <button type="button" id="layer-next">Next</button></p>
<h3 id="layer-name" aria-live="polite"></h3>
<dl class="setup" id="layer-facts"></dl>
<div class="pair">
<figure><figcaption>Energy held by the first k directions</figcaption>${chart("spectra-chart", false)}</figure>
<figure id="search-figure"><figcaption>The rank search: ${searched} with this layer alone changed; filled: enough, hollow: ${failed}</figcaption>${chart("search-chart", false)}</figure>
</div>
</section>`;
}

/** Digits kept of a spectrum: more than any screen can show. */
const SPECTRUM_DIGITS = 6;

/** What the charts draw. Paths stay out of the page. */
export function pageData({ layers, accuracy, settings }: ModelReport): unknown {
  const { tolerance, baseline } = settings;
  return { layers: layers.map(drawn), accuracy, settings: { tolerance, baseline } };
}

function drawn(layer: LayerReport): LayerReport {
  const round = (values: readonly number[]): number[] => values.map((value) => Number(value.toPrecision(SPECTRUM_DIGITS)));
  const { input, weightOnInput, output, weight, projected } = layer.spectra;
  return {
    ...layer,
    name: visible(layer.name),
    spectra: {
      input: input && round(input),
      weightOnInput: weightOnInput && round(weightOnInput),
      output: output && round(output),
      weight: round(weight),
      projected: projected && round(projected),
    },
  };
} // prettier-ignore
