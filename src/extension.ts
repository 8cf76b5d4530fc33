import * as vscode from "vscode";
import type { App } from "./editor/app";
import { COMMANDS, MODEL_EDITOR, REPORTS_STATE } from "./editor/commandIds";

let app: Promise<App> | null = null;

/**
 * Called by VS Code once: registrations only. What they do is in a bundle of its own, which is loaded when the first of
 * them is used.
 * @returns the app where tests run, otherwise nothing.
 */
export function activate(context: vscode.ExtensionContext): { app(): Promise<App> } | undefined {
  const load = (): Promise<App> => (app ??= import("./editor/app").then(({ createApp }) => createApp(context)));
  context.subscriptions.push(
    ...COMMANDS.map((id) =>
      vscode.commands.registerCommand(id, async (...args: unknown[]) => (await load()).run(id, args)),
    ),
    vscode.window.registerCustomEditorProvider(
      MODEL_EDITOR,
      {
        openCustomDocument: (uri) => ({ uri, dispose: () => undefined }),
        resolveCustomEditor: async ({ uri }, panel) => (await load()).showModel(uri, panel),
      },
      { supportsMultipleEditorsPerDocument: true },
    ),
  );
  // Hovers in sources need the reports of this workspace; without any they have nothing to show.
  if (context.workspaceState.get(REPORTS_STATE) !== undefined) setImmediate(() => void load());
  return context.extensionMode === vscode.ExtensionMode.Test ? { app: load } : undefined;
}

/** Waits until the analyses that run have ended: they leave nothing half-written. */
export async function deactivate(): Promise<void> {
  await (await app)?.shutDown();
}
