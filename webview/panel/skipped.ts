import { visible } from "../../src/text/names";
import { counted } from "../../src/text/template";
import { whenChanged, type Context, type View } from "./context";
import { element, freshId } from "./dom";
import { nameText } from "./shapes";
import { openedModel, shownReport, type Opened } from "./state";

type Skipped = Opened["inspection"]["skipped"];

/** What is not analysed, with the reasons: folded away, unless there is nothing else to see. */
export function skippedView({ strings }: Context): View {
  const title = element("h2", { id: freshId() }, strings.notAnalysed);
  const none = element("p", { class: "hint" }, strings.allAnalysed);
  const summary = element("summary", { id: freshId() });
  const body = element("tbody");
  const titles = [strings.skippedNode, strings.columnOp, strings.skippedReason];
  const heads = element("tr", {}, ...titles.map((text) => element("th", { scope: "col" }, text)));
  const table = element("table", { class: "plain" }, element("thead", {}, heads), body);
  const scroll = element("div", { class: "scroll tall", role: "region", "aria-labelledby": summary.id, tabindex: 0 }, table); // prettier-ignore
  const details = element("details", { "data-testid": "skipped" }, summary, scroll);
  const section = element("section", { "aria-labelledby": title.id, hidden: true }, title, none, details);
  const show = whenChanged((skipped: Skipped | null, alone: boolean) => {
    section.hidden = skipped === null;
    if (skipped === null) return;
    none.hidden = skipped.length > 0 || alone;
    details.hidden = skipped.length === 0;
    if (alone) details.open = true;
    summary.textContent = counted(skipped.length, strings.oneSkipped, strings.skipped);
    body.replaceChildren(
      ...skipped.map(({ name, op, reason }) =>
        element(
          "tr",
          {},
          element("th", { scope: "row", class: "name" }, element("div", { class: "contained" }, nameText(name))),
          element("td", {}, visible(op)),
          element("td", { class: "reason" }, visible(reason)),
        ),
      ),
    );
  });
  return {
    element: section,
    show: (state, { rows }) => {
      const inspection = openedModel(state);
      show(shownReport(state)?.report.skipped ?? inspection?.skipped ?? null, rows.length === 0);
    },
  };
}
