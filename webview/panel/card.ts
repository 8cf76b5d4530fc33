import { byteSize, short, thousands } from "../../src/text/numbers";
import { visible } from "../../src/text/names";
import { fill } from "../../src/text/template";
import { whenChanged, type Context, type View } from "./context";
import { element, freshId } from "./dom";
import { nameText } from "./shapes";
import { openedModel, type Opened } from "./state";

type Inspection = Opened["inspection"];

/** What the file says of itself: sizes, versions, inputs and outputs. */
export function modelCard({ strings }: Context): View {
  const title = element("h2", { class: "hidden", id: freshId() }, strings.modelFacts);
  const facts = element("dl", { class: "setup card" });
  const section = element("section", { "aria-labelledby": title.id, hidden: true, "data-testid": "model-card" }, title, facts); // prettier-ignore
  const show = whenChanged((inspection: Inspection | null) => {
    section.hidden = inspection === null;
    if (inspection === null) return;
    const { model, layers, inputs, outputs } = inspection;
    facts.replaceChildren(
      fact(strings.modelParameters, thousands(model.parameters)),
      fact(strings.modelMacs, macsText(layers, strings)),
      fact(strings.size, byteSize(model.bytes)),
      fact(strings.analysableLayers, thousands(layers.length)),
      fact(strings.producer, visible(model.producer) || strings.unknownProducer),
      fact(strings.opset, opsetText(model.opsets)),
      fact(strings.irVersion, String(model.irVersion)),
      values(strings.inputs, inputs, strings),
      values(strings.outputs, outputs, strings),
    );
  });
  return { element: section, show: (state) => show(openedModel(state)) };
}

function fact(term: string, value: string): HTMLElement {
  return element("div", {}, element("dt", {}, term), element("dd", {}, value));
}

/** Of the layers whose shapes the graph tells; of the others there is no number. */
function macsText(layers: Inspection["layers"], strings: Context["strings"]): string {
  const known = layers.flatMap(({ macs }) => (macs === null ? [] : [macs]));
  if (known.length === 0) return strings.unknown;
  const total = short(known.reduce((sum, macs) => sum + macs, 0));
  return known.length === layers.length ? total : fill(strings.atLeast, total);
}

function opsetText(opsets: Inspection["model"]["opsets"]): string {
  const named = Object.entries(opsets).map(([domain, version]) => (domain === "" ? String(version) : `${visible(domain)} ${version}`));
  return named.join(", ") || "–";
} // prettier-ignore

function values(term: string, all: Inspection["inputs"], strings: Context["strings"]): HTMLElement {
  const items = all.map(({ name, type, shape }) => {
    const dims = shape === null ? strings.unknownShape : `[${shape.map((dim) => visible(String(dim ?? "?"))).join(", ")}]`;
    return element("dd", {}, element("div", { class: "contained" }, element("code", {}, nameText(name)), ` ${type ?? "?"} ${dims}`));
  }); // prettier-ignore
  const shown = items.length > 0 ? items : [element("dd", {}, strings.none)];
  return element("div", { class: "values" }, element("dt", {}, term), ...shown);
}
