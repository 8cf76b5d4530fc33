// Parts of a Markdown file that a benchmark writes: between two comments, so that the rest stays a person's.
import { readFileSync, writeFileSync } from "node:fs";
import { format, resolveConfig } from "prettier";

const COMMAND = '"npm run bench -- readme"';

function markers(name: string): readonly [begin: string, end: string] {
  return [`<!-- ${name}:begin, written by ${COMMAND} -->`, `<!-- ${name}:end -->`];
}

/** The names of the blocks of `text`, in their order. @throws Error where a block is not closed, or is there twice. */
export function blockNames(text: string): string[] {
  const names = [...text.matchAll(/^<!-- (\w+):begin, written by "npm run bench -- readme" -->$/gm)].map(
    ([, name]) => name,
  );
  for (const name of names) blockContent(text, name);
  return names;
}

/** What stands between the markers of a block. @throws Error unless each marker is there once, in order. */
export function blockContent(text: string, name: string): string {
  const [begin, end] = markers(name);
  const [before, rest, ...more] = text.split(begin);
  const parts = rest?.split(end) ?? [];
  if (parts.length !== 2 || more.length > 0 || before.includes(end)) {
    throw new Error(`the markers of "${name}" are not there, each once: ${begin} … ${end}`);
  }
  return parts[0].trim();
}

/** `text` with another content in a block. */
export function withBlock(text: string, name: string, content: string): string {
  const [begin, end] = markers(name);
  const old = `${begin}${text.split(begin)[1]?.split(end)[0] ?? ""}${end}`;
  blockContent(text, name);
  return text.replace(old, () => `${begin}\n\n${content.trim()}\n\n${end}`);
}

/** Writes blocks of a file, each wrapped and aligned as the formatter wants it. */
export async function writeBlocks(file: string, blocks: Readonly<Record<string, string>>): Promise<void> {
  const options = { ...(await resolveConfig(file)), parser: "markdown", proseWrap: "always" } as const;
  let text = readFileSync(file, "utf8");
  for (const [name, content] of Object.entries(blocks)) text = withBlock(text, name, await format(content, options));
  writeFileSync(file, text);
}

/** A Markdown table; all columns but the first are aligned to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, i) => (i === 0 ? "---" : "--:"));
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}
