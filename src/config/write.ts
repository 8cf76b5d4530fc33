import { dirname, resolve } from "node:path";
import { writeFileAtomically } from "../atomicFile";
import { relativeConfig, type ResolvedConfig } from "./index";
import { CONFIG_VERSION } from "./schema";

/** A list of numbers over several lines, as JSON.stringify writes it; text cannot hold its line breaks. */
const NUMBERS = /\[\n[\s\d.,e+-]*\]/g;

/** The content of a config file at `target`: its paths start at the file's folder where they can. */
export function configText(config: ResolvedConfig, target: string): string {
  const content = { version: CONFIG_VERSION, ...relativeConfig(config, dirname(resolve(target))) };
  const text = JSON.stringify(content, null, 2);
  return `${text.replace(NUMBERS, (list) => list.replace(/\s+/g, " ").replace("[ ", "[").replace(" ]", "]"))}\n`;
}

/** Writes a config file, all or nothing. @throws ExpectedError if it exists (without `force`) or cannot be written. */
export function writeConfig(config: ResolvedConfig, target: string, options: { force: boolean }): void {
  writeFileAtomically(target, [Buffer.from(configText(config, target))], options);
}
