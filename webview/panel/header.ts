import type { CopyFormat } from "../../src/editor/panelProtocol";
import { whenChanged, type Context, type View } from "./context";
import { element, freshId } from "./dom";
import { button, nameText } from "./shapes";
import { isBusy, openedModel, type PanelState } from "./state";

const COPY_FORMATS = ["markdown", "csv", "json"] as const satisfies readonly CopyFormat[];

/** The file's name and what can be done with it. */
export function header({ host, strings, tips }: Context): View {
  const name = element("h1", { class: "contained", tabindex: -1, "data-testid": "file-name" }, document.title);
  const analyze = button(strings.analyze, { testId: "analyze", look: "primary", onClick: () => host.post({ kind: "analyze", preview: false }) }); // prettier-ignore
  const preview = button(strings.preview, { testId: "preview", onClick: () => host.post({ kind: "analyze", preview: true }) }); // prettier-ignore
  const save = button(strings.exportModel, { testId: "export", onClick: () => host.post({ kind: "export" }) });
  const config = button(strings.openConfig, { testId: "open-config", onClick: () => host.post({ kind: "openConfig" }) }); // prettier-ignore
  const copies = COPY_FORMATS.map((format) =>
    button(strings[format], { testId: `copy-${format}`, look: "quiet", onClick: () => host.post({ kind: "copy", format }) }),
  ); // prettier-ignore
  const copyLabel = element("span", { id: freshId() }, strings.copyAs);
  const copy = element("span", { class: "copies", role: "group", "aria-labelledby": copyLabel.id }, copyLabel, ...copies); // prettier-ignore
  const actions = element("div", { class: "actions", role: "group", "aria-label": strings.actions }, analyze, preview, save, config, copy); // prettier-ignore
  // Why a button is off: in sight, and read with the button.
  const reason = element("p", { class: "reason-off", id: freshId(), "data-testid": "why-off" });
  const bar = element("header", { class: "top" }, element("div", { class: "title" }, name), actions, reason);
  const hoverName = { text: "" };
  tips.attach(name, () => (name.scrollHeight > name.clientHeight ? [hoverName.text] : []));

  const showName = whenChanged((fileName: string) => {
    hoverName.text = fileName.slice(0, 500);
    name.replaceChildren(nameText(fileName));
  });
  const switchOff = (target: HTMLButtonElement, off: boolean): void => {
    target.disabled = off;
    if (off) target.setAttribute("aria-describedby", reason.id);
    else target.removeAttribute("aria-describedby");
  };
  const show = (state: PanelState): void => {
    if (state.model !== null) showName(state.fileName);
    const { report, trusted } = state;
    const opened = openedModel(state);
    const idle = opened !== null && !isBusy(state.analysis);
    const noLayers = opened?.layers.length === 0;
    actions.hidden = !idle;
    const whyNot = !trusted ? strings.untrusted : noLayers ? strings.noLayers : null;
    const measured = report?.report.settings.ranks === "none" ? null : report;
    const current = measured?.stale === null;
    const complete = current && measured.report.preview === null;
    analyze.textContent = measured === null ? strings.analyze : complete || !current ? strings.analyzeAgain : strings.analyzeFully; // prettier-ignore
    switchOff(analyze, whyNot !== null);
    preview.hidden = complete;
    switchOff(preview, whyNot !== null);
    const whyNoExport = measured && exportProblem(measured, strings);
    save.hidden = measured === null;
    switchOff(save, whyNoExport !== null);
    const isDone = complete && whyNoExport === null;
    look(analyze, complete ? "secondary" : "primary");
    look(save, isDone ? "primary" : "secondary");
    copy.hidden = report === null;
    const told = idle ? (whyNot ?? whyNoExport) : null;
    reason.hidden = told === null;
    reason.textContent = told;
  };
  return { element: bar, show };
}

function look(target: HTMLButtonElement, wanted: "primary" | "secondary"): void {
  target.classList.toggle("primary", wanted === "primary");
  target.classList.toggle("secondary", wanted === "secondary");
}

function exportProblem({ report, stale }: NonNullable<PanelState["report"]>, strings: Context["strings"]): string | null {
  if (stale !== null) return strings.exportStale;
  return report.layers.some(({ outcome }) => outcome.kind === "decomposed") ? null : strings.nothingSmaller;
} // prettier-ignore
