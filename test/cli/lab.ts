import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { SampleType } from "../../src/calibration/source";
import { runModel } from "../fixtures/data";
import { modelBytes } from "../fixtures/model";
import { writeNpy } from "../fixtures/npy";
import { CLASSES, cnnSpec, IMAGE, images } from "./models";

/** How a command ended, and what it said. */
export interface Outcome {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** What it has said on stderr so far. */
  stderr(): string;
}

/** The CLI as it was built. */
export function cliPath(): string {
  return builtFile("cli.js");
}

/** A file of dist/. */
export function builtFile(name: string): string {
  const file = fileURLToPath(new URL(`../../dist/${name}`, import.meta.url));
  if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run build" before these tests.`);
  return file;
}

/** How a command is started: by whom (this user otherwise), and what is added to the environment. */
interface StartOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts a command. Nothing of the environment may make its output differ but what is asked for. */
export function start(
  command: string,
  args: readonly string[],
  cwd: string,
  { env, ...user }: StartOptions = {},
): Running {
  const child = spawn(command, args, {
    cwd,
    ...user,
    stdio: ["ignore", "pipe", "pipe"],
    // Nothing of one test is kept for another, or in the user's folder.
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, RANKLENS_CACHE: "", ...env },
    // A group of its own, so that it can be killed with the processes that it starts.
    detached: process.platform !== "win32",
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  return { process: child, ended, stderr: () => stderr };
}

/** Kills a command and the processes that it has started, at once: none of them can clean up after another. */
export function killAll(running: Running): void {
  try {
    process.kill(-running.process.pid!, "SIGKILL");
  } catch (error) {
    // It may have ended by itself meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The processes that a process has started; null where the system does not tell (not Linux). */
export function childrenOf(running: Running): number[] | null {
  const { pid } = running.process;
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number) : null;
}

/** Waits for something to happen while a command runs. */
export async function until(running: Running, happens: () => boolean): Promise<void> {
  while (!happens()) {
    if (running.process.exitCode !== null) throw new Error(`it ended too early: ${running.stderr()}`);
    await sleep(5);
  }
}

/** Whether a command has begun to search ranks. */
export const searching = (running: Running) => (): boolean =>
  progressLines(running.stderr()).some((line) => line.startsWith("Searching ranks"));

/** A fresh folder, and the CLI run in it. */
export interface Lab {
  readonly folder: string;
  /** Path of something in the folder. */
  at(...names: string[]): string;
  write(name: string, content: Uint8Array | string): string;
  json(name: string, content: unknown): string;
  array(name: string, type: SampleType, dims: readonly number[], data: ArrayLike<number>): string;
  /** `ranklens ...args`, started in the folder. */
  run(...args: string[]): Promise<Outcome>;
  start(...args: string[]): Running;
  /** Hashes of all files, by path. */
  files(): Record<string, string>;
  remove(): void;
}

export function newLab(): Lab {
  // The temporary folder may itself be a link, and paths are compared.
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "ranklens-cli-")));
  const at = (...names: string[]): string => path.join(folder, ...names);
  const write = (name: string, content: Uint8Array | string): string => {
    mkdirSync(path.dirname(at(name)), { recursive: true });
    writeFileSync(at(name), content);
    return at(name);
  };
  const begin = (...args: string[]): Running => start(process.execPath, [cliPath(), ...args], folder);
  return {
    folder,
    at,
    write,
    json: (name, content) => write(name, JSON.stringify(content)),
    array: (name, type, dims, data) => writeNpy(at(name), type, dims, data),
    start: begin,
    run: (...args) => begin(...args).ended,
    files: () => Object.fromEntries(filesIn(folder).map((name) => [name, sha256(readFileSync(at(name)))])),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function filesIn(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => statSync(path.join(folder, name)).isFile()).sort();
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export const CALIBRATION = 80;
export const VALIDATION = 100;

export interface CnnLab extends Lab {
  readonly config: typeof config;
}

/** A lab with the CNN in `model.onnx`, its data, and `config` (tolerance 10) in `model.ranklens.json`. */
export async function cnnLab(): Promise<CnnLab> {
  const lab = newLab();
  const bytes = modelBytes(cnnSpec());
  lab.write("model.onnx", bytes);
  lab.array("calibration.npy", "float32", [CALIBRATION, ...IMAGE], images(CALIBRATION, IMAGE, 1));
  const validation = images(VALIDATION, IMAGE, 2);
  lab.array("validation.npy", "float32", [VALIDATION, ...IMAGE], validation);
  const scores = await predict(bytes, VALIDATION, validation);
  // Nine of ten labels are the model's own answers.
  const labels = answers(scores).map((label, i) => (i % 10 === 9 ? (label + 1) % CLASSES : label));
  lab.array("labels.npy", "int64", [VALIDATION], labels);
  lab.json("model.ranklens.json", config);
  return { ...lab, config };
}

const config = {
  calibration: { source: "calibration.npy" },
  validation: { source: "validation.npy", labels: "labels.npy" },
  tolerance: 10,
};

/** The scores of a model for images, by onnxruntime. */
export async function predict(model: Uint8Array, count: number, data: Float32Array): Promise<Float32Array> {
  const outputs = await runModel(model, { images: { type: "float32", dims: [count, ...IMAGE], data } });
  const scores = outputs.get("scores")?.data;
  if (!(scores instanceof Float32Array)) throw new Error("the model has no float32 scores");
  return scores;
}

export function answers(scores: Float32Array): number[] {
  return Array.from({ length: scores.length / CLASSES }, (_, row) => {
    const own = [...scores.subarray(row * CLASSES, (row + 1) * CLASSES)];
    return own.indexOf(Math.max(...own));
  });
}

const STAGE = /(Running the original|Reading calibration data|Searching ranks|Running the smaller model|Checking the written file|Measuring latency)(: .+)? \(\d+%(, [\d:]+ left)?\)/; // prettier-ignore
const PROGRESS = new RegExp(`^(${STAGE.source}|Decoding [\\d,]+ (calibration|validation) images)$`);

/** What stderr holds apart from progress. */
export function complaints(stderr: string): string[] {
  return stderr.split("\n").filter((line) => line !== "" && !PROGRESS.test(line));
}

export function progressLines(stderr: string): string[] {
  return stderr.split("\n").filter((line) => PROGRESS.test(line));
}

/** A failure that the user can act on: status 1, nothing on stdout, one line on stderr with all of `parts`. */
export function expectRefusal(outcome: Outcome, ...parts: readonly (string | RegExp)[]): void {
  const lines = complaints(outcome.stderr);
  expect({ status: outcome.status, stdout: outcome.stdout, lines }).toEqual({
    status: 1,
    stdout: "",
    lines: [expect.stringMatching(/^ranklens: .{20,}/)],
  });
  for (const part of parts) expect(lines[0]).toMatch(part);
  expect(lines[0]).not.toMatch(/internal error|undefined|\bat .*\.js:\d/);
}

/** A command that did what it should. */
export function expectSuccess(outcome: Outcome): void {
  expect({ status: outcome.status, complaints: complaints(outcome.stderr) }).toEqual({ status: 0, complaints: [] });
  expect(outcome.stdout).not.toBe("");
}
