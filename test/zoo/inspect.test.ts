import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { isExpected } from "../../src/errors";
import { inspect, type Inspection } from "../../src/inspect";
import { cliPath } from "../cli/lab";
import { expectations } from "./expectations";

const folders = ["../../../shared/zoo", "../../../shared/reference/models"].map((folder) =>
  fileURLToPath(new URL(folder, import.meta.url)),
);
const files = folders.flatMap((folder) => {
  if (existsSync(folder)) {
    return readdirSync(folder).filter((name) => name.endsWith(".onnx")).map((name) => path.join(folder, name)); // prettier-ignore
  }
  console.warn(`NOT TESTED: real ONNX files, as there is no folder ${folder}.`);
  return [];
});

/** Reading the structure takes time that grows with the number of nodes, not of weights: thousands are no second. */
const MOST_SECONDS = 2;

/** What cannot be read at all. The rest of the odd files are refused by onnxruntime, but can be shown. */
const UNREADABLE = new Set(["ort-corrupt.onnx"]);

describe.skipIf(files.length === 0)("inspect on real models", () => {
  it.each(files.map((file) => [path.basename(file), file]))("%s", (name, file) => {
    const cli = spawnSync(process.execPath, [cliPath(), "inspect", "--json", file], { encoding: "utf8" });
    if (UNREADABLE.has(name)) {
      const message = refusal(file);
      expect(message).toMatch(/is text, not an ONNX model\. ONNX models are binary: check the path\.$/);
      expect(cli).toMatchObject({ status: 1, stdout: "", stderr: `ranklens: ${message}\n` });
      return;
    }
    const start = performance.now();
    const found = inspect(file);
    expect((performance.now() - start) / 1000).toBeLessThan(MOST_SECONDS);
    expect(cli).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(cli.stdout)).toEqual(JSON.parse(JSON.stringify(found)));
    checkSense(found);
    const { layers, skipped } = found;
    const reasons = [...new Set(skipped.map(({ op, reason }) => `${op}: ${reason}`))];
    const expected = expectations[name];
    expect({ layers: layers.length, skipped: skipped.length }).toEqual({ layers: expected?.layers ?? 0, skipped: expected?.skipped ?? 0 }); // prettier-ignore
    for (const part of expected?.reasons ?? []) expect(reasons).toContainEqual(expect.stringContaining(part));
    for (const [layer, columns] of Object.entries(expected?.sizes ?? {})) {
      expect(layers.find((it) => it.name === layer)).toMatchObject(columns);
    }
    if (expected?.macs !== undefined) expect(layers.reduce((sum, it) => sum + it.macs!, 0)).toBe(expected.macs);
  });

  it("resnet20 has the totals of its paper", () => {
    const file = files.find((it) => path.basename(it) === "resnet20.onnx");
    if (file === undefined) return;
    const { layers } = inspect(file);
    expect(layers.length).toBe(20);
    expect(layers.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(268_336);
    expect(layers.reduce((sum, { macs }) => sum + macs!, 0)).toBe(40_551_040);
  });
});

function refusal(file: string): string {
  try {
    inspect(file);
  } catch (error) {
    if (isExpected(error)) return error.message;
    throw error;
  }
  throw new Error(`${file} was read`);
}

/** What holds for every model. */
function checkSense({ model, inputs, outputs, layers, skipped }: Inspection): void {
  expect(model.bytes).toBeGreaterThan(0);
  expect(layers.reduce((sum, { parameters }) => sum + parameters, 0)).toBeLessThanOrEqual(model.parameters);
  expect(new Set(layers.map(({ name }) => name)).size).toBe(layers.length);
  for (const { name, groups, rows, columns, parameters, macs, nodes } of layers) {
    expect(name).not.toBe("");
    expect(parameters).toBe(groups * rows * columns);
    expect(nodes.length).toBeGreaterThan(0);
    // A weight is applied once for each sample, at least.
    if (macs !== null) expect(macs % parameters).toBe(0);
    if (macs !== null) expect(macs).toBeGreaterThanOrEqual(parameters);
  }
  for (const { name, reason } of skipped) {
    expect(name).not.toBe("");
    expect(reason).toMatch(/^[a-z].{10,}/);
    expect(reason).not.toMatch(/undefined|null|NaN/);
  }
  for (const { name } of [...inputs, ...outputs]) expect(name).not.toBe("");
}
