import type { PanelReport, PanelStrings } from "../../src/editor/panelProtocol";
import { headline, type Figure } from "../../src/text/headline";
import { measurement } from "../../src/text/measurement";
import { visible } from "../../src/text/names";
import { counted } from "../../src/text/template";
import { showFacts } from "../facts";
import { whenChanged, type Context, type View } from "./context";
import { element, freshId } from "./dom";
import { bar, change, noteText } from "./shapes";
import { shownReport } from "./state";

/** The headline of a report, and its warnings. */
export function resultsView(context: Context): View {
  const { strings } = context;
  const title = element("h2", { class: "hidden", id: freshId() }, strings.results);
  const figures = element("dl", { class: "figures", "data-testid": "figures" });
  const warningsTitle = element("h3", { id: freshId() });
  const warnings = element("ul");
  const warningBox = element("div", { class: "warnings", role: "group", "aria-labelledby": warningsTitle.id, "data-testid": "warnings" }, warningsTitle, warnings); // prettier-ignore
  const section = element("section", { "aria-labelledby": title.id, hidden: true, "data-testid": "results" }, title, figures, warningBox); // prettier-ignore
  const show = whenChanged((report: PanelReport | null) => {
    section.hidden = report === null;
    if (report === null) return;
    figures.replaceChildren();
    for (const figure of headline(report, strings)) addFigure(figures, figure, context);
    const texts = report.warnings;
    warningBox.hidden = texts.length === 0;
    warningsTitle.textContent = counted(texts.length, strings.oneWarning, strings.warnings);
    warnings.replaceChildren(
      ...texts.map((text) => element("li", {}, element("div", { class: "contained long" }, visible(text)))),
    );
  });
  return { element: section, show: (state) => show(shownReport(state)?.report ?? null) };
}

function addFigure(figures: HTMLElement, figure: Figure, { strings, tips }: Context): void {
  const { id, label, before, value, unit, bar: shown, notes } = figure;
  const term = element("button", { type: "button", class: "term" }, label);
  const unitText = unit === null ? null : element("small", {}, ` ${unit}`);
  figures.append(
    element(
      "div",
      { "data-testid": `figure-${id}` },
      element("dt", {}, term),
      element("dd", { class: "value" }, ...change(before, value), unitText),
      shown && element("dd", { class: "note" }, bar(shown)),
      ...notes.map((note) => element("dd", { class: "note" }, ...noteText(note))),
    ),
  );
  tips.describe(term, helpOf(id, strings));
}

function helpOf(id: Figure["id"], strings: PanelStrings): string {
  const helps: Readonly<Record<Figure["id"], string>> = {
    mlu: strings.helpMlu,
    mluOfWeights: strings.helpShare,
    accuracy: strings.helpAccuracy,
    outputError: strings.helpOutputError,
    smallerLayers: strings.helpSmallerLayers,
    parameters: strings.helpParameters,
    macs: strings.helpMacs,
    fileSize: strings.helpFileSize,
    latency: strings.helpLatency,
    accuracyWritten: strings.helpAccuracyWritten,
    layersWritten: strings.helpLayersWritten,
  };
  return helps[id];
}

/** How the numbers came about: ranks, tolerance, data, the device and why it was used. */
export function measurementView({ strings }: Context): View {
  const title = element("h2", { id: freshId() }, strings.howMeasured);
  const facts = element("dl", { class: "setup" });
  const section = element("section", { "aria-labelledby": title.id, hidden: true, "data-testid": "measurement" }, title, facts); // prettier-ignore
  const show = whenChanged((report: PanelReport | null) => {
    section.hidden = report === null;
    if (report !== null) showFacts(facts, measurement(report, strings).map(([term, value]) => [term, visible(value)])); // prettier-ignore
  });
  return { element: section, show: (state) => show(shownReport(state)?.report ?? null) };
}
