import { visible } from "../../src/text/names";
import { byteSize, elapsed, thousands } from "../../src/text/numbers";
import { fill } from "../../src/text/template";
import { whenChanged, type Context, type View } from "./context";
import { element } from "./dom";
import { button, icon, type Icon } from "./shapes";
import { isBusy, shownReport, type PanelState } from "./state";

type Kind = Extract<Icon, "info" | "warning" | "error">;

/** What a reader has to know before the numbers: what went wrong, and what the numbers are not. */
export function notices(context: Context): View {
  const { strings, host } = context;
  const section = element("div", { class: "notices" });
  const log = (): HTMLElement => button(strings.showLog, { testId: "show-log", onClick: () => host.post({ kind: "showLog" }) }); // prettier-ignore
  const retry = (preview: boolean): HTMLElement =>
    button(strings.retry, { testId: "retry", look: "primary", onClick: () => host.post({ kind: "analyze", preview }) });

  const show = whenChanged(
    (
      model: PanelState["model"],
      analysis: PanelState["analysis"] | null,
      report: PanelState["report"],
      preview: boolean,
      found: boolean,
    ) => {
      const all: HTMLElement[] = [];
      if (model?.kind === "unreadable") {
        all.push(notice("error", "unreadable", [strings.unreadable, visible(model.message)], [log()]));
      }
      if (analysis?.kind === "failed") {
        all.push(notice("error", "failed", [strings.failed, visible(analysis.message)], [retry(preview), log()]));
      }
      if (analysis?.kind === "cancelled") {
        all.push(notice("info", "cancelled", [found ? strings.cancelled : strings.cancelledAtOnce], [retry(preview)]));
      }
      if (report?.stale) all.push(notice("warning", "stale", [strings.stale, visible(report.stale)], []));
      if (report?.report.preview) all.push(notice("info", "preview-banner", previewText(report.report.preview, strings), [])); // prettier-ignore
      section.replaceChildren(...all);
    },
  );
  return {
    element: section,
    show: (state) => {
      const { model, analysis, preview } = state;
      const over = isBusy(analysis) ? null : analysis;
      show(model, over, shownReport(state), preview, state.found.size > 0);
    },
  };
}

/** A heading sentence and what follows from it. */
function notice(kind: Kind, testId: string, [first, ...more]: readonly string[], buttons: readonly HTMLElement[]): HTMLElement {
  const text = element("div", { class: "notice-text" }, element("p", {}, element("strong", {}, first)), ...more.map((line) => element("p", {}, line)));
  return element(
    "div",
    { class: `notice ${kind}`, role: kind === "error" ? "alert" : "note", "data-testid": testId },
    icon(kind),
    text,
    buttons.length > 0 ? element("div", { class: "notice-actions" }, ...buttons) : null,
  );
} // prettier-ignore

type Preview = NonNullable<NonNullable<PanelState["report"]>["report"]["preview"]>;

function previewText({ calibration, validation, fullRun }: Preview, strings: Context["strings"]): string[] {
  const numbers = [calibration, ...(validation ? [validation] : [])].flatMap(({ samples, of }) => [thousands(samples), thousands(of)]); // prettier-ignore
  const samples = fill(validation ? strings.previewBoth : strings.previewCalibration, ...numbers);
  return [
    fill(strings.previewBanner, samples),
    fill(strings.previewFull, elapsed(fullRun.seconds), byteSize(fullRun.memory)),
  ];
}
