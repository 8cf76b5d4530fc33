import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { analyze } from "../../src/analyze";
import type { AnalysisEvent } from "../../src/analysis/progress";
import { compress } from "../../src/compress";
import { ExpectedError } from "../../src/errors";
import type { ModelReport } from "../../src/report";
import { workerClient, type WorkerClient, type WorkerOptions } from "../../src/worker/client";
import { builtFile, cnnLab, type CnnLab } from "../cli/lab";
import { writeSlow } from "../cli/slow";
import { forked, hasEnded } from "./forks";

vi.mock("node:child_process", async () => (await import("./forks")).watchedChildProcess());

/** The whole of a cancellation, to the end of the process. */
const CANCELLED_WITHIN_MS = 1000;

let lab: CnnLab;
beforeAll(async () => {
  lab = await cnnLab();
  writeSlow(lab);
  const source = { source: "slow.npy", limit: 100 };
  lab.json("short.json", { calibration: source, validation: source });
});
afterAll(() => lab.remove());
beforeEach(() => forked.splice(0));

const client = (options: WorkerOptions = {}): WorkerClient =>
  workerClient({ file: builtFile("worker.js"), ...options });

/** A report without what differs from run to run. */
function lasting(report: ModelReport): unknown {
  const { seconds, stages, layers, memory, ...cost } = report.cost;
  expect(seconds).toBeGreaterThan(0);
  expect(memory.peak).toBeGreaterThan(0);
  const { compressed } = report;
  return {
    ...report,
    cost: { ...cost, stages: Object.keys(stages), layers: layers?.length, memory: { ...memory, peak: null } },
    compressed: compressed && { ...compressed, path: null, latency: null },
  };
}

/** What a promise is rejected with, which it has to be. */
async function failure(promise: Promise<unknown>): Promise<Error> {
  const error: unknown = await promise.then(
    () => new Error("it was not rejected"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error)) throw new Error("rejected with something that is no error");
  return error;
}

/** The process of a call that is in the middle of its search. */
async function inSearch(call: (onEvent: (event: AnalysisEvent) => void) => void): Promise<(typeof forked)[number]> {
  await new Promise<void>((resolve) =>
    call((event) => {
      if (event.kind === "progress" && event.stage === "search") resolve();
    }),
  );
  return forked.at(-1)!;
}

const temporary = (): string[] => readdirSync(lab.folder).filter((name) => name.endsWith(".ranklens-tmp"));
const slow = (): string => lab.at("slow.onnx");

/** Compresses the slow model until its file is written, but not checked yet; rejected calls are the caller's. */
async function whileChecking(worker: WorkerClient, signal?: AbortSignal) {
  const options = { config: lab.at("short.json"), output: lab.at("small.onnx"), energy: 0.5 };
  const result = worker.call("compress", { model: slow(), options }, signal ? { signal } : {});
  const outcome = failure(result);
  await vi.waitUntil(() => temporary().length > 0, { timeout: 60_000, interval: 5 });
  return { outcome, child: forked.at(-1)! };
}

