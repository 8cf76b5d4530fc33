import * as vscode from "vscode";
import type { AnalysisEvent, Stage } from "../analysis/progress";
import { shortName } from "../text/names";
import { duration, percent, thousands } from "../text/numbers";
import type { AnalysisQueue, Queued } from "../host/analysisQueue";
import type { ModelRecord } from "../host/modelRecord";
import { plain } from "./plain";
import type { AnalysisState, ImagesDecoded } from "./panelProtocol";

/** "Searching ranks: layer1.0.conv1 (34%, 0:12 left)" */
export function progressText(state: AnalysisState): string {
  if (state.kind === "queued") return waitingText(state.ahead);
  if (state.kind !== "running") return "";
  return state.images ? imagesText(state.images) : workText(state);
}

function imagesText({ data, done, total }: ImagesDecoded): string {
  const count = [thousands(done), thousands(total)];
  return data === "calibration"
    ? vscode.l10n.t("Decoding calibration images: {0} of {1}", ...count)
    : vscode.l10n.t("Decoding validation images: {0} of {1}", ...count);
}

type Work = Omit<Extract<AnalysisEvent, { kind: "progress" }>, "kind">;

function workText({ stage, layer, fraction, secondsLeft }: Work): string {
  const what = layer === null ? stageText(stage) : vscode.l10n.t("{0}: {1}", stageText(stage), shortName(layer));
  const done = percent(fraction, 0);
  return secondsLeft === null
    ? vscode.l10n.t("{0} ({1})", what, done)
    : vscode.l10n.t("{0} ({1}, {2} left)", what, done, duration(secondsLeft));
}

export function waitingText(ahead: number): string {
  return ahead === 1
    ? vscode.l10n.t("Waiting for another analysis")
    : vscode.l10n.t("Waiting for {0} other analyses", ahead);
}

function stageText(stage: Stage): string {
  switch (stage) {
    case "original":
      return vscode.l10n.t("Scoring the original model");
    case "calibration":
      return vscode.l10n.t("Measuring what the calibration data uses");
    case "search":
      return vscode.l10n.t("Searching ranks");
    case "verification":
      return vscode.l10n.t("Checking the whole model");
    case "written":
      return vscode.l10n.t("Checking the written file");
    case "latency":
      return vscode.l10n.t("Measuring latency");
  }
}

/** A notification as long as an analysis waits or runs, with its progress and a button to cancel it. */
export function notifyAnalysis(title: string, record: ModelRecord, { result, cancel }: Queued<unknown>): void {
  withNotification(title, cancel, async (progress) => {
    let shown = 0;
    const unsubscribe = record.onMessage((message) => {
      if (message.kind !== "analysis") return;
      const fraction = message.state.kind === "running" ? message.state.fraction : 0;
      progress.report({ message: plain(progressText(message.state)), increment: 100 * Math.max(fraction - shown, 0) });
      shown = Math.max(fraction, shown);
    });
    progress.report({ message: plain(progressText(record.analysis)) });
    await result.catch(() => undefined);
    unsubscribe();
  });
}

/** Adds an export to the queue, under a notification with its progress and a button to cancel it. */
export function notifyQueued<Result>(
  queue: AnalysisQueue,
  title: string,
  run: (signal: AbortSignal, onEvent: (event: AnalysisEvent) => void) => Promise<Result>,
): Queued<Result> {
  let shown = "";
  let show: (text: string) => void = (text) => (shown = text);
  const onEvent = (event: AnalysisEvent): void => {
    if (event.kind === "images") show(imagesText(event));
    if (event.kind === "progress") show(workText(event));
  };
  const queued = queue.add(
    (signal) => run(signal, onEvent),
    (ahead) => show(waitingText(ahead)),
  );
  withNotification(title, queued.cancel, async (progress) => {
    show = (message) => progress.report({ message: plain(message) });
    show(shown);
    await queued.result.catch(() => undefined);
  });
  return queued;
}

/** Runs a task under a notification with its progress and a button to cancel it. @returns null where it was cancelled. */
export async function cancellable<Result>(
  title: string,
  task: (signal: AbortSignal, report: (message: string) => void) => Promise<Result>,
): Promise<Result | null> {
  const options = { location: vscode.ProgressLocation.Notification, title: plain(title), cancellable: true };
  return vscode.window.withProgress(options, async (progress, token) => {
    const stop = new AbortController();
    token.onCancellationRequested(() => stop.abort());
    let shown = "";
    try {
      return await task(stop.signal, (message) => {
        if (message !== shown) progress.report({ message: plain(message) });
        shown = message;
      });
    } catch (error) {
      if (stop.signal.aborted) return null;
      throw error;
    }
  });
}

type Progress = vscode.Progress<{ message?: string; increment?: number }>;

function withNotification(title: string, cancel: () => void, task: (progress: Progress) => Promise<void>): void {
  const options = { location: vscode.ProgressLocation.Notification, title: plain(title), cancellable: true };
  void vscode.window.withProgress(options, (progress, token) => {
    token.onCancellationRequested(cancel);
    return task(progress);
  });
}
