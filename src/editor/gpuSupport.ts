import * as vscode from "vscode";
import { installCuda } from "../gpuSupport/cuda";
import { foldersOf, installed, placeOf, removeSupport, type SupportKind } from "../gpuSupport/places";
import { installTensorflow } from "../gpuSupport/tensorflow";
import { includedProviders } from "../runtime/providersHere";
import { byteSize } from "../text/numbers";
import { plain } from "./plain";
import { cancellable } from "./progress";
import { settingsFor, type StartWorker } from "./worker";

/** What is done with something that GPUs need; a file is one that the user has downloaded. */
interface Action {
  readonly kind: SupportKind;
  readonly what: "download" | "file" | "remove";
}

/** What is being installed: a second time in the same folder would disturb the first. */
let installing: { readonly stop: AbortController; readonly ended: Promise<unknown> } | null = null;

/** Gives up what is being installed, and resolves when that has ended: it leaves nothing. */
export async function stopInstalling(): Promise<void> {
  installing?.stop.abort();
  await installing?.ended.catch(() => undefined);
}

/**
 * Asks what to install or remove, does it, and says whether it works.
 * @param root the folder of all that is installed.
 * @throws ExpectedError where it does not succeed; what was installed before is then as it was.
 */
export async function manageGpuSupport(
  root: string,
  startWorker: StartWorker,
  log: vscode.LogOutputChannel,
): Promise<void> {
  if (installing) {
    void vscode.window.showInformationMessage(vscode.l10n.t("GPU support is being installed: wait, or cancel it."));
    return;
  }
  const placeHolder = vscode.l10n.t("What to install or remove");
  const action = (await vscode.window.showQuickPick(choices(root), { placeHolder }))?.action;
  if (action === undefined) return;
  const { kind, what } = action;
  if (what === "remove") {
    removeSupport(kind, root);
    void vscode.window.showInformationMessage(vscode.l10n.t("{0} was removed.", nameOf(kind)));
    return;
  }
  const from = what === "file" ? await chooseArchive() : undefined;
  if (what === "file" && from === undefined) return;
  if (!(await install(kind, root, from, log))) return;
  const found = await startWorker(settingsFor(undefined)).call("devices", null);
  const why = found.find(({ name }) => (kind === "cuda" ? name === "cuda" : name.includes("tensorflow")))?.why ?? null;
  if (why === null) {
    void vscode.window.showInformationMessage(vscode.l10n.t("{0} is installed, and works.", nameOf(kind)));
  } else {
    log.warn(`${kind}: ${why}`);
    const text = vscode.l10n.t("{0} is installed, but does not work yet: {1}", nameOf(kind), why);
    void vscode.window.showWarningMessage(plain(text));
  }
}

/** @returns whether it was not cancelled. */
async function install(
  kind: SupportKind,
  root: string,
  from: string | undefined,
  log: vscode.LogOutputChannel,
): Promise<boolean> {
  const stop = new AbortController();
  const ended = cancellable(vscode.l10n.t("Installing {0}", nameOf(kind)), (cancelled, report) => {
    const signal = AbortSignal.any([cancelled, stop.signal]);
    return kind === "cuda"
      ? installCuda(root, { from, signal, onProgress: (bytes, total) => report(progressText(bytes, total)) })
      : installTensorflow(root, { signal, onOutput: (text) => log.info(text.trimEnd()) });
  });
  installing = { stop, ended };
  try {
    return (await ended) !== null;
  } catch (error) {
    if (stop.signal.aborted) return false;
    throw error;
  } finally {
    installing = null;
  }
}

type Choice = vscode.QuickPickItem & { readonly action?: Action };

function choices(root: string): Choice[] {
  const { t } = vscode.l10n;
  const item = (kind: SupportKind, what: Action["what"], icon: string, label: string, detail: string): Choice => ({
    action: { kind, what },
    label: `$(${icon}) ${label}`,
    detail,
  });
  const items: Choice[] = [];
  const cuda = placeOf("cuda", root);
  if (cuda === null) {
    const titles = includedProviders().map(({ title }) => title);
    const detail = titles.length === 0 ? t("There is no GPU provider for this system.") : titles.join(", ");
    items.push({ label: `$(info) ${t("Models: nothing to install here")}`, detail });
  } else if (installed("cuda", root) === null) {
    const needs = t("NVIDIA GPUs; needs CUDA 12 and cuDNN 9, which it does not bring");
    items.push(item("cuda", "download", "cloud-download", t("CUDA for models, from nuget.org"), needs));
    items.push(item("cuda", "file", "file-zip", t("CUDA for models, from a downloaded file"), needs));
  }
  const folders = foldersOf("cuda", root);
  if (folders.length > 0) {
    items.push(item("cuda", "remove", "trash", t("Remove CUDA for models"), folders.join(", ")));
  }
  const tensorflow = installed("tensorflow", root);
  items.push(
    tensorflow === null
      ? item(
          "tensorflow",
          "download",
          "cloud-download",
          t("TensorFlow for eigenvectors, by npm"),
          t("For layers of 512 features and more; needs an NVIDIA GPU with the CUDA that TensorFlow.js was made for"),
        )
      : item("tensorflow", "remove", "trash", t("Remove TensorFlow for eigenvectors"), tensorflow),
  );
  return items;
}

function nameOf(kind: SupportKind): string {
  return kind === "cuda" ? vscode.l10n.t("CUDA for models") : vscode.l10n.t("TensorFlow for eigenvectors");
}

async function chooseArchive(): Promise<string | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t("The archive with onnxruntime's CUDA provider"),
      filters: { NuGet: ["nupkg"] },
    })) ?? [];
  return uri?.fsPath;
}

function progressText(bytes: number, total: number | null): string {
  return total === null ? byteSize(bytes) : vscode.l10n.t("{0} of {1}", byteSize(bytes), byteSize(total));
}
