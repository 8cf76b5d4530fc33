import path from "node:path";
import * as vscode from "vscode";
import { configPathBeside } from "../config";
import { writeConfig } from "../config/write";
import type { AnalysisSettings } from "../host/analysisOptions";
import { dataBeside, isArray } from "../host/dataBeside";
import { inspect } from "../inspect";
import { withPreprocess, type Proposal } from "../propose/proposal";
import { cancellable } from "./progress";
import type { StartWorker } from "./worker";

/** What is measured: what a config names, or the weights alone. */
export type Measured = { readonly kind: "config"; readonly file: string } | { readonly kind: "weights" };

/** Where samples come from. */
type DataKind = "images" | "files" | "weights";

/**
 * Asks what data a model is to be measured on, proposes a config for it, shows what was assumed, and writes it.
 * @returns null where the user thought better of it, or wants to change the file first.
 * @throws ExpectedError if the model or the data cannot be used, or the file cannot be written.
 */
export async function askForConfig(
  model: vscode.Uri,
  settings: AnalysisSettings,
  startWorker: StartWorker,
): Promise<Measured | null> {
  const kind = await chooseKind(model);
  if (kind === undefined) return null;
  if (kind === "weights") return { kind };
  const data = await chooseData(model, kind);
  if (data === undefined) return null;
  const file = model.fsPath;
  const process = startWorker(settings);
  const tried = await whileLooking(async (signal) => {
    const proposal = await process.call("propose", { model: file, data }, { signal });
    return process.call("tryProposal", { model: file, proposal }, { signal });
  });
  if (tried === null) return null;
  const check = (proposal: Proposal): Promise<Proposal | null> =>
    whileLooking((signal) => process.call("tryProposal", { model: file, proposal }, { signal }));
  const final = await answered(tried, check);
  return final && confirmed(model, final);
}

async function chooseKind(model: vscode.Uri): Promise<DataKind | undefined> {
  const { t } = vscode.l10n;
  const items: (vscode.QuickPickItem & { readonly kindOfData: DataKind })[] = [
    {
      kindOfData: "images",
      label: `$(file-media) ${t("Folders of images")}`,
      detail: t("One folder per class, or images alone; training and validation folders are recognized"),
    },
    {
      kindOfData: "files",
      label: `$(file-binary) ${t("Files with samples")}`,
      detail: t(
        "Arrays (.npy, .npz), tables (.csv), text with a tokenizer.json (.txt, .jsonl), token ids (.json), recordings (.wav)",
      ),
    },
    {
      kindOfData: "weights",
      label: `$(symbol-numeric) ${t("Weights only")}`,
      detail: t("No data: what the weights alone tell, which is no ground for an export"),
    },
  ];
  const chosen = await vscode.window.showQuickPick(items, {
    title: t("What should {0} be measured on?", path.basename(model.fsPath)),
    placeHolder: inputsText(model),
    ignoreFocusOut: true,
  });
  return chosen?.kindOfData;
}

/** "Its input: images float32 [N, 3, 224, 224]" */
function inputsText(model: vscode.Uri): string {
  const inputs = inspect(model.fsPath).inputs.map(({ name, type, shape }) => {
    const sizes = shape ? ` [${shape.map((size) => size ?? "?").join(", ")}]` : "";
    return `${name} ${type ?? ""}${sizes}`;
  });
  return vscode.l10n.t("It takes {0}", inputs.join("; "));
}

async function chooseData(model: vscode.Uri, kind: "images" | "files"): Promise<readonly string[] | undefined> {
  if (kind === "images") {
    return openDialog(model, {
      canSelectFolders: true,
      title: vscode.l10n.t("Folders of images, calibration data first"),
    });
  }
  const beside = dataBeside(model.fsPath);
  return beside.length === 0 ? chooseFiles(model) : chooseFilesBeside(model, beside);
}

