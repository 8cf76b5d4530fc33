import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { floats } from "../fixtures/data";
import { modelBytes } from "../fixtures/model";
import { cnnLab, expectRefusal, expectSuccess, killAll, type Lab, type Running } from "../cli/lab";
import { cnnSpec } from "../cli/models";
import { writeExternalModel } from "./externalModel";

/** The CNN with a constant that nothing reads: it makes the file as large as wanted, and is copied as it is. */
function withBallast(megabytes: number): Uint8Array {
  const spec = cnnSpec();
  const length = megabytes * 250_000;
  const data = new Float32Array(length);
  data.set(floats(1000, 1));
  return modelBytes({ ...spec, initializers: [...spec.initializers, { name: "ballast", dims: [length], data }] });
}

let lab: Lab;
beforeAll(async () => {
  lab = await cnnLab();
  for (const [name, megabytes] of [
    ["large", 4],
    ["huge", 80],
  ] as const) {
    // prettier-ignore
    const bytes = withBallast(megabytes);
    lab.write(`${name}.onnx`, bytes);
    writeExternalModel(bytes, lab.folder, `${name}_external.onnx`);
  }
});
afterAll(() => lab.remove());

const compressed = (model: string, output: string): string[] => [
  ...["compress", model, "-o", output, "--config", "model.ranklens.json", "--energy", "0.8"],
];

/** A file system of one megabyte; null where this process may not mount one. */
function smallDisk(): { folder: string; remove: () => void } | null {
  const folder = lab.at("disk");
  mkdirSync(folder, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]).status === 0;
  return mounted ? { folder, remove: () => spawnSync("umount", [folder]) } : null;
}

describe.each(["large.onnx", "large_external.onnx"])("a disk that is full, for %s", (model) => {
  it("is named in one line, and nothing is left on it", async (context) => {
    const disk = smallDisk();
    if (!disk) {
      console.warn("SKIPPED: mounting a small file system needs root on Linux; a full disk was not tested");
      context.skip();
      return;
    }
    try {
      const outcome = await lab.run(...compressed(model, path.join("disk", "smaller.onnx")));
      expectRefusal(outcome, /disk\/smaller\.onnx could not be written: the disk is full/);
      expect(readdirSync(disk.folder)).toEqual([]);
    } finally {
      disk.remove();
    }
  });
});

describe.each(["huge.onnx", "huge_external.onnx"])("a process that is stopped while it writes, for %s", (model) => {
  /** Stops it as soon as something is being written. */
  async function stopped(folder: string, stop: (running: Running) => void) {
    mkdirSync(lab.at(folder));
    const running = lab.start(...compressed(model, path.join(folder, "smaller.onnx")));
    const ended = running.ended.then(() => true);
    while (readdirSync(lab.at(folder)).length === 0) {
      const over = await Promise.race([ended, new Promise<false>((resolve) => setTimeout(() => resolve(false), 2))]);
      if (over) throw new Error(`it ended before it wrote: ${running.stderr()}`);
    }
    stop(running);
    return running.ended;
  }

  it("leaves nothing when it is asked to stop", async () => {
    const folder = `terminated_${model}`;
    const { status } = await stopped(folder, (running) => running.process.kill("SIGTERM"));
    expect(status).toBe(143);
    expect(readdirSync(lab.at(folder))).toEqual([]);
  });

  it("leaves no model when it is killed, and the next one clears up", async () => {
    const folder = `killed_${model}`;
    const { signal } = await stopped(folder, killAll);
    expect(signal).toBe("SIGKILL");
    expect(readdirSync(lab.at(folder))).toEqual([expect.stringMatching(/^\.smaller\.onnx\.\d+\.ranklens-tmp$/)]);
    expectSuccess(await lab.run(...compressed(model, path.join(folder, "smaller.onnx"))));
    const names = model.includes("external") ? ["smaller.onnx", "smaller.onnx.data"] : ["smaller.onnx"];
    expect(readdirSync(lab.at(folder)).sort()).toEqual(names);
  });
});
