import os from "node:os";
import { devicesHere } from "../analysis/devicesHere";
import { peakMemory } from "../analysis/memory";
import { analyze } from "../analyze";
import type { AnalysisEvent } from "../analysis/progress";
import { removeUnfinished } from "../atomicFile";
import { compress } from "../compress";
import { proposeConfig } from "../propose";
import { tryProposal } from "../propose/trial";
import { toWire, type Method, type Params, type Reply, type Request, type Result } from "./protocol";

/** Entry of `dist/worker.js`, the process that {@link workerClient} forks: it answers one request. */

type OnEvent = (event: AnalysisEvent) => void;

const handlers: { readonly [M in Method]: (params: Params<M>, onEvent: OnEvent) => Promise<Result<M>> } = {
  analyze: ({ model, options }, onEvent) => analyze(model, { ...options, onEvent }),
  compress: ({ model, options }, onEvent) => compress(model, { ...options, onEvent }),
  propose: (params) => proposeConfig(params),
  tryProposal: ({ model, proposal }) => tryProposal(model, proposal),
  devices: () => devicesHere(),
};

async function answer<M extends Method>({ method, params }: Request<M>): Promise<void> {
  const onEvent: OnEvent = (event) => send({ kind: "event", event, peakBytes: peakMemory() });
  try {
    send({ kind: "result", result: await handlers[method](params, onEvent) });
  } catch (error) {
    // Also a result that is not plain data, which `send` refuses: every request is answered.
    send({ kind: "error", error: toWire(error) });
  }
}

function send(reply: Reply): void {
  // Where the caller is gone, `disconnect` ends this process; until then there is nobody to tell of a failed message.
  process.send?.(reply, undefined, undefined, () => undefined);
}

function leave(status: number): void {
  removeUnfinished();
  process.exit(status);
}

process.on("disconnect", () => leave(1));
for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => leave(128 + os.constants.signals[signal]));
}
// A terminal sends Ctrl-C to the command line and to this process alike; what it means is the command line's business.
process.on("SIGINT", () => undefined);
// The sender is the client of this very build.
process.once("message", (message) => void answer(message as Request));
