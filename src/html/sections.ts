import type { ModelReport } from "../report";
import { isError } from "../text/accuracy";
import { measurement } from "../text/measurement";
import { elapsed, percent, thousands } from "../text/numbers";
import { REPORT_WORDS } from "../text/reportWords";
import { bar } from "./bar";
import { markup, nameMarkup, type Markup } from "./markup";

export const PAPER = "https://arxiv.org/abs/2407.04797";

export function warnings({ warnings: texts }: ModelReport): Markup | null {
  if (texts.length === 0) return null;
  const title = texts.length === 1 ? "Warning" : `${texts.length} warnings`;
  return markup`<section class="warnings" aria-labelledby="warnings-title">
<h2 id="warnings-title">${title}</h2>
<ul>${texts.map((text) => markup`<li>${text}</li>`)}</ul>
</section>`;
}

/** How the numbers came about, as terms and values. */
export function setup(report: ModelReport): Markup {
  const terms = measurement(report, REPORT_WORDS);
  return markup`<dl class="setup">${terms.map(([term, value]) => markup`
<div><dt>${term}</dt><dd>${value}</dd></div>`)}
</dl>`;
} // prettier-ignore

/** Nodes listed openly; more are folded away. */
const MOST_OPEN = 12;

export function skippedNodes({ skipped }: ModelReport): Markup {
  if (skipped.length === 0) return markup`<p>None: every constant weight of the model is analysed.</p>`;
  const rows = skipped.map(
    ({ name, op, reason }) => markup`
<tr><th scope="row" class="name">${nameMarkup(name)}</th><td>${op}</td><td class="reason">${reason}</td></tr>`,
  );
  return markup`<details${skipped.length > MOST_OPEN ? null : markup` open`}>
<summary>${thousands(skipped.length)} ${skipped.length === 1 ? "node is" : "nodes are"} not analysed</summary>
<div class="scroll" role="region" aria-labelledby="skipped-title" tabindex="0">
<table class="plain">
<thead><tr><th scope="col">node</th><th scope="col">op</th><th scope="col">reason</th></tr></thead>
<tbody>${rows}
</tbody>
</table>
</div>
</details>`;
}

export function stages({ cost }: ModelReport): Markup | null {
  const entries = Object.entries(cost.stages);
  if (entries.length === 0) return null;
  const total = Math.max(cost.seconds, ...entries.map(([, value]) => value), Number.MIN_VALUE);
  const rows = entries.map(
    ([stage, value]) => markup`
<tr><th scope="row">${stage}</th><td class="bar">${bar(value / total)}</td><td class="number">${elapsed(value)}</td><td class="number">${percent(value / total, 0)}</td></tr>`,
  );
  return markup`<table class="stages" aria-labelledby="cost-title">
<thead><tr><th scope="col">stage</th><th scope="col"><span class="hidden">share as a bar</span></th><th scope="col" class="number">time</th><th scope="col" class="number">share</th></tr></thead>
<tbody>${rows}
</tbody>
<tfoot><tr><th scope="row">all</th><td></td><td class="number">${elapsed(cost.seconds)}</td><td></td></tr></tfoot>
</table>`;
}

/** Terms that the page uses, for whoever is sent it. */
export function howToRead({ settings, accuracy }: ModelReport): Markup {
  const [measured, advice] = isError(accuracy.metric)
    ? ["relative output error", "How far the output of the whole model moves on the validation data, ‖Y − Y′‖² / ‖Y‖²: less is better. The tolerance holds for each projection of each layer, tried alone, and the errors add up."]
    : ["accuracy", "The tolerance holds for each projection of each layer, tried alone. The drops add up: read the accuracy of the whole model before you use a smaller one."]; // prettier-ignore
  const data = markup`
<div><dt>rank</dt><dd>min(k<sub>S</sub>, k<sub>T</sub>): how many directions of a layer’s input (k<sub>S</sub>) and of its output (k<sub>T</sub>) the model needs on this data. A small band below it shows where the rank would be with one right answer more or less.</dd></div>
<div><dt>used</dt><dd>rank / min(m, d) for a layer with m outputs and d inputs. Its mean over the layers is the mean layer utilization (MLU). The mark on a bar is the same by the weights alone.</dd></div>
<div><dt>output error</dt><dd>How far the layer’s output moves on the calibration data, relative and exact. The error bound is the paper’s upper bound, often far above it.</dd></div>
<div><dt>parameters</dt><dd>A layer becomes two, d → rank → m, where that is smaller. Otherwise it is kept.</dd></div>
<div><dt>${measured}</dt><dd>${advice}</dd></div>`;
  return markup`<dl class="terms">
<div><dt>weight rank</dt><dd>Singular values that hold 99.99% of the energy of the weights. It is nearly always close to full, even where the data uses little of it.</dd></div>${
    settings.ranks === "none"
      ? markup`
<div><dt>stable rank</dt><dd>‖W‖²<sub>F</sub> / ‖W‖²<sub>2</sub>: small where a few directions hold most of the energy.</dd></div>`
      : data
  }
</dl>
<p>The method: <a href="${PAPER}" rel="noreferrer">Revealing the Utilized Rank of Subspaces of Learning in Neural Networks</a>, Garg et al., 2024 (arXiv 2407.04797).</p>`;
}
