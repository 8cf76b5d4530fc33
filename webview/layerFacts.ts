import type { LayerReport } from "../src/report";
import { withSubscripts } from "./legend";

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
const thousands = (value: number): string => value.toLocaleString("en-US");

/** What the table has no room for, as terms and values. */
export function layerFacts(layer: LayerReport): [term: string, value: string][] {
  const { kS, kT, inputEnergy, outputEnergy, fragility, macs, nodes, groups } = layer;
  const facts: [string, string][] = [["Weight", `${layer.rows}×${layer.columns}${groups > 1 ? ` in each of ${groups} groups` : ""}`]];
  if (kS !== null) facts.push(["Input directions, k_S", kept(kS, layer.columns, inputEnergy, fragility?.kS)]);
  if (kT !== null) facts.push(["Output directions, k_T", kept(kT, layer.rows, outputEnergy, fragility?.kT)]);
  facts.push(["Stable rank", layer.stableRank.toFixed(1)]);
  if (macs.before !== null) {
    const after = macs.after === null || macs.after === macs.before ? "" : ` → ${thousands(macs.after)}`;
    facts.push(["MACs per sample", `${thousands(macs.before)}${after}`]);
  }
  if (nodes.length > 1) facts.push(["Shared by", `${nodes.length} nodes`]);
  const { outcome } = layer;
  facts.push(["Outcome", outcome.kind === "decomposed" ? `two layers of rank ${outcome.rank}` : `kept: ${outcome.reason}`]);
  return facts;
} // prettier-ignore

function kept(k: number, full: number, energy: number | null, band: readonly number[] | undefined): string {
  const share = energy === null ? "" : `, ${percent(energy)} of the energy`;
  const range = !band || band[0] === band[1] ? "" : ` (${band[0]}–${band[1]} with one sample more or less)`;
  return `${k} of ${full}${share}${range}`;
}

/** Replaces the content of a definition list. Names and reasons only ever become text. */
export function showFacts(list: HTMLElement, facts: readonly (readonly [string, string])[]): void {
  list.replaceChildren(
    ...facts.map(([term, value]) => {
      const entry = document.createElement("div");
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.append(...withSubscripts(term));
      dd.textContent = value;
      entry.append(dt, dd);
      return entry;
    }),
  );
}
