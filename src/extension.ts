/** Called by VS Code once. Registrations only; there are none yet. */
export function activate(): void {
  return;
}
