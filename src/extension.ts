import type { ExtensionContext } from "vscode";

/** Called by VS Code once. Registrations only; there are none yet. */
export function activate(_context: ExtensionContext): void {
  return;
}
