import { supportEnvironment } from "../gpuSupport/places";
import { workerClient } from "../worker/client";
import type { Method, Params, Result } from "../worker/protocol";
import { progressDisplay } from "./progressBar";
import { supportFolder } from "./userFolders";

const worker = workerClient({
  // Of every call: what is installed may change in between.
  get env() {
    const folder = supportFolder();
    return folder === undefined ? {} : supportEnvironment(folder);
  },
});

/** Runs a method of the worker in a process of its own, with its progress on stderr; fails as {@link workerClient}'s calls do. */
export async function runAnalysis<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
  const display = progressDisplay(process.stderr);
  try {
    return await worker.call(method, params, { onEvent: (event) => display.show(event) });
  } finally {
    display.stop();
  }
}

/** The same without progress, for what takes a moment. */
export function callWorker<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
  return worker.call(method, params);
}

/** Ends what runs, within a second, and leaves nothing half-written. */
export async function stopAnalysis(): Promise<void> {
  await worker.dispose();
}
