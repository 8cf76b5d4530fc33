import { shortName } from "../../src/text/names";
import { elapsed, percent } from "../../src/text/numbers";
import { fill } from "../../src/text/template";
import type { Context, View } from "./context";
import { element, freshId } from "./dom";
import { button } from "./shapes";
import { isBusy, openedModel, type PanelState, type Running } from "./state";

/** Estimates are rounded to this many seconds: what jumps about says nothing. */
const ROUNDING = 5;

/** What an analysis is at, how long it will take, and the way to end it. */
export function progressView({ host, strings, announcer }: Context): View {
  const title = element("h2", { id: freshId(), "data-testid": "progress-stage" });
  const layer = element("p", { class: "at-work", "data-testid": "progress-layer" });
  const share = element("span", { class: "percent", "data-testid": "progress-percent" });
  const fillBar = element("div", { class: "fill" });
  const bar = element("div", { class: "progress-bar", role: "progressbar", "aria-labelledby": title.id, "aria-valuemin": 0, "aria-valuemax": 100, "data-testid": "progress-bar" }, fillBar); // prettier-ignore
  const left = element("p", { class: "time-left", "data-testid": "progress-left" });
  const cancel = button(strings.cancel, { testId: "cancel", onClick: () => host.post({ kind: "cancel" }) });
  const section = element(
    "section",
    { class: "progress", "aria-label": strings.progress, hidden: true, "data-testid": "progress" },
    element("div", { class: "progress-head" }, title, share),
    bar,
    element("div", { class: "progress-foot" }, element("div", {}, layer, left), cancel),
  );
  let stage: string | null = null;

  const show = (state: PanelState): void => {
    const { analysis } = state;
    const busy = isBusy(analysis);
    const hadFocus = section.contains(document.activeElement);
    const begins = busy && section.hidden;
    section.hidden = !busy;
    // The button that was pressed is gone: the next one to press takes its place.
    if (begins && document.activeElement?.closest(".actions, .notices")) cancel.focus();
    if (!busy) {
      if (hadFocus) document.querySelector<HTMLElement>("h1")?.focus();
      // A failure is an alert of its own.
      if (stage !== null && analysis.kind === "idle") announcer.say(strings.announceDone, "now");
      if (stage !== null && analysis.kind === "cancelled") announcer.say(strings.cancelledAtOnce, "now");
      stage = null;
      return;
    }
    const running = analysis.kind === "running" ? analysis : null;
    const told = running ? stageText(running, strings) : queuedText(analysis, strings);
    title.textContent = told;
    section.toggleAttribute("data-queued", running === null);
    share.textContent = running ? percent(running.fraction, 0) : "";
    layer.textContent = running?.layer ? shortName(running.layer) : "";
    const time = running ? timeText(running, strings) : "";
    const counted = running ? layersText(state, strings) : "";
    left.textContent = [counted, time].filter(Boolean).join(" · ");
    fillBar.style.transform = running ? `scaleX(${running.fraction})` : "";
    if (running) bar.setAttribute("aria-valuenow", (100 * running.fraction).toFixed(0));
    else bar.removeAttribute("aria-valuenow");
    announcer.say(
      fill(strings.announceProgress, told, time || percent(running?.fraction ?? 0, 0)),
      told === stage ? "sometimes" : "now",
    );
    stage = told;
  };
  return { element: section, show };
}

function stageText({ stage, preview }: Running, strings: Context["strings"]): string {
  const stages = {
    original: strings.stageOriginal,
    calibration: strings.stageCalibration,
    search: strings.stageSearch,
    verification: strings.stageVerification,
    // Of exports, which the panel shows nothing of.
    written: strings.stageVerification,
    latency: strings.stageVerification,
  };
  return preview ? `${strings.previewRunning}: ${stages[stage]}` : stages[stage];
}

function queuedText(analysis: PanelState["analysis"], strings: Context["strings"]): string {
  const ahead = analysis.kind === "queued" ? analysis.ahead : 0;
  return ahead > 1 ? fill(strings.queuedBehind, ahead) : strings.queued;
}

function timeText({ secondsLeft }: Running, strings: Context["strings"]): string {
  if (secondsLeft === null) return "";
  const rounded = secondsLeft > 2 * ROUNDING ? Math.ceil(secondsLeft / ROUNDING) * ROUNDING : Math.max(Math.ceil(secondsLeft), 1); // prettier-ignore
  return fill(strings.timeLeft, elapsed(rounded));
}

function layersText(state: PanelState, strings: Context["strings"]): string {
  const total = openedModel(state)?.layers.length ?? 0;
  return state.found.size === 0 || total === 0 ? "" : fill(strings.layersDone, state.found.size, total);
}
