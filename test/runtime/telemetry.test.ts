import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cliPath, cnnLab, type CnnLab } from "../cli/lab";

let lab: CnnLab;
beforeAll(async () => (lab = await cnnLab()));
afterAll(() => lab.remove());

/** Runs Node with a home and a temporary folder of its own; gives what is in them afterwards. */
function leftBy(name: string, args: readonly string[]): string[] {
  const [home, temporary] = ["home", "tmp"].map((folder) => lab.at(name, folder));
  for (const folder of [home, temporary]) mkdirSync(folder, { recursive: true });
  // Where CI is set, onnxruntime reports nothing of its own accord.
  const unset = { CI: undefined, XDG_CACHE_HOME: undefined, ORT_DISABLE_TELEMETRY: undefined };
  const env = { ...process.env, ...unset, HOME: home, TMPDIR: temporary };
  const { status } = spawnSync(process.execPath, args, { cwd: lab.folder, env });
  expect(status).toBe(0);
  return readdirSync(lab.at(name), { recursive: true, encoding: "utf8" }).sort();
}

const EMPTY = ["home", "tmp"];

describe("onnxruntime's usage reports", () => {
  it("are off: an analysis leaves no device identifier and no queue of events", () => {
    expect(leftBy("ours", [cliPath(), "analyze", "model.onnx", "--energy", "0.9"])).toEqual(EMPTY);
  });

  it.skipIf(process.platform !== "linux")("would leave them otherwise, so that the test above can fail", () => {
    const { resolve } = createRequire(import.meta.url);
    const create = `require(${JSON.stringify(resolve("onnxruntime-node"))}).InferenceSession.create("model.onnx")`;
    expect(leftBy("bare", ["-e", create])).not.toEqual(EMPTY);
  });
});
