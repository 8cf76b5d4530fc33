import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { judge, type Reference } from "../../src/analysis/device";
import { runTrial } from "../../src/runtime/deviceTrial";
import { deviceChoices, executionProviders } from "../../src/runtime/executionProviders";
import { isForPlatform, whyAbsent } from "../../src/runtime/providersHere";
import type { TensorValue } from "../../src/runtime/session";
import type { TrialReply } from "../../src/runtime/trialProtocol";

const folder = mkdtempSync(path.join(tmpdir(), "ranklens-trial-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scores = (...data: number[]): TensorValue => ({
  type: "float32",
  dims: [1, data.length],
  data: Float32Array.from(data),
});

describe("what a device is judged by", () => {
  const reference: Reference = { outputs: new Map([["y", scores(1, -200, 3)]]), seconds: [0.4, 0.2, 0.3] };
  const ran = (value: TensorValue, seconds: readonly number[]): TrialReply => ({
    kind: "ran",
    outputs: [["y", value]],
    seconds,
    onProcessor: [],
  });

  it.each<[string, TrialReply, boolean, RegExp]>([
    ["the same, faster", ran(scores(1, -200, 3), [0.1, 0.05]), true, /^4\.0 times as fast .* within 0\.0e\+0 /],
    ["nearly the same", ran(scores(1.1, -200, 3), [0.2]), true, /^1\.0 times as fast .* within 5\.0e-4 /],
    ["the same, not timed", ran(scores(1, -200, 3), []), true, /^as asked for; outputs within/],
    ["the same, slower", ran(scores(1, -200, 3), [0.8, 2]), false, /^4\.0 times as slow/],
    ["others", ran(scores(1.5, -200, 3), [0.1]), false, /^its outputs are 2\.5e-3 from .*limit 0\.001/],
    ["a NaN in front of what is right", ran(scores(NaN, -200, 3), [0.1]), false, /^its outputs are NaN from/],
    ["none", { kind: "failed", message: "no adapter" }, false, /^no adapter$/],
  ])("%s", (_, reply, works, why) => {
    const verdict = judge(reply, reference);
    expect(verdict.works).toBe(works);
    expect(verdict.why).toMatch(why);
  });

  it("an output that is missing", () => {
    const reply = { ...ran(scores(1, -200, 3), []), outputs: [] } as TrialReply;
    expect(judge(reply, reference).works).toBe(false);
  });
});

describe("a process that tries a device", () => {
  const attempt = async (
    script: string,
    options: { patience?: number; signal?: AbortSignal } = {},
  ): Promise<TrialReply> => {
    const file = path.join(folder, "trial.cjs");
    writeFileSync(file, script);
    const request = { model: "m.onnx", device: "webgpu", feeds: [], timedRuns: 0 } as const;
    return runTrial(request, { patience: 20, signal: undefined, ...options, file });
  };

  it("answers", async () => {
    const script = `process.once("message", ({ device }) => process.send({ kind: "failed", message: device + " is out" }))`;
    expect(await attempt(script)).toEqual({ kind: "failed", message: "webgpu is out" });
  });

  it("may be taken down by a driver", async () => {
    const script = `process.once("message", () => { process.stderr.write("driver: oh\\n", () => process.kill(process.pid, "SIGSEGV")) })`;
    expect(await attempt(script)).toEqual({ kind: "failed", message: "it crashed (SIGSEGV): driver: oh" });
    expect(await attempt(`process.exit(3)`)).toEqual({ kind: "failed", message: "it crashed (exit status 3)" });
  });

  it("is not waited for without end", async () => {
    const reply = await attempt(`setInterval(() => {}, 1000)`, { patience: 0.5 });
    expect(reply).toEqual({ kind: "failed", message: "it was not done after 0.5 seconds" });
  });

  it("ends where the analysis is cancelled", async () => {
    const stop = new AbortController();
    const ended = attempt(`setInterval(() => {}, 1000)`, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 200);
    await expect(ended).rejects.toThrow("enough");
  });
});

describe("the table of providers", () => {
  it("has a row for everything that can be asked for, the processor last", () => {
    expect(["auto", ...executionProviders.map(({ name }) => name)]).toEqual(deviceChoices);
    expect(executionProviders.at(-1)!.name).toBe("cpu");
    expect(whyAbsent(executionProviders.at(-1)!)).toBeNull();
  });

  it("says why a provider is not for this platform", () => {
    for (const provider of executionProviders.filter((one) => !isForPlatform(one))) {
      expect(whyAbsent(provider)).toContain(`onnxruntime has none for ${process.platform}-${process.arch}`);
    }
  });
});
