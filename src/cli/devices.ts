import { installCuda } from "../gpuSupport/cuda";
import { removeSupport, type SupportKind } from "../gpuSupport/places";
import { installTensorflow } from "../gpuSupport/tensorflow";
import { ExpectedError } from "../errors";
import { byteSize } from "../text/numbers";
import { callWorker } from "./analysisProcess";
import { definitions } from "./reportText";
import { supportFolder } from "./userFolders";

export interface DevicesFlags {
  install?: SupportKind;
  from?: string;
  remove?: SupportKind;
}

/**
 * Installs or removes what is asked for, then shows everything that models can run on.
 * @param signal gives an installation up, which then leaves nothing.
 * @throws ExpectedError; the signal's reason where it is aborted.
 */
export async function devices(flags: DevicesFlags, print: (text: string) => void, signal: AbortSignal): Promise<void> {
  if (flags.install !== undefined || flags.remove !== undefined) await change(folderOrError(), flags, signal);
  const found = await callWorker("devices", null);
  print(definitions(found.map(({ name, why }) => [name, why ?? "works"])));
}

function folderOrError(): string {
  const folder = supportFolder();
  if (folder !== undefined) return folder;
  throw new ExpectedError(
    "there is no folder to install into: you have no home folder. Set HOME to one that is yours.",
  );
}

async function change(root: string, { install, from, remove }: DevicesFlags, signal: AbortSignal): Promise<void> {
  if (remove !== undefined && !removeSupport(remove, root)) {
    throw new ExpectedError(`there is nothing to remove: ${root} has no ${remove}.`);
  }
  if (install === "cuda") {
    await installCuda(root, { from, signal, onProgress: showDownload() });
  }
  if (install === "tensorflow") {
    await installTensorflow(root, { from, signal, onOutput: (text) => process.stderr.write(text) });
  }
}

/** A line on the terminal that is written over; nothing where stderr is a file. */
function showDownload(): (bytes: number, total: number | null) => void {
  let shown = "";
  return (bytes, total) => {
    if (!process.stderr.isTTY) return;
    const of = total === null ? "" : ` of ${byteSize(total)}`;
    const text = `Downloading ${byteSize(bytes)}${of}`;
    if (text === shown) return;
    shown = text;
    process.stderr.write(`\r${text}\u001b[K${bytes === total ? "\n" : ""}`);
  };
}