describe("a call", () => {
  it("gives the report and the events that an analysis in this process gives", async () => {
    const own: AnalysisEvent[] = [];
    const sent: AnalysisEvent[] = [];
    const expected = await analyze(lab.at("model.onnx"), { onEvent: (event) => own.push(event) });
    const report = await client().call(
      "analyze",
      { model: lab.at("model.onnx"), options: {} },
      { onEvent: (event) => sent.push(event) },
    );
    expect(lasting(report)).toEqual(lasting(expected));
    const steps = (events: readonly AnalysisEvent[]): unknown[] =>
      events.map((event) => (event.kind === "layer" ? event : { ...event, secondsLeft: null }));
    expect(steps(sent)).toEqual(steps(own));
    expect(sent.filter(({ kind }) => kind === "layer")).toHaveLength(report.layers.length);
  });

  it("writes the model that this process would write", async () => {
    const expected = await compress(lab.at("model.onnx"), { output: lab.at("own.onnx") });
    const params = { model: lab.at("model.onnx"), options: { output: lab.at("sent.onnx") } };
    const report = await client().call("compress", params);
    expect(lasting(report)).toEqual(lasting(expected));
    expect(readFileSync(lab.at("sent.onnx")).equals(readFileSync(lab.at("own.onnx")))).toBe(true);
  });

  it("ends its process", async () => {
    await client().call("analyze", { model: lab.at("model.onnx"), options: { weightsOnly: true } });
    expect(forked).toHaveLength(1);
    await vi.waitUntil(() => hasEnded(forked[0]));
  });

  it("runs beside others", async () => {
    const worker = client();
    const one = { model: lab.at("model.onnx"), options: { weightsOnly: true } };
    const missing = { model: lab.at("missing.onnx"), options: { weightsOnly: true } };
    const [first, second, third] = await Promise.allSettled([one, missing, one].map((p) => worker.call("analyze", p)));
    expect([first.status, second.status, third.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("fails with the message that a user would see here", async () => {
    const params = { model: lab.at("missing.onnx"), options: { config: lab.at("model.ranklens.json") } };
    const expected = await failure(analyze(params.model, params.options));
    expect(expected).toBeInstanceOf(ExpectedError);
    const error = await failure(client().call("analyze", params));
    expect(error).toBeInstanceOf(ExpectedError);
    expect(error.message).toBe(expected.message);
  });

  it("fails with the stack of an internal error", async () => {
    // Typed callers cannot do this; it stands for any mistake of ours.
    const params = { model: 5 as never, options: { weightsOnly: true } };
    const error = await failure(client().call("analyze", params));
    expect(error).not.toBeInstanceOf(ExpectedError);
    expect(error).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("must be of type string") as string,
    });
    expect(error.stack).toMatch(/TypeError.*\n(.*\n)*\s+at .*worker\.js:\d+/);
  });

  it("fails if its parameters are not plain data, and leaves no process", async () => {
    const config = { calibration: { source: () => "data.npy" } } as never;
    const error = await failure(client().call("analyze", { model: "model.onnx", options: { config } }));
    expect(error.message).toContain("could not be cloned");
    expect(forked.map(hasEnded)).toEqual([true]);
  });

  it("fails with what its listener throws, and leaves no process", async () => {
    const onEvent = (): never => {
      throw new Error("no place to draw");
    };
    const error = await failure(client().call("analyze", { model: slow(), options: {} }, { onEvent }));
    expect(error.message).toBe("no place to draw");
    expect(forked.map(hasEnded)).toEqual([true]);
  });
});

describe("a call that is cancelled", () => {
  it("before it begins starts nothing", async () => {
    const reason = new Error("changed my mind");
    const call = client().call("analyze", { model: slow(), options: {} }, { signal: AbortSignal.abort(reason) });
    expect(await failure(call)).toBe(reason);
    expect(forked).toEqual([]);
  });

  it("in the search ends within a second with the signal's reason", async () => {
    const controller = new AbortController();
    let outcome: Promise<Error> | undefined;
    const child = await inSearch((onEvent) => {
      const { signal } = controller;
      outcome = failure(client().call("analyze", { model: slow(), options: {} }, { onEvent, signal }));
    });
    const reason = new Error("changed my mind");
    const start = performance.now();
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    expect(performance.now() - start).toBeLessThan(CANCELLED_WITHIN_MS);
    expect(hasEnded(child)).toBe(true);
  });

  // A process inside onnxruntime does not hear that it should end; neither does one that is stopped.
  it.each([false, true])(
    "while it checks its file removes it, also if the process does not listen: %s",
    // A busy machine may keep the process from hearing in time, which ends it as one that does not listen.
    { retry: 2 },
    async (deaf) => {
      const controller = new AbortController();
      const { outcome, child } = await whileChecking(client(), controller.signal);
      if (deaf) child.kill("SIGSTOP");
      const start = performance.now();
      controller.abort();
      expect((await outcome).name).toBe("AbortError");
      expect(performance.now() - start).toBeLessThan(CANCELLED_WITHIN_MS);
      // Whether the process removed it or the client did.
      expect(child.signalCode).toBe(deaf ? "SIGKILL" : null);
      expect(temporary()).toEqual([]);
      expect(readdirSync(lab.folder)).not.toContain("small.onnx");
    },
  );

  it("by the client's end is gone when that is said to be done", async () => {
    const worker = client();
    const { outcome } = await whileChecking(worker);
    await worker.dispose();
    expect(forked.map(hasEnded)).toEqual([true]);
    expect((await outcome).name).toBe("AbortError");
    expect(temporary()).toEqual([]);
  });
});

describe("a process that ends before it has answered", () => {
  it.each([
    ["SIGKILL", /^The analysis process was killed \(SIGKILL\), which usually means .*; it had used \d+ MB\. Use/],
    ["SIGSEGV", /^The analysis process crashed \(SIGSEGV\)\. .* report it/],
    ["SIGTERM", /^The analysis process was stopped from outside \(SIGTERM\)\.$/],
  ] as const)("by %s says so, leaves no file, and the next call works", async (signal, line) => {
    const worker = client();
    const { outcome, child } = await whileChecking(worker);
    // Its memory is looked at five times a second, and meanwhile it must not come to its end by itself.
    child.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill(signal);
    child.kill("SIGCONT");
    const error = await outcome;
    expect(error).toBeInstanceOf(ExpectedError);
    expect(error.message).toMatch(line);
    expect(temporary()).toEqual([]);
    const report = await worker.call("analyze", { model: lab.at("model.onnx"), options: { weightsOnly: true } });
    expect(report.layers.length).toBeGreaterThan(0);
  });

  it.each([
    ["throw new Error('first\\nsecond')", /\(exit status 1: Error: first\)/],
    ["console.error('x'.repeat(1e5)); console.error('RangeError: last words'); process.exitCode = 7", /status 7: RangeError: last words\)/], // prettier-ignore
    ["process.exit(0)", /ended before it was done \(exit status 0\)/],
    ["process.abort()", /crashed \(SIGABRT\)/],
    ["const all = []; for (;;) all.push(new Array(1e6).fill(1.5))", /ran out of memory \(JavaScript heap out of memory\).*--max-old-space-size/], // prettier-ignore
    ["new Uint8Array(2 ** 53 - 1)", /exit status 1: RangeError: Invalid typed array length/],
  ])("by itself, from %s", async (code, line) => {
    writeFileSync(lab.at("faulty.cjs"), `process.once("message", () => { ${code}; process.disconnect(); });`);
    let stderr = "";
    const env = { NODE_OPTIONS: "--max-old-space-size=50" };
    const worker = client({ file: lab.at("faulty.cjs"), env, onStderr: (text) => (stderr += text) });
    const error = await failure(worker.call("analyze", { model: "model.onnx", options: {} }));
    expect(error).toBeInstanceOf(ExpectedError);
    expect(error.message).toMatch(line);
    expect(error.message).not.toContain("\n");
    if (code.includes("last words")) expect(stderr.length).toBeGreaterThan(1e5);
  });

  it("says so if there is no such program", async () => {
    const error = await failure(
      client({ nodePath: lab.at("no-node") }).call("analyze", { model: slow(), options: {} }),
    );
    expect(error).toBeInstanceOf(ExpectedError);
    expect(error.message).toMatch(/^The analysis process could not be started: spawn .*no-node ENOENT\.$/);
  });
});
