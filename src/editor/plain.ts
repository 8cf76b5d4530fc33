/**
 * A text for a notification, in which VS Code makes links of `[text](command:…)`, and runs the command when they are clicked:
 * names of files and layers are anybody's. An invisible space keeps the brackets apart.
 */
export function plain(text: string): string {
  return text.replaceAll("](", "]\u200b(");
}
