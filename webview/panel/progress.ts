import { shortName } from "../../src/text/names";
import { elapsed, percent, thousands } from "../../src/text/numbers";
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
    const { title: told, fraction, layer: atWork, notes } = workOf(state, strings);
    const done = fraction === null ? "" : percent(fraction, 0);
    title.textContent = told;
    section.toggleAttribute("data-queued", fraction === null);
    share.textContent = done;
    layer.textContent = atWork;
    left.textContent = notes.join(" · ");
    fillBar.style.transform = fraction === null ? "" : `scaleX(${fraction})`;
    if (fraction === null) bar.removeAttribute("aria-valuenow");
    else bar.setAttribute("aria-valuenow", (100 * fraction).toFixed(0));
    const heard = notes.at(-1) ?? done;
    announcer.say(heard ? fill(strings.announceProgress, told, heard) : told, told === stage ? "sometimes" : "now");
    stage = told;
  };
  return { element: section, show };
}

/** What is being done, how far it is (null: it waits), at which layer, and what more there is to say. */
interface Work {
  readonly title: string;
  readonly fraction: number | null;
  readonly layer: string;
  readonly notes: readonly string[];
}

function workOf(state: PanelState, strings: Context["strings"]): Work {
  const { analysis } = state;
  if (analysis.kind !== "running") {
    const ahead = analysis.kind === "queued" ? analysis.ahead : 0;
    const title = ahead > 1 ? fill(strings.queuedBehind, ahead) : strings.queued;
    return { title, fraction: null, layer: "", notes: [] };
  }
  const named = (title: string): string => (analysis.preview ? `${strings.previewRunning}: ${title}` : title);
  if (analysis.images) {
    const { data, done, total } = analysis.images;
    return {
      title: named(data === "calibration" ? strings.decodingCalibration : strings.decodingValidation),
      fraction: done / Math.max(total, 1),
      layer: "",
      notes: [fill(strings.imagesDone, thousands(done), thousands(total))],
    };
  }
  return {
    title: named(stageTitle(analysis.stage, strings)),
    fraction: analysis.fraction,
    layer: analysis.layer === null ? "" : shortName(analysis.layer),
    notes: [...layersText(state, strings), ...timeText(analysis, strings)],
  };
}

function stageTitle(stage: Running["stage"], strings: Context["strings"]): string {
  const titles: Readonly<Record<Running["stage"], string>> = {
    original: strings.stageOriginal,
    calibration: strings.stageCalibration,
    search: strings.stageSearch,
    verification: strings.stageVerification,
    // Of exports, which the panel shows nothing of.
    written: strings.stageVerification,
    latency: strings.stageVerification,
  };
  return titles[stage];
}

function timeText({ secondsLeft }: Running, strings: Context["strings"]): string[] {
  if (secondsLeft === null) return [];
  const isLong = secondsLeft > 2 * ROUNDING;
  const rounded = isLong ? Math.ceil(secondsLeft / ROUNDING) * ROUNDING : Math.max(Math.ceil(secondsLeft), 1);
  return [fill(strings.timeLeft, elapsed(rounded))];
}

function layersText(state: PanelState, strings: Context["strings"]): string[] {
  const total = openedModel(state)?.layers.length ?? 0;
  return state.found.size === 0 || total === 0 ? [] : [fill(strings.layersDone, state.found.size, total)];
}
