import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AnalysisEvent } from "../../src/analysis/progress";
import { panelLayer, type ToPanel } from "../../src/editor/panelProtocol";
import { ModelRecord } from "../../src/host/modelRecord";
import { layer, report } from "../html/report";

const progress = (fraction: number): AnalysisEvent => ({
  ...{ kind: "progress", stage: "search", layer: "a" },
  ...{ fraction, secondsLeft: 1 },
});
const found = (name: string): AnalysisEvent => ({ kind: "layer", layer: layer(name) });

function listened(record: ModelRecord): ToPanel[] {
  const messages: ToPanel[] = [];
  record.onMessage((message) => messages.push(message));
  return messages;
}

/** Kinds of messages, those of the analysis with its state. */
const kinds = (messages: readonly ToPanel[]): string[] =>
  messages.map((message) => (message.kind === "analysis" ? message.state.kind : message.kind));

const unreadable = { kind: "unreadable", message: "net.onnx is not a file" } as const;

describe("the record of a model", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("says nothing of a model that it knows nothing of", () => {
    expect(new ModelRecord("net.onnx").messages()).toEqual([
      { kind: "report", state: null },
      { kind: "analysis", state: { kind: "idle" } },
    ]);
  });

  it("tells a panel that opens late all that the others were told", () => {
    const record = new ModelRecord("net.onnx");
    const messages = listened(record);
    record.setModel(unreadable, false);
    record.setTrusted(true);
    record.started(true);
    record.progressed(found("a"));
    record.progressed(found("b"));
    expect(kinds(messages)).toEqual(["model", "model", "running", "layer", "layer"]);
    expect(messages[1]).toEqual({ kind: "model", model: unreadable, fileName: "net.onnx", trusted: true });
    expect(kinds(record.messages())).toEqual(["model", "report", "running", "layer", "layer"]);
    expect(record.messages()[4]).toEqual({ kind: "layer", layer: panelLayer(layer("b")) });
  });

  it("sends spectra as typed arrays", () => {
    const record = new ModelRecord("net.onnx");
    record.setReport(report([layer("a")]), "It has changed.");
    const [message] = record.messages();
    const state = message.kind === "report" ? message.state : null;
    expect(state?.stale).toBe("It has changed.");
    expect(state?.report.layers[0].spectra.input).toEqual(Float64Array.of(6, 3, 1, 0, -1e-17));
  });

  it("passes progress on ten times a second, the latest of it, and nothing of an analysis that has ended", () => {
    const record = new ModelRecord("net.onnx");
    record.started(false);
    const messages = listened(record);
    for (let i = 1; i <= 50; i++) record.progressed(progress(i / 100));
    expect(messages).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(messages).toEqual([
      {
        kind: "analysis",
        state: expect.objectContaining({ kind: "running", fraction: 0.5, preview: false }) as unknown,
      },
    ]);
    record.progressed(progress(0.9));
    record.finished();
    vi.advanceTimersByTime(1000);
    record.progressed(progress(1));
    vi.advanceTimersByTime(1000);
    expect(kinds(messages)).toEqual(["running", "idle"]);
  });

  it("tells how many images are decoded, before there is progress", () => {
    const record = new ModelRecord("net.onnx");
    record.started(false);
    record.progressed({ kind: "images", data: "calibration", done: 3, total: 9 });
    expect(record.analysis).toMatchObject({ kind: "running", fraction: 0, images: { done: 3, total: 9 } });
    record.progressed(progress(0.1));
    expect(record.analysis).not.toHaveProperty("images");
  });

  it("keeps the layers of an analysis that is cancelled or fails, until the next begins", () => {
    for (const end of [(one: ModelRecord) => one.cancelled(), (one: ModelRecord) => one.failed("no memory")]) {
      const record = new ModelRecord("net.onnx");
      record.started(false);
      record.progressed(found("a"));
      end(record);
      expect(record.isBusy).toBe(false);
      expect(record.layers).toEqual([layer("a")]);
      expect(kinds(record.messages())).toContain("layer");
      record.queued(2);
      expect(record.isBusy).toBe(true);
      record.started(false);
      expect(kinds(record.messages())).toEqual(["report", "running"]);
    }
  });

  it("has the layers of its report, where there is one", () => {
    const record = new ModelRecord("net.onnx");
    record.started(false);
    record.progressed(found("a"));
    record.finished();
    record.setReport(report([layer("a"), layer("b")]), null);
    expect(record.layers.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(kinds(record.messages())).toEqual(["report", "idle"]);
  });

  it("says what has not changed only once", () => {
    const record = new ModelRecord("net.onnx");
    const one = report([layer("a")]);
    const messages = listened(record);
    record.setReport(one, null);
    record.setReport(one, null);
    record.setReport(one, "It has changed.");
    expect(kinds(messages)).toEqual(["report", "report"]);
  });
});
