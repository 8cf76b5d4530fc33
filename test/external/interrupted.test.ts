import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it, type TestContext } from "vitest";
import { floats } from "../fixtures/data";
import { modelBytes } from "../fixtures/model";
import {
  cnnLab,
  expectRefusal,
  expectSuccess,
  killAll,
  sha256,
  type Lab,
  type Outcome,
  type Running,
} from "../cli/lab";
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

/** Uses the folder `disk` as a file system of one megabyte; skips the test where this process may not mount one. */
async function onSmallDisk(context: TestContext, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = lab.at("disk");
  mkdirSync(folder, { recursive: true });
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]).status !== 0) {
    console.warn("SKIPPED: mounting a small file system needs root on Linux; a full disk was not tested");
    context.skip();
  }
  try {
    await use(folder);
  } finally {
    spawnSync("umount", [folder]);
  }
}

describe.each(["large.onnx", "large_external.onnx"])("a disk that is full, for %s", (model) => {
  it("is named in one line, and nothing is left on it", (context) =>
    onSmallDisk(context, async (disk) => {
      const outcome = await lab.run(...compressed(model, path.join("disk", "smaller.onnx")));
      expectRefusal(outcome, /disk\/smaller\.onnx could not be written: the disk is full/);
      expect(readdirSync(disk)).toEqual([]);
    }));
});

/** The bytes written so far under temporary names; zero before. */
function begun(folder: string): number {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.includes("ranklens-tmp"),
  );
  const stats = names.map((name) => statSync(path.join(folder, name), { throwIfNoEntry: false }));
  return stats.reduce((sum, stat) => sum + (stat?.isFile() ? stat.size : 0), 0);
}

const hashes = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, sha256(readFileSync(path.join(folder, name)))]));

/** What an undisturbed run writes. */
interface Whole {
  readonly files: Readonly<Record<string, string>>;
  readonly bytes: number;
}

async function undisturbed(model: string): Promise<Whole> {
  const folder = lab.at(`whole_${model}`);
  mkdirSync(folder);
  expectSuccess(await lab.run(...compressed(model, path.join(folder, "smaller.onnx"))));
  const files = hashes(folder);
  expect(Object.keys(files)).toEqual(model.includes("external") ? ["smaller.onnx", "smaller.onnx.data"] : ["smaller.onnx"]); // prettier-ignore
  return { files, bytes: Object.keys(files).reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0) };
}

/** Stops it as soon as more than so many bytes are written, and some milliseconds have passed. */
async function stopped(
  model: string,
  folder: string,
  stop: (running: Running) => void,
  bytes = 0,
  delay = 0,
): Promise<Outcome> {
  mkdirSync(lab.at(folder));
  const running = lab.start(...compressed(model, path.join(folder, "smaller.onnx")));
  const ended = running.ended.then(() => true);
  while (begun(lab.at(folder)) <= bytes) {
    const over = await Promise.race([ended, new Promise<false>((resolve) => setTimeout(() => resolve(false), 1))]);
    if (over) throw new Error(`it ended before it wrote: ${running.stderr()}`);
  }
  await new Promise((resolve) => setTimeout(resolve, delay));
  stop(running);
  return running.ended;
}

describe.each(["large.onnx", "large_external.onnx"])("a process that is killed behind the writing, for %s", (model) => {
  it("has left all under its name, or nothing", async () => {
    const whole = await undisturbed(model);
    const signals: unknown[] = [];
    for (const delay of [0, 50, 100, 200, 400, 800]) {
      const folder = `later_${delay}_${model}`;
      const { signal } = await stopped(model, folder, killAll, whole.bytes - 1, delay);
      signals.push(signal);
      const found = readdirSync(lab.at(folder)).filter((name) => !name.includes("ranklens-tmp"));
      // Of two files the data comes first: a model never stands without it.
      if (found.includes("smaller.onnx")) expect(found).toEqual(Object.keys(whole.files));
      for (const name of found) expect(sha256(readFileSync(lab.at(folder, name)))).toBe(whole.files[name]);
    }
    expect(signals[0]).toBe("SIGKILL");
  });
});

describe.each(["huge.onnx", "huge_external.onnx"])("a process that is stopped while it writes, for %s", (model) => {
  let whole: Whole;
  beforeAll(async () => (whole = await undisturbed(model)));

  it("leaves nothing when it is asked to stop", async () => {
    const folder = `terminated_${model}`;
    const { status } = await stopped(model, folder, (running) => running.process.kill("SIGTERM"));
    expect(status).toBe(143);
    expect(readdirSync(lab.at(folder))).toEqual([]);
  });

  it.each([0, 0.5])(
    "leaves no model when it is killed at %d of the writing, and the next one clears up",
    async (share) => {
      const folder = `killed_${share}_${model}`;
      const { signal } = await stopped(model, folder, killAll, share * whole.bytes);
      expect(signal).toBe("SIGKILL");
      expect(readdirSync(lab.at(folder))).toEqual([expect.stringMatching(/^\.smaller\.onnx\.\d+\.ranklens-tmp$/)]);
      expectSuccess(await lab.run(...compressed(model, path.join(folder, "smaller.onnx"))));
      expect(hashes(lab.at(folder))).toEqual(whole.files);
    },
  );
});

describe("a disk that is full, for a report", () => {
  it.for(["--report", "--html"])("is named in one line, and what stood there stays: %s", (flag, context) =>
    onSmallDisk(context, async (disk) => {
      const [old, filler] = ["old", "filler"].map((name) => path.join(disk, name));
      writeFileSync(old, "what stood there");
      expect(() => writeFileSync(filler, new Uint8Array(2 ** 20))).toThrow(/ENOSPC/);
      const before = hashes(disk);
      for (const target of ["disk/new", "disk/old"]) {
        const outcome = await lab.run("analyze", "model.onnx", "--weights-only", flag, target, "--force");
        const { status, stderr, stdout } = outcome;
        const said = `ranklens: ${target} could not be written: the disk is full.\n`;
        expect({ status, stderr }).toEqual({ status: 1, stderr: said });
        // The results are not lost: they were printed before.
        expect(stdout).toMatch(/^layer +op/);
        expect(hashes(disk)).toEqual(before);
      }
    }),
  );
});