/** Lets the user tick files that lie about, since the dialogs of remote windows give one file only. */
async function chooseFilesBeside(model: vscode.Uri, beside: readonly string[]): Promise<readonly string[] | undefined> {
  const folder = path.dirname(model.fsPath);
  const other: vscode.QuickPickItem = { label: `$(folder-opened) ${vscode.l10n.t("Other files…")}` };
  const files = beside.map((file) => ({
    label: path.relative(folder, file),
    picked: path.dirname(file) === folder && isArray(file),
    file,
  }));
  const chosen = await vscode.window.showQuickPick([...files, other], {
    canPickMany: true,
    title: vscode.l10n.t("Which files have samples and labels?"),
    placeHolder: vscode.l10n.t("Names tell which are for calibration, validation and labels"),
    ignoreFocusOut: true,
  });
  if (!chosen) return undefined;
  const more = chosen.includes(other) ? await chooseFiles(model) : [];
  const data = more && [...files.filter((one) => chosen.includes(one)).map(({ file }) => file), ...more];
  return data?.length === 0 ? undefined : data;
}

async function chooseFiles(model: vscode.Uri): Promise<readonly string[] | undefined> {
  return openDialog(model, {
    filters: { [vscode.l10n.t("Samples")]: ["npy", "npz", "csv", "tsv", "txt", "jsonl", "json", "wav", "gz"] },
    title: vscode.l10n.t("Files with samples and labels, calibration data first"),
  });
}

async function openDialog(
  model: vscode.Uri,
  options: vscode.OpenDialogOptions,
): Promise<readonly string[] | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    defaultUri: vscode.Uri.joinPath(model, ".."),
    canSelectMany: true,
    canSelectFiles: options.canSelectFolders !== true,
    openLabel: vscode.l10n.t("Use as Data"),
    ...options,
  });
  return chosen?.map(({ fsPath }) => fsPath);
}

/** Under a notification that can cancel it, which gives null. */
function whileLooking<Result>(run: (signal: AbortSignal) => Promise<Result>): Promise<Result | null> {
  return cancellable(vscode.l10n.t("Looking at the data"), run);
}

/**
 * The proposal with the user's answers to what names and shapes do not decide, checked again where an answer is another than
 * the proposed one; null where one is not given.
 */
async function answered(
  proposal: Proposal,
  check: (proposal: Proposal) => Promise<Proposal | null>,
): Promise<Proposal | null> {
  let { config, assumptions } = proposal;
  for (const { about, options } of proposal.questions) {
    const items = options.map((option, i) => ({ ...option, description: i === 0 ? vscode.l10n.t("proposed") : "" }));
    const chosen = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t("The data alone does not tell the {0}: which is it?", about),
      placeHolder: assumptions.find((one) => one.about === about)?.text ?? "",
      ignoreFocusOut: true,
    });
    if (!chosen) return null;
    if (chosen === items[0]) continue;
    config = withPreprocess(config, chosen.preprocess);
    assumptions = assumptions.map((one) => (one.about === about ? { about, text: chosen.label } : one));
  }
  if (config === proposal.config) return { ...proposal, questions: [] };
  return check({ config, assumptions: assumptions.filter(({ about }) => about !== "check"), questions: [] });
}

/** Shows what was assumed, and writes the config where the user agrees. */
async function confirmed(model: vscode.Uri, { config, assumptions }: Proposal): Promise<Measured | null> {
  const target = configPathBeside(model.fsPath);
  const name = path.basename(target);
  const agree: vscode.QuickPickItem = { label: `$(check) ${vscode.l10n.t("Write {0} and go on", name)}` };
  const edit: vscode.QuickPickItem = { label: `$(edit) ${vscode.l10n.t("Write {0} and open it", name)}` };
  const items: vscode.QuickPickItem[] = [
    agree,
    edit,
    { kind: vscode.QuickPickItemKind.Separator, label: vscode.l10n.t("What it says") },
    // Whether it works comes first: a long list ends beyond the edge.
    ...[...assumptions]
      .sort((one, other) => Number(other.about === "check") - Number(one.about === "check"))
      .map(({ about, text }) => ({ label: about, detail: text })),
  ];
  let chosen: vscode.QuickPickItem | undefined;
  do {
    const title = vscode.l10n.t("Proposed config of {0}", path.basename(model.fsPath));
    chosen = await vscode.window.showQuickPick(items, { title, ignoreFocusOut: true });
    // A line that only says something leaves the question open.
  } while (chosen && chosen !== agree && chosen !== edit);
  if (!chosen) return null;
  writeConfig(config, target, { force: false });
  if (chosen === agree) return { kind: "config", file: target };
  await vscode.window.showTextDocument(vscode.Uri.file(target));
  return null;
}
