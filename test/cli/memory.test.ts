import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { weight } from "../fixtures/data";
import { modelBytes, node, untyped, value } from "../fixtures/model";
import { childrenOf, cliPath, expectRefusal, newLab, searching, start, until, type Lab, type Outcome } from "./lab";
import { cnnSpec } from "./models";
import { writeSlow } from "./slow";

/** Far more nodes than fit into a heap of {@link SMALL_HEAP} megabytes, which holds the command line well. */
const MANY_NODES = 100_000;
const SMALL_HEAP = 30;

/** Its one layer makes 268 MB out of an image of 12.6 MB. */
function hungryModel(): Uint8Array {
  return modelBytes({
    nodes: [node("Conv", ["x", "w"], "y", { pads: [3, 3, 3, 3] })],
    initializers: [weight("w", [64, 3, 7, 7], 1)],
    inputs: [value("x", ["batch", 3, "height", "width"])],
    outputs: [untyped("y")],
  });
}

const ADVICE = /Use a lower --memory \(in VS Code: ranklens\.memory\) or fewer samples .*, or close other programs\.$/;

let lab: Lab;
beforeAll(() => {
  lab = newLab();
  const { nodes, ...spec } = cnnSpec();
  const chain = Array.from({ length: MANY_NODES }, (_, i) => node("Relu", [i === 0 ? "a" : `x${i - 1}`], `x${i}`));
  lab.write("long.onnx", modelBytes({ ...spec, nodes: [...nodes, ...chain] }));
  lab.write("hungry.onnx", hungryModel());
  lab.array("hungry.npy", "float32", [1, 3, 1024, 1024], new Float32Array(3 * 1024 * 1024).fill(0.5));
  lab.json("hungry.ranklens.json", { calibration: { source: "hungry.npy" } });
  writeSlow(lab);
});
afterAll(() => lab.remove());

const hungry = ["analyze", "hungry.onnx", "--report", "report.json"];

/** Runs the command in a shell that has done something first. */
function after(preparation: string, args: readonly string[]): Promise<Outcome> {
  const script = `${preparation} && exec "$0" "$@"`;
  return start("/bin/sh", ["-c", script, process.execPath, cliPath(), ...args], lab.folder).ended;
}

it("JavaScript's heap that is too small for a model is named, and how to make it larger", async () => {
  const env = { NODE_OPTIONS: `--max-old-space-size=${SMALL_HEAP}` };
  const args = [cliPath(), "analyze", "long.onnx", "--weights-only"];
  const outcome = await start(process.execPath, args, lab.folder, { env }).ended;
  expectRefusal(
    outcome,
    /ran out of memory \(JavaScript heap out of memory\); it had used [\d.]+ MB/,
    /max-old-space-size/,
  );
});

const linux = process.platform === "linux";
if (!linux) {
  console.warn("NOT TESTED: limits of memory and killed processes, which are set and found here as on Linux.");
}

describe.skipIf(!linux)("memory that runs out", () => {
  it("by the limit of a process is one line", async () => {
    const outcome = await after("ulimit -v 1500000", hungry);
    const how = /ran out of memory \((Failed to allocate memory for requested buffer of size \d+|std::bad_alloc)\)/;
    expectRefusal(outcome, how, /; it had used [\d.]+ MB\./, ADVICE);
    expect(existsSync(lab.at("report.json"))).toBe(false);
  });

  it("by the kernel's verdict is one line, which is sure of it", async (context) => {
    const group = controlGroup(400_000_000);
    if (!group) {
      console.warn("SKIPPED: a limit for a group of processes needs root and a writable cgroup hierarchy.");
      context.skip();
      return;
    }
    try {
      const outcome = await after(`echo $$ >'${path.join(group, "cgroup.procs")}'`, hungry);
      expectRefusal(outcome, /ran out of memory \(the system ended the analysis process to free memory\)/, ADVICE);
      expect(existsSync(lab.at("report.json"))).toBe(false);
    } finally {
      rmdirSync(group);
    }
  });

  it("perhaps, of which SIGKILL alone tells, is one line, and nothing half-written is left", async () => {
    const running = lab.start("compress", "slow.onnx", "--output", "small.onnx");
    await until(running, searching(running));
    const [child, ...others] = childrenOf(running)!;
    expect(others).toEqual([]);
    process.kill(child, "SIGKILL");
    expectRefusal(await running.ended, /was killed \(SIGKILL\), which usually means that the machine ran out/, ADVICE);
    expect(readdirSync(lab.folder).filter((name) => name.includes("small.onnx"))).toEqual([]);
  });
});

/** A folder of the kernel's for a group of processes with a limit; null where this process may not make one. */
function controlGroup(bytes: number): string | null {
  const versions = [
    { root: "/sys/fs/cgroup", limit: "memory.max", swap: "memory.swap.max" },
    { root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", swap: "memory.swappiness" },
  ];
  for (const { root, limit, swap } of versions) {
    const group = path.join(root, `ranklens-test-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    try {
      // "r+" makes no file: in a folder that is no group there is none of these.
      writeFileSync(path.join(group, limit), String(bytes), { flag: "r+" });
      if (existsSync(path.join(group, swap))) writeFileSync(path.join(group, swap), "0", { flag: "r+" });
      return group;
    } catch {
      rmdirSync(group);
    }
  }
  return null;
}
