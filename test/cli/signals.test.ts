import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, afterAll, describe, expect, it } from "vitest";
import {
  childrenOf,
  expectSuccess,
  killAll,
  newLab,
  searching,
  until,
  type Lab,
  type Outcome,
  type Running,
} from "./lab";
import { isRunning } from "../../src/runningProcess";
import { writeSlow } from "./slow";

/** A command that is stopped must end within this time: far less than what it still had to do, and no race. */
const PROMPTLY = 5;

const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

if (process.platform === "win32") console.warn("NOT TESTED on Windows, which has no such signals: stopping a command.");
describe.skipIf(process.platform === "win32")("a command that is stopped", () => {
  let lab: Lab;
  let before: Record<string, string>;
  beforeAll(() => {
    lab = newLab();
    writeSlow(lab);
    before = lab.files();
  });
  // Nothing half-written is left, and nothing has changed.
  afterEach(() => expect(lab.files()).toEqual(before));
  afterAll(() => lab.remove());

  const temporary = (): string[] => readdirSync(lab.folder).filter((name) => name.endsWith(".ranklens-tmp"));

  async function stopped(running: Running, signal: NodeJS.Signals): Promise<Outcome> {
    const start = performance.now();
    running.process.kill(signal);
    const outcome = await running.ended;
    expect((performance.now() - start) / 1000).toBeLessThan(PROMPTLY);
    expect(outcome.stdout).toBe("");
    return outcome;
  }

  it.each([
    ["SIGINT", ["analyze", "slow.onnx", "--report", "report.json"]],
    ["SIGTERM", ["analyze", "slow.onnx", "--report", "report.json"]],
    ["SIGINT", ["compress", "slow.onnx", "--output", "small.onnx"]],
    ["SIGTERM", ["compress", "slow.onnx", "--output", "small.onnx", "--report", "report.json"]],
  ] as const)("by %s in the search leaves nothing: %j", async (signal, args) => {
    const running = lab.start(...args);
    await until(running, searching(running));
    const { status, stderr } = await stopped(running, signal);
    expect(status).toBe(STATUS[signal]);
    expect(stderr).not.toMatch(/error|\bat /i);
  });

  const compress = ["compress", "slow.onnx", "--output", "small.onnx", "--energy", "0.5"];

  it.each(["SIGINT", "SIGTERM"] as const)("by %s while it checks the written file removes it", async (signal) => {
    const running = lab.start(...compress);
    await until(running, () => temporary().length > 0);
    const { status } = await stopped(running, signal);
    expect(status).toBe(STATUS[signal]);
  });

  it("by SIGKILL ends the analysis too, which removes what it had begun", async () => {
    const running = lab.start(...compress);
    await until(running, () => temporary().length > 0);
    const analysis = writerOf(temporary()[0]);
    if (childrenOf(running) !== null) expect(childrenOf(running)).toEqual([analysis]);
    expect(isRunning(analysis)).toBe(true);
    const { signal } = await stopped(running, "SIGKILL");
    expect(signal).toBe("SIGKILL");
    const start = performance.now();
    while (isRunning(analysis) && performance.now() - start < 1000 * PROMPTLY) await sleep(5);
    expect(isRunning(analysis)).toBe(false);
    expect(temporary()).toEqual([]);
  });

  it("by SIGKILL of all its processes leaves a temporary file, which the next one for the same target removes", async () => {
    const running = lab.start(...compress);
    await until(running, () => temporary().length > 0);
    killAll(running);
    const { signal } = await running.ended;
    expect(signal).toBe("SIGKILL");
    expect(existsSync(lab.at("small.onnx"))).toBe(false);
    expect(temporary()).toEqual([expect.stringMatching(/^\.small\.onnx\.\d+\.ranklens-tmp$/)]);
    // Those of other targets and of running processes are not its business.
    const others = [`.other.onnx.${deadProcess()}.ranklens-tmp`, `.small.onnx.${process.pid}.ranklens-tmp`];
    for (const name of others) writeFileSync(lab.at(name), "");
    expectSuccess(await lab.run(...compress));
    expect(temporary().sort()).toEqual(others.sort());
    before = lab.files();
    expect(before).toHaveProperty(["small.onnx"]);
  });
});

/** The process that writes a temporary file. */
function writerOf(temporary: string): number {
  return Number(/\.(\d+)\.ranklens-tmp$/.exec(temporary)![1]);
}

/** The number of a process that has ended. */
function deadProcess(): number {
  return spawnSync(process.execPath, ["-e", ""]).pid;
}
