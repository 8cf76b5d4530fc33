import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TrialReply, TrialRequest } from "./trialProtocol";

export interface TrialOptions {
  /** Seconds after which the process is ended. */
  readonly patience: number;
  readonly signal: AbortSignal | undefined;
  /** The process's entry, beside this one where it is left out. */
  readonly file?: string;
}

/** Why the library of a provider is not loaded: onnxruntime throws only that it is not. */
const LOADING = /Failed to (?:load library|get symbol) \S+ with error: (.+)/;

/** What is kept of the process's stderr: drivers write there before they take a process down. */
const STDERR_TAIL = 2000;

/**
 * Runs a model on a device in a process of its own: a driver may crash it or never come back.
 * @returns what came of it, a crash or an end of patience included.
 * @throws the signal's reason where it is aborted.
 */
export async function runTrial(
  request: Omit<TrialRequest, "folder">,
  { patience, signal, file }: TrialOptions,
): Promise<TrialReply> {
  signal?.throwIfAborted();
  const folder = mkdtempSync(path.join(os.tmpdir(), "ranklens-device-"));
  const child = fork(file ?? path.join(__dirname, "deviceTrial.js"), [], {
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
  });
  const end = (): void => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  // A process in a driver does not hear that this one is gone.
  process.once("exit", end);
  signal?.addEventListener("abort", end);
  const timer = setTimeout(end, 1000 * patience);
  try {
    const reply = await replyOf(child, { ...request, folder });
    signal?.throwIfAborted();
    return reply ?? { kind: "failed", message: `it was not done after ${patience} seconds` };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
    process.removeListener("exit", end);
    end();
  }
}

/** The answer of the process, or how it ended without one; null where it was killed. */
function replyOf(child: ChildProcess, request: TrialRequest): Promise<TrialReply | null> {
  return new Promise((resolve) => {
    let said = "";
    let failure: string | null = null;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-STDERR_TAIL);
    });
    child.on("message", (message) => {
      // The sender is of this very build.
      const reply = message as TrialReply;
      if (reply.kind === "ran") {
        resolve(reply);
        return;
      }
      failure = reply.message;
      // With its end comes all that it has written.
      child.kill("SIGKILL");
    });
    child.on("error", (error) => resolve({ kind: "failed", message: error.message }));
    child.on("close", (code, killer) => {
      if (failure !== null) {
        resolve({ kind: "failed", message: LOADING.exec(said)?.[1] ?? failure });
        return;
      }
      if (killer === "SIGKILL") {
        resolve(null);
        return;
      }
      const last = said.trim().split("\n").at(-1) ?? "";
      const how = killer === null ? `exit status ${String(code)}` : killer;
      resolve({ kind: "failed", message: `it crashed (${how})${last === "" ? "" : `: ${last}`}` });
    });
    child.send(request, () => undefined);
  });
}
